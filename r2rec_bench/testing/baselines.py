"""What every baseline promises: those that are fitted, and recipes that prompt the experiment's backbone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from r2rec_bench.core.config import validate
from r2rec_bench.core.errors import ConfigError, InputError
from r2rec_bench.core.types import Candidates, FloatArray, InteractionLog
from r2rec_bench.evaluation.base import Baseline, Contender, Recipe
from r2rec_bench.experiment import RECIPE_KEYS, Experiment
from r2rec_bench.testing.comparing import require_array, require_same, require_unchanged, told
from r2rec_bench.testing.contract import Contract, require
from r2rec_bench.testing.every import contract
from r2rec_bench.testing.worlds import World, candidates, worlds

CONTRACT: Contract[Contender] = contract("baselines", Contender)
_SEED = 5
_EXPERIMENT: dict[str, Any] = {
    "name": "check",
    "question": "Does the recipe give a sound experiment?",
    "data": "synthetic",
    "split": "leave_last_out",
    "visibility": "fold",
    "candidates": {"negatives": "uniform"},
    "chains": "closed_uniform",
    "prompts": "progressive_mask",
    "teacher": "template",
    "queries": {"n": 100},
    "stages": ["sft", "grpo"],
    "ranker": "rating_interaction",
    "metrics": ["hr"],
    "baselines": [],
}


@CONTRACT.rule
def it_is_fitted_or_a_recipe(contender: Contender) -> None:
    """A baseline is a `Baseline`, which is fitted, or a `Recipe`, which changes the experiment."""
    require(isinstance(contender, Baseline | Recipe), type(contender).__mro__[1].__name__, "a Baseline or a Recipe")


@CONTRACT.rule
def scores_are_finite(contender: Contender) -> None:
    """Scores are float64 (q, c) and finite, for users and items without interactions too, and without ratings.

    A model that learns from ratings may refuse data that have none with an InputError.
    """
    if not isinstance(contender, Baseline):
        return
    for world in _worlds_of(contender):
        scores = _scores(contender, world.log, candidates())
        wrong = np.argwhere(~np.isfinite(scores))
        said = f"{scores[tuple(wrong[0])]} for user index {wrong[0][0]} ({world.name})" if len(wrong) else ""
        require(not len(wrong), said, "finite scores for everybody and everything")


@CONTRACT.rule
def ratings_are_ratings(contender: Contender) -> None:
    """Predicted ratings are float64 (q, c), 1 to 5, NaN where none is predicted."""
    if not isinstance(contender, Baseline):
        return
    for world in _worlds_of(contender):
        model, lists = _fitted(contender, world.log), candidates()
        ratings = require_array(model.ratings(lists), np.float64, lists.items.shape, f"ratings, {world.name}")
        known = ratings[~np.isnan(ratings)]
        require(
            ((known >= 1) & (known <= 5)).all(),
            f"ratings from {known.min(initial=5)} to {known.max(initial=1)}",
            "1 to 5",
        )


@CONTRACT.rule
def the_same_seed_gives_the_same_scores(contender: Contender) -> None:
    """Fitting again with the same seed gives the same scores, also where something else had been fitted before."""
    if not isinstance(contender, Baseline):
        return
    rated = worlds()[0]
    first = _scores(contender, rated.log, candidates())
    require_same(_scores(contender, rated.log, candidates()), first, "the same log and seed", "the same scores")
    used = _fitted(contender, rated.log.select(rated.log.user != 0))
    used.fit(rated.log, _SEED)
    require_same(used.score(candidates()), first, "fitted on something else before", "the same scores")


@CONTRACT.rule
def the_label_does_not_matter(contender: Contender) -> None:
    """Which candidate is the positive, and its rating, change no score."""
    if not isinstance(contender, Baseline):
        return
    model = _fitted(contender, worlds()[0].log)
    first, second = (model.score(candidates(positives=known)) for known in (True, False))
    require_same(second, first, "another positive, another rating of it", "the same scores")


@CONTRACT.rule
def a_score_is_of_its_pair_alone(contender: Contender) -> None:
    """A score does not depend on the candidates beside it, nor on who else is asked."""
    if not isinstance(contender, Baseline):
        return
    model, lists = _fitted(contender, worlds()[0].log), candidates()
    together = model.score(lists)
    backwards = model.score(_rows(lists, list(range(len(lists)))[::-1]))[::-1]
    _require_close(backwards, together, "other users before them")
    for column in range(lists.items.shape[1]):
        alone = model.score(replace(lists, items=lists.items[:, [column]], positive=np.zeros_like(lists.positive)))
        _require_close(alone[:, 0], together[:, column], "one candidate at a time")


@CONTRACT.rule
def what_is_handed_in_is_left_as_it_was(contender: Contender) -> None:
    """Neither the log nor the candidates are changed."""
    if not isinstance(contender, Baseline):
        return
    log, lists = worlds()[0].log, candidates()
    before = told((log, lists))
    _fitted(contender, log).score(lists)
    now = told((log, lists))
    worlds.cache_clear()  # a spoilt world is for nobody else
    require(now == before, "a log or candidates that were changed", "both as they were handed in")


@CONTRACT.rule
def a_recipe_gives_a_sound_experiment(contender: Contender) -> None:
    """A recipe changes what it may, to parts that go together, each time in the same way, and not what it reads.

    One that does not go with the backbone of some experiment may be refused there, but not with every backbone.
    """
    if not isinstance(contender, Recipe):
        return
    refused: list[str] = []
    backbones: tuple[object, ...] = ("nano", {"use": "hf", "path": "a/model"})
    for backbone in backbones:
        experiment = validate(Experiment, {**_EXPERIMENT, "backbone": backbone}, "check")
        written: Mapping[str, Any] = experiment.model_dump(mode="json")
        before = told(written)
        change = contender.change(written)
        require(set(change) <= set(RECIPE_KEYS), f"{sorted(change)}", f"keys of {', '.join(RECIPE_KEYS)}")
        require_unchanged(before, written, "the experiment")
        require_same(type(contender)(contender.config).change(written), change, "asked again", "the same change")
        try:
            experiment.with_recipe("check", contender)
        except ConfigError as error:
            refused.append(str(error))
    require(len(refused) < len(backbones), "; ".join(refused), "an experiment that is accepted")


def _worlds_of(baseline: Baseline) -> Iterator[World]:
    """The worlds that the model takes: one that learns from ratings may refuse those without."""
    for world in worlds():
        try:
            if not world.log.has_ratings:
                _fitted(baseline, world.log)
        except InputError:
            continue
        yield world


def _fitted(baseline: Baseline, log: InteractionLog) -> Baseline:
    """Another one of the same settings, fitted."""
    model = type(baseline)(baseline.config)
    model.fit(log, _SEED)
    return model


def _scores(baseline: Baseline, log: InteractionLog, lists: Candidates) -> FloatArray:
    return require_array(_fitted(baseline, log).score(lists), np.float64, lists.items.shape, "scores")


def _rows(lists: Candidates, rows: list[int]) -> Candidates:
    queries = tuple(lists.queries[row] for row in rows)
    return replace(
        lists, queries=queries, items=lists.items[rows], positive=lists.positive[rows], rating=lists.rating[rows]
    )


def _require_close(one: FloatArray, other: FloatArray, when: str) -> None:
    same = np.allclose(one, other, rtol=1e-5, atol=1e-7)
    require(same, f"{when}: off by up to {np.abs(one - other).max():g}", "the same scores, but for rounding")
