"""Other ways to recommend with the experiment's own backbone, without interaction chains.

Each is a recipe: the experiment with other prompts, stages or ranker, asked the same candidates; where it trains, it
does so with the settings that the experiment gives to its own stage of that name, so that the budget is the same.
Those named after a paper follow its idea, not its code, and stand in tables with "-style" behind their names; what
differs is in their docstrings.

All but `llmrank` run on any backbone. The compact wording, which `nano` reads, lists no history: without chains such a
backbone sees the user's mean rating and the candidate's audience alone, and is asked little more than how popular the
candidate is. It has no words for lists either, so `llmrank` refuses it when the experiment is loaded.
"""

from r2rec_baselines.llm.llmrank import LLMRank
from r2rec_baselines.llm.reczero import RecZero
from r2rec_baselines.llm.sft_direct import SftDirect
from r2rec_baselines.llm.tallrec import TALLRec
from r2rec_baselines.llm.zero_shot_cot import ZeroShotCot
from r2rec_baselines.llm.zero_shot_direct import ZeroShotDirect

__all__ = ["LLMRank", "RecZero", "SftDirect", "TALLRec", "ZeroShotCot", "ZeroShotDirect"]
