import math
from dataclasses import replace
from itertools import product

import pytest

from r2rec_bench.core.types import NONE_RATING, RATINGS, Bundle, Chain, Edge, Evidence, Query
from r2rec_bench.prompts.steps import steps_of
from r2rec_bench.traces.base import teachers
from r2rec_bench.traces.template import Template, TemplateConfig

NAN = math.nan
TARGET = 7
WAYS = pytest.mark.parametrize(
    ("evidence", "wording", "interaction"), list(product(["single", "bundle"], ["compact", "verbose"], [True, False]))
)


def bundle(lift: float, mean: float, own: float = 4.0) -> Bundle:
    return Bundle(Edge(0, 0, own, 0, 0), 1, 9, 9, 9, lift, 9, lift, mean, 0, NAN)


def chain(own: float, shared: float, arrived: float, gap: int = 1) -> Chain:
    return Chain((Edge(0, 0, own, 0, 0), Edge(1, 0, shared, 0, 0), Edge(1, TARGET, arrived, 0, 1)), gap, 0.0)


@pytest.fixture
def said(asker, training):
    """(weight, forecast) of each thought about hand-made evidence."""

    def explain(*, chains=(), bundles=(), interaction=True, **settings):
        lesson = asker(interaction=interaction).lesson(training(1)[0])
        told = Evidence(Query(0, 0, 1), TARGET, tuple(chains), tuple(bundles))
        lesson = replace(lesson, question=replace(lesson.question, target=TARGET, evidence=told), steps=steps_of(told))
        (thoughts,) = Template(TemplateConfig(**settings)).explain([lesson], asker().wording)
        return [(thought.weight, thought.forecast) for thought in thoughts]

    return explain


def test_it_is_registered():
    assert teachers.get("template") is Template


def test_bundles_add_up_to_odds_and_forecast_the_mean_rating(said):
    # log2 odds: -1, then +0.5 * 1, +0.5 * 3, -0.5 * 2; ratings 2, then the means of (2, 5) and (2, 5, 4).
    bundles = [bundle(2.0, 2.0), bundle(8.0, 5.0), bundle(0.25, 4.0)]
    assert said(bundles=bundles) == [(1, 0), (2, 4), (-2, 4)]
    assert said(bundles=bundles, prior=0.1) == [(1, 2), (2, 4), (-2, 4)]
    assert said(bundles=bundles, trust=0.0) == [(1, 0), (2, 0), (-2, 0)]


def test_where_not_interacting_is_no_answer_only_the_rating_counts(said):
    assert said(bundles=[bundle(1e-6, 2.0), bundle(1.1, NAN)], interaction=False) == [(-2, 2), (0, 2)]


def test_a_bundle_without_ratings_forecasts_the_middle_where_others_are_rated(said):
    assert said(bundles=[bundle(1.0, NAN)], interaction=False) == [(0, 3)]


def test_where_nothing_is_rated_an_interaction_is_forecast_as_what_stands_for_it(said):
    assert said(bundles=[bundle(1.0, NAN, own=NAN), bundle(16.0, NAN, own=NAN)]) == [(0, 0), (2, 5)]
    assert said(chains=[chain(NAN, NAN, NAN)], interaction=False) == [(0, 5), (0, 5), (0, 5)]


def test_a_chain_forecasts_its_next_edge_and_weighs_agreement(said):
    assert said(chains=[chain(5, 5, 4)], interaction=False) == [(2, 5), (2, 5), (1, 4)]
    assert said(chains=[chain(5, 4, 1)], interaction=False) == [(2, 5), (0, 4), (-2, 1)]
    assert said(chains=[chain(2, 5, 3)], interaction=False) == [(-1, 2), (-2, 5), (0, 3)]


def test_a_missing_rating_in_a_chain_says_nothing(said):
    assert said(chains=[chain(5, NAN, NAN)], interaction=False) == [(2, 5), (0, 3), (0, 3)]


def test_a_longer_chain_weighs_its_onward_edge_by_the_rating(said):
    edges = chain(5, 5, 4).edges
    six = Chain((*edges[:2], Edge(1, 3, 2.0, 0, 1), Edge(2, 3, 2.0, 0, 1), edges[2]), 1, 0.0)
    assert said(chains=[six], interaction=False) == [(2, 5), (2, 5), (-1, 2), (-2, 2), (1, 4)]


def test_a_walk_that_ends_elsewhere_says_nothing_of_the_target(said):
    known, walk = chain(5, 5, 4), chain(5, 5, 1)
    away = Chain((*walk.edges[:2], Edge(1, 4, 1.0, 0, 1)), 1, 0.0)
    assert said(chains=[away]) == [(2, 5), (2, 5), (0, NONE_RATING)]
    assert said(chains=[known, away], interaction=False)[-1] == (0, 4)


def test_chains_move_the_odds_the_more_the_sooner_the_peer_went_on(said):
    # log2 odds: -0.2 + 0.5 / log2(3) = 0.12, but -0.2 + 0.5 / log2(1002) = -0.15
    assert said(chains=[chain(5, 5, 4, gap=1)], prior=-0.2)[-1] == (1, 4)
    assert said(chains=[chain(5, 5, 4, gap=1000)], prior=-0.2)[-1] == (1, NONE_RATING)


@WAYS
def test_there_is_one_thought_per_step_in_order_within_range(asker, training, evidence, wording, interaction):
    asking = asker(evidence=evidence, wording=wording, interaction=interaction)
    lessons = [asking.lesson(query) for query in training()]
    for lesson, thoughts in zip(lessons, Template().explain(lessons, asking.wording), strict=True):
        assert [thought.step for thought in thoughts] == [step.number for step in lesson.steps]
        assert all(-2 <= thought.weight <= 2 for thought in thoughts)
        assert {thought.forecast for thought in thoughts} <= ({0, *RATINGS} if interaction else set(RATINGS))
    assert any(lesson.steps for lesson in lessons)


@WAYS
def test_no_thought_depends_on_the_answer_or_on_what_comes_later(asker, training, evidence, wording, interaction):
    asking = asker(evidence=evidence, wording=wording, interaction=interaction)
    for query in training(20):
        lesson = asking.lesson(query)
        (whole,) = Template().explain([lesson], asking.wording)
        for answer in lesson.question.outcomes:
            assert Template().explain([replace(lesson, answer=answer)], asking.wording) == [whole]
        for known in range(len(lesson.steps)):
            later = [_changed(step) for step in lesson.steps[known:]]
            (thoughts,) = Template().explain([replace(lesson, steps=(*lesson.steps[:known], *later))], asking.wording)
            assert thoughts[:known] == whole[:known]


def _changed(step):
    told = step.bundle and replace(step.bundle, forward_lift=64.0, mean_rating=1.0)
    return replace(step, edge=replace(step.edge, rating=1.0, item=TARGET), bundle=told, next_rating=1)
