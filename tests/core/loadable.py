"""A model of what an experiment is like, a file of it, and ways to load that file."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field, model_validator

from r2rec_bench.core.config import Config, Family, Spec
from r2rec_bench.core.errors import ConfigError
from r2rec_bench.core.loading import Loaded, load


class Training(Config):
    seconds: float = 60.0
    epochs: int = Field(1, ge=1)


class World(Config):
    title: str
    seed: int = 0
    backbone: Annotated[Spec, Family("toys")]
    stages: tuple[Annotated[Spec, Family("toys")], ...] = ()
    fallback: Annotated[Spec, Family("toys")] = Field({"use": "nano", "width": 7})
    ks: tuple[int, ...] = (1, 3)
    split: Literal["last", "temporal"] = "last"
    visibility: Literal["fold", "past"] = "fold"
    training: Training = Training()

    @model_validator(mode="after")
    def _strict(self):
        if self.split == "temporal" and self.visibility == "fold":
            raise ValueError("split temporal needs visibility past")
        return self


BASE = """\
title: worlds
backbone: nano
stages:
  - sft
  - use: grpo
    lr: 2e-6
    rewards: [none]
ks: [1, 10]
"""


def delta(change: str, extends: str = "base.yaml", name: str = "delta.yaml") -> Path:
    lines = "\n".join(f"  {line}" for line in change.splitlines())
    Path(name).write_text(f"extends: {extends}\nquestion: Does it matter?\nchange:\n{lines}\n")
    return Path(name)


def base(*overrides: str) -> Loaded[World]:
    return load(Path("base.yaml"), World, overrides)


def origins(loaded: Loaded[World]) -> dict[str, str]:
    return {leaf.path: leaf.origin for leaf in loaded.leaves}


def values(loaded: Loaded[World]) -> dict[str, object]:
    return {leaf.path: leaf.value for leaf in loaded.leaves}


def problems(path: Path | str, *overrides: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(Path(path), World, overrides)
    return [str(problem) for problem in caught.value.problems]
