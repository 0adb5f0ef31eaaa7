"""What a transfer study's file holds: domains, and one experiment that is run in each of them.

    extends: ../quickstart.yaml
    name: transfer-nano
    question: Does what was learnt about films help with books?
    domains:
      movies: {data: movielens-1m}
      books: {data: amazon-books}
      electronics: {data: amazon-electronics, note: the release of 2018}
    few_shot: {users: [50, 200], questions: 20, stage: {use: sft, lr: 1.0e-4}}
    multi_source: true
    seeds: 3
    change: {queries.n: 12000}

Domains differ in their data alone: evidence, prompt, answers allowed and training are the experiment's in all of them,
so that weights learnt in one can be asked in another. A domain has no stand-in: data that cannot be had are an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Self, cast

from pydantic import Field, StringConstraints, model_validator

from r2rec_bench.core.changes import Change
from r2rec_bench.core.config import Config, validate
from r2rec_bench.core.errors import ConfigError, Problem
from r2rec_bench.core.loading import as_stated, load, overridden
from r2rec_bench.core.tree import Node, child
from r2rec_bench.core.yamlfile import read_yaml
from r2rec_bench.experiment import Experiment, SourceSpec, StageSpec

_OWN = frozenset({"name", "question", "domains", "few_shot", "multi_source", "seeds"})
"""What of a study may be overridden; every other key is the experiment's."""
_Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$")]


class Domain(Config):
    """Where a domain's data come from."""

    data: SourceSpec
    note: str = ""
    """What a reader of its figures must know, e.g. which data stand in for which; said wherever they are shown."""


class FewShot(Config):
    """How a model is trained on, on a few users of the target."""

    users: Annotated[tuple[Annotated[int, Field(ge=1, le=1_000_000)], ...], Field(min_length=1)]
    """How many; each gives a row of its own. More users include fewer."""
    questions: Annotated[int, Field(ge=1, le=10_000)] = 20
    """Training questions per user, on average."""
    stage: StageSpec

    @model_validator(mode="after")
    def _ascend(self) -> Self:
        if list(self.users) != sorted(set(self.users)):
            raise ValueError(f"users: expected ascending numbers, each once; got {list(self.users)}")
        return self


class Transfer(Config):
    """A transfer study, as in its file."""

    extends: Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
    name: _Name
    """Also the folder of its report."""
    question: Annotated[str, Field(min_length=1)]
    domains: Annotated[dict[_Name, Domain], Field(min_length=2)]
    few_shot: FewShot | None = None
    multi_source: bool = True
    """Whether to train on all other domains together too, where there are two or more."""
    seeds: Annotated[int, Field(ge=1, le=1_000)] = 1
    """Under how many seeds all is run, from the experiment's own upwards; the lists stay the same."""
    change: Annotated[dict[str, Any], Field(default_factory=dict)]
    """Changes to the experiment, by path; the same in every domain."""

    @model_validator(mode="after")
    def _differ(self) -> Self:
        for (one, first), (other, second) in combinations(self.domains.items(), 2):
            if first.data == second.data:
                raise ValueError(f"domains: '{one}' and '{other}' are the same data; name each domain once")
        return self


@dataclass(frozen=True, slots=True)
class Planned:
    """A study read from its file.

    Attributes:
        transfer: its settings.
        experiments: by domain; they differ in their data alone.
    """

    transfer: Transfer
    experiments: Mapping[str, Experiment]

    @property
    def domains(self) -> tuple[str, ...]:
        """In the order of the file, which is that of rows and columns."""
        return tuple(self.experiments)

    @property
    def experiment(self) -> Experiment:
        """What all domains have in common; its data are the first one's."""
        return next(iter(self.experiments.values()))

    @property
    def under_seeds(self) -> Iterator[Planned]:
        """The study once for each of its seeds."""
        first = self.experiment.seed
        for seed in range(first, first + self.transfer.seeds):
            yield Planned(self.transfer, {name: e.under(seed) for name, e in self.experiments.items()})


def read_transfer(path: Path, overrides: Iterable[str] = ()) -> Planned:
    """The study in `path`, with `overrides` on top.

    Args:
        path: the YAML file.
        overrides: `few_shot.users=[10]` and the like for the study's own keys; any other is the experiment's.

    Raises:
        ConfigError: everything wrong in the first file that has something wrong, by file, line and key path.
        InputError: a file is not there.
    """
    own, others = _parted(overrides)
    draft = overridden(as_stated(read_yaml(path), Transfer), own, Transfer)
    transfer = draft.value
    changes = [Change(key, node) for key, node in _below(draft.tree, "change").items()]
    base = path.parent / transfer.extends
    experiments: dict[str, Experiment] = {}
    for name, node in _below(draft.tree, "domains").items():
        source = cast("Node", child(node, "data"))
        here = [Change("data", source), Change("otherwise", Node(None, source.origin))]
        experiment = load(base, Experiment, others, changes=[*changes, *here]).value
        experiments[name] = experiment.model_copy(update={"name": f"{transfer.name}-{name}"})
    planned = Planned(transfer, experiments)
    if problems := list(_problems(planned)):
        raise ConfigError(str(path), problems)
    return planned


def _parted(overrides: Iterable[str]) -> tuple[list[str], list[str]]:
    """Overrides of the study's own settings, and those of the experiment."""
    own: list[str] = []
    others: list[str] = []
    for override in overrides:
        key = override.partition("=")[0].partition(".")[0].strip()
        (own if key in _OWN else others).append(override)
    return own, others


def _below(root: Node, key: str) -> Mapping[str, Node]:
    node = child(root, key)
    return node.value if node and isinstance(node.value, dict) else {}


def _problems(planned: Planned) -> Iterable[Problem]:
    """What is known to go wrong before any work."""
    experiment = planned.experiment
    if not experiment.stages:
        yield Problem("stages", "expected at least one: a model that is not trained carries nothing over")
    if not any(spec.use == "hr" and 1 in spec.to_dict()["at"] for spec in experiment.metrics):
        yield Problem("metrics", "expected hr at 1, which is what a transfer study reports: {use: hr, at: [1]}")
    if planned.transfer.few_shot is not None:
        try:
            tuned(experiment, planned.transfer.few_shot)
        except ConfigError as error:
            yield from (Problem(f"few_shot: {one.where}", one.message, one.nearest) for one in error.problems)


def tuned(experiment: Experiment, few_shot: FewShot) -> Experiment:
    """The experiment with the stage of the few-shot rows behind its own.

    Raises:
        ConfigError: the stages do not go together.
    """
    stages = [spec.to_dict() for spec in (*experiment.stages, few_shot.stage)]
    return validate(Experiment, {**experiment.model_dump(mode="json"), "stages": stages}, "few_shot.stage")
