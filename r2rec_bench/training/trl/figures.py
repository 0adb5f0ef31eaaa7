"""What is kept of TRL's log, and what it is called here."""

from __future__ import annotations

import math
from collections.abc import Mapping

_NAMES = {
    "loss": "loss",
    "grad_norm": "grad_norm",
    "learning_rate": "lr",
    "reward": "reward",
    "kl": "kl",
    "entropy": "entropy",
    "zero_variance": "zero_variance",
    "completions/clipped_ratio": "truncated",
    "completions/mean_length": "length",
    "rewards/chosen": "reward_chosen",
    "rewards/accuracies": "accuracy",
    "rewards/margins": "margin",
    "logps/chosen": "logp_chosen",
    "logps/rejected": "logp_rejected",
}


def figures(logs: Mapping[str, float | None]) -> dict[str, float]:
    """One row of it; TRL says None for not a number."""
    return {
        name: math.nan if value is None else float(value)
        for name, value in ((_named(key), value) for key, value in logs.items())
        if name
    }


def _named(key: str) -> str:
    """This package's name for a figure of TRL's; empty for one that is not kept."""
    if key.startswith("rewards/") and key.endswith("/mean"):
        return key.replace("rewards/", "reward/").removesuffix("/mean")
    return _NAMES.get(key, "")
