"""A family of toy components, known under `toys` while a test runs, and a file that chooses some of them."""

from pathlib import Path
from types import ModuleType
from typing import Annotated

import pytest

from r2rec_bench.core.config import Config, Family, Spec
from r2rec_bench.core.registry import FAMILIES, Component, Registry
from tests.core.loadable import BASE

TOYS: Registry[Component] = Registry("toys", "toy", Component)


class NanoConfig(Config):
    width: int = 32
    depth: int = 2


class HFConfig(Config):
    path: str
    dtype: str = "float32"


class SFTConfig(Config):
    lr: float = 1e-3
    epochs: int = 1


class GRPOConfig(Config):
    lr: float = 1e-6
    group: int = 8
    rewards: tuple[Annotated[Spec, Family("toys")], ...] = ()


@TOYS.register("nano")
class Nano(Component):
    """Small."""

    config: NanoConfig


@TOYS.register("hf")
class HF(Component):
    """Any."""

    config: HFConfig


@TOYS.register("sft")
class SFT(Component):
    """Supervised."""

    config: SFTConfig


@TOYS.register("grpo")
class GRPO(Component):
    """Reinforced."""

    config: GRPOConfig


@TOYS.register("none")
class Nothing(Component):
    """Nothing at all."""


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> Registry[Component]:
    module = ModuleType("toy_family")
    module.toys = TOYS
    monkeypatch.setitem(__import__("sys").modules, "toy_family", module)
    monkeypatch.setitem(FAMILIES, "toys", "toy_family:toys")
    monkeypatch.setattr(Registry, "_plugins_loaded", True)  # none is looked for
    return TOYS


@pytest.fixture
def base_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`base.yaml`, in the folder in which the test is."""
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text(BASE)
