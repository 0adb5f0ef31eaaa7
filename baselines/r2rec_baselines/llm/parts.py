"""What these recipes take over from the experiment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from r2rec_bench.core.config import Config, Tune
from r2rec_bench.prompts.base import StrategyConfig

Written = Mapping[str, Any]
"""An experiment, or a part of it, as in YAML."""


class HistoryConfig(Config):
    """What is told of the user."""

    history: Annotated[int, Field(ge=1, le=1000), Tune(5, 50)] | None = None
    """Latest own interactions listed, where the wording lists any; null lists as many as the experiment does."""


def without_chains(experiment: Written, use: str, config: HistoryConfig) -> dict[str, Any]:
    """Chains and prompts of a recipe that prompts by the strategy `use`: no evidence, the experiment's own budget."""
    own = {key: value for key, value in experiment["prompts"].items() if key in StrategyConfig.model_fields}
    history = {} if config.history is None else {"history": config.history}
    return {"chains": {"use": "none"}, "prompts": {**own, **history, "use": use}}


def stage(experiment: Written, use: str, **otherwise: object) -> dict[str, Any]:
    """The experiment's first stage of the name `use`, as a first stage of all; with settings `otherwise` if none."""
    own = next((one for one in experiment["stages"] if one["use"] == use), {"use": use, **otherwise})
    return {**own, "handoff": "fresh"}


def with_untouched(experiment: Written) -> dict[str, Any]:
    """Training questions, some of them about items never touched: without these every answer would be yes."""
    own = experiment["queries"]
    return {**own, "touched": own["touched"] if own["touched"] < 1 else 0.5}


def pointwise(experiment: Written) -> dict[str, Any]:
    """The experiment's reading of answers about one candidate, each of a single reasoning."""
    ranker = experiment["ranker"]
    if ranker["use"] == "self_consistency":
        return {"use": ranker["reading"], "max_thought_tokens": ranker["max_thought_tokens"]}
    if ranker["use"] == "listwise":
        return {"use": "rating_interaction", "max_thought_tokens": ranker["max_thought_tokens"]}
    return dict(ranker)
