"""What a calibration's file holds: an experiment, and where its answers are known beforehand.

    extends: quickstart.yaml
    name: calibration
    question: Is nothing found where there is nothing, and what was planted?
    seeds: 3
    change: {stages.grpo: null, baselines: [], queries.n: 1500}
    simulated:
      repeats: 300
      worlds: [{users: 300, seeds: 3, seed_sd: 0.01}]
    again:
      rounds: 20
      data: {world: {use: synthetic, users: 500}, movielens-1m: movielens-1m}
      systems: {R2Rec: {runs: 12}, als: {runs: 48, baseline: {use: als, factors: 16}}}
    planted:
      data: {use: synthetic, users: 500, taste: 0, skew: 0}
      peer_effect: [0, 10, 100]
      ablations: [../ablations/no-chains.yaml]

`simulated`: hits without a recommender. `again`: one system against itself under other seeds (A/A). `planted`: worlds
that differ by `peer_effect` alone, which only chains can tell, with each ablation against the experiment itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator

from r2rec_bench.core.changes import Change
from r2rec_bench.core.config import Config, validate
from r2rec_bench.core.errors import ConfigError, Problem
from r2rec_bench.core.loading import as_stated, load, load_all
from r2rec_bench.core.tree import Node, child
from r2rec_bench.core.yamlfile import read_yaml
from r2rec_bench.experiment import BaselineSpec, Experiment, SourceSpec
from r2rec_bench.statistics.simulation import World

_Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
_Seeds = Annotated[int, Field(ge=1, le=100)]
_EFFECT = "peer_effect"


class SimulatedWorld(Config):
    """Systems of equal worth, as in `statistics.simulation.World`, with its defaults."""

    users: Annotated[int, Field(ge=2)]
    seeds: _Seeds
    rate: Annotated[float, Field(gt=0, lt=1)] = 0.5
    seed_sd: Annotated[float, Field(ge=0, lt=0.5)] = 0.0
    alike: Annotated[float, Field(gt=0, lt=1)] = 0.7
    shared: Annotated[float, Field(ge=0, le=1)] = 0.5

    @property
    def world(self) -> World:
        """What the simulation takes."""
        return World(**self.model_dump())


class Simulated(Config):
    """The statistics on hits that were drawn, without any recommender."""

    repeats: Annotated[int, Field(ge=2)]
    worlds: Annotated[tuple[SimulatedWorld, ...], Field(min_length=1)]


class System(Config):
    """A system that is compared with itself."""

    runs: Annotated[int, Field(ge=2, le=1_000)]
    """Seeds, from the experiment's own upwards."""
    baseline: BaselineSpec | None = None
    """Null: the experiment's own model after its last stage."""


class Again(Config):
    """Each system on each data set against itself."""

    rounds: Annotated[int, Field(ge=1)]
    """How often the runs are dealt anew into groups that share none."""
    data: Annotated[dict[_Text, SourceSpec], Field(min_length=1)]
    systems: Annotated[dict[_Text, System], Field(min_length=1)]


class Planted(Config):
    """Generated worlds that differ by their peer effect alone."""

    data: SourceSpec
    peer_effect: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(min_length=2)]
    """Ascending from 0, where there is nothing to be found."""
    ablations: Annotated[tuple[_Text, ...], Field(min_length=1)]
    """Files, as seen from this one's folder."""

    @model_validator(mode="after")
    def _agree(self) -> Self:
        values = self.peer_effect
        if list(values) != sorted(set(values)) or values[0] != 0:
            raise ValueError(f"peer_effect: expected ascending numbers from 0, each once; got {list(values)}")
        if self.data.use != "synthetic":
            raise ValueError(f"data: expected 'synthetic', the only source to plant in; got '{self.data.use}'")
        if _EFFECT in self.data.settings.model_fields_set:
            raise ValueError("data.peer_effect is what varies; state it once, as planted.peer_effect")
        return self


class Calibration(Config):
    """A calibration, as in its file."""

    extends: _Text
    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
    """Also the folder of its report."""
    question: _Text
    seeds: _Seeds = 3
    """Behind each system of a comparison."""
    change: Annotated[dict[str, Any], Field(default_factory=dict)]
    """Changes to the experiment, by path; the same everywhere."""
    simulated: Simulated
    again: Again
    planted: Planted


@dataclass(frozen=True, slots=True)
class Cell:
    """A system on a data set, under several seeds.

    Attributes:
        data: what the calibration calls the data set.
        system: what it calls the system.
        experiment: whose last row it is.
        runs: how many seeds, from the experiment's own upwards.
    """

    data: str
    system: str
    experiment: Experiment
    runs: int

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.system} on {self.data}"

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """By seed; all are asked the same lists."""
        first = self.experiment.seed
        return tuple(self.experiment.under(seed) for seed in range(first, first + self.runs))


