"""Rewards compared within a group and scaled by its spread."""

from __future__ import annotations

from r2rec_bench.training.base import stages
from r2rec_bench.training.reinforcement import Reinforcement, ReinforcementConfig


class GrpoConfig(ReinforcementConfig):
    """The KL divergence is a term of the loss, token by token."""


@stages.register("grpo")
class Grpo(Reinforcement):
    """Group-relative policy optimisation of weighted rewards, through TRL's GRPOTrainer.

    Source: R2Rec (arXiv 2506.05069), stage 2; GRPO (arXiv 2402.03300); TRL.
    """

    config: GrpoConfig
    algorithm = "grpo"
