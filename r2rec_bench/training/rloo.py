"""Rewards compared with those of the others in the group."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from r2rec_bench.core.config import Tune
from r2rec_bench.training.base import stages
from r2rec_bench.training.reinforcement import Reinforcement, ReinforcementConfig


class RlooConfig(ReinforcementConfig):
    """As GRPO's, but the KL divergence is taken off the reward of the whole completion."""

    beta: Annotated[float, Field(ge=0), Tune(1e-3, 0.5, log=True)] = 0.05
    """Reward lost per nat by which a whole completion leaves the checkpoint that the stage starts from."""


@stages.register("rloo")
class Rloo(Reinforcement):
    """REINFORCE on weighted rewards, each less the mean of its group's others, through TRL's RLOOTrainer.

    Against GRPO: no scaling by the group's spread, no weight per token, the completion as one action.

    Source: RLOO (arXiv 2402.14740); TRL. In R2Rec's pipeline it stands in for stage 2 (arXiv 2506.05069).
    """

    config: RlooConfig
    algorithm = "rloo"