@dataclass(frozen=True, slots=True)
class PlantedWorld:
    """A world with an effect of known size.

    Attributes:
        effect: its `peer_effect`.
        full: the experiment itself.
        ablations: what it is compared with.
    """

    effect: float
    full: Cell
    ablations: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Planned:
    """A calibration read from its file.

    Attributes:
        file: it.
        calibration: its settings.
        again: what is compared with itself.
        worlds: in which something was planted, in ascending order of the effect.
    """

    file: Path
    calibration: Calibration
    again: tuple[Cell, ...]
    worlds: tuple[PlantedWorld, ...]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All there is to run."""
        return (*self.again, *(cell for world in self.worlds for cell in (world.full, *world.ablations)))


def read_calibration(path: Path, seeds: int | None = None) -> Planned:
    """The calibration in `path`.

    Args:
        path: the YAML file.
        seeds: behind each system of a comparison, in the place of the file's.

    Raises:
        ConfigError: everything wrong in the first file that has something wrong, by file, line and key path.
        InputError: a file is not there.
    """
    draft = as_stated(read_yaml(path), Calibration)
    calibration = draft.value.model_copy(update={"seeds": seeds}) if seeds else draft.value
    if problems := list(_too_few(calibration)):
        raise ConfigError(str(path), problems)
    reader = _Reader(path, calibration, draft.tree)
    planned = Planned(path, calibration, tuple(reader.again()), tuple(reader.worlds()))
    if problems := list(_problems(planned)):
        raise ConfigError(str(path), problems)
    return planned


@dataclass(frozen=True, slots=True)
class _Reader:
    path: Path
    calibration: Calibration
    tree: Node

    def again(self) -> Iterator[Cell]:
        for data in self.calibration.again.data:
            model = self._loaded(_below(self.tree, "again", "data", data))[0][1]
            for name, system in self.calibration.again.systems.items():
                experiment = model
                if system.baseline is not None:
                    alone = {"stages": [], "untrained": False, "baselines": [system.baseline.to_dict()]}
                    source = f"{self.path}: again.systems.{name}"
                    experiment = validate(Experiment, {**model.model_dump(mode="json"), **alone}, source)
                yield Cell(data, name, experiment, system.runs)

    def worlds(self) -> Iterator[PlantedWorld]:
        planted, seeds = self.calibration.planted, self.calibration.seeds
        node = _below(self.tree, "planted", "data")
        for effect in planted.peer_effect:
            data = Node({**_entries(node), _EFFECT: Node(effect, node.origin)}, node.origin)
            name = f"peer effect {effect:g}"
            ablations = [found for file in planted.ablations for found in self._loaded(data, file)]
            yield PlantedWorld(
                effect,
                Cell(name, "full", self._loaded(data)[0][1], seeds),
                tuple(Cell(name, called, experiment, seeds) for called, experiment in ablations),
            )

    def _loaded(self, data: Node, ablation: str = "") -> list[tuple[str, Experiment]]:
        """The experiment, or those that an ablation makes of it, on other data; each with the ablation's name."""
        base = self.path.parent / self.calibration.extends
        # Data have no stand-in here: what is known of them beforehand is known of no others.
        changes = [Change(key, node) for key, node in _entries(_below(self.tree, "change")).items()]
        changes += [Change("data", data), Change("otherwise", Node(None, data.origin))]
        if not ablation:
            return [("", load(base, Experiment, changes=changes).value)]
        file = self.path.parent / ablation
        return [(one.name, one.value) for one in load_all(file, Experiment, instead=base, changes=changes)]


def _below(root: Node, *keys: str) -> Node:
    for key in keys:
        root = child(root, key) or Node(None, root.origin)
    return root


def _entries(node: Node) -> dict[str, Node]:
    return node.value if isinstance(node.value, dict) else {}


def _too_few(calibration: Calibration) -> Iterator[Problem]:
    for name, system in calibration.again.systems.items():
        needed = 2 * calibration.seeds
        if system.runs < needed:
            yield Problem(
                f"again.systems.{name}.runs",
                f"{system.runs} make no two groups of {calibration.seeds} seeds; expected at least {needed}",
            )


def _problems(planned: Planned) -> Iterator[Problem]:
    """What is known to go wrong before any work."""
    full = planned.worlds[0].full.experiment
    if not full.stages:
        yield Problem("stages", "expected at least one: a model that is not trained learns nothing of what was planted")
    if not any(spec.use == "hr" and 1 in spec.to_dict()["at"] for spec in full.metrics):
        yield Problem("metrics", "expected hr at 1, which is what is compared: {use: hr, at: [1]}")
