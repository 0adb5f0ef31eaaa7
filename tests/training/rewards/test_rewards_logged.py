"""The mean of each reward is logged at every update, beside the weighted sum."""

import pytest

from r2rec_bench.core.texts import Prompt, Trace
from r2rec_bench.core.types import NONE_RATING, RATINGS, Query
from r2rec_bench.llm.nano import Nano, NanoConfig
from r2rec_bench.prompts.compact import Compact
from r2rec_bench.prompts.progressive_mask import ProgressiveMask
from r2rec_bench.training.base import StageContext
from r2rec_bench.training.grpo import Grpo, GrpoConfig
from r2rec_bench.training.rewards.base import rewards


def test_every_reward_is_logged_apart_and_the_sum_is_theirs(nano_checkpoint, tmp_path):
    prompt = Prompt("", "u4 n5 m4", ("#1 r5 L1 F1 m4",), "[MASK] touch think", "[MASK]", 0, 9)
    traces = [Trace(Query(user, 0, 0), 1, prompt, (), "", user % 6, (user % 6,)) for user in range(8)]
    weights = {name: 0.25 * place for place, name in enumerate(rewards.names(), 1)}
    terms = [{"reward": name, "weight": weight} for name, weight in weights.items()]
    config = GrpoConfig.model_validate(
        {"steps": 2, "prompts": 4, "group": 4, "max_completion": 6, "rewards": terms, "lr": 1e-9}
    )
    backbone = Nano(NanoConfig(weights=nano_checkpoint.path))
    context = StageContext(backbone, ProgressiveMask(), Compact(), (NONE_RATING, *RATINGS), 0, lambda *_: None)
    rows = Grpo(config).run(nano_checkpoint, traces, tmp_path, context).log
    assert len(rows) == 2
    for row in rows:
        summed = sum(weight * row[f"reward/{name}"] for name, weight in weights.items())
        assert row["reward"] == pytest.approx(summed, abs=1e-5)
