"""The leakage gate: an honest run passes, and a planted leak of each kind is caught with its example."""

from dataclasses import replace

import numpy as np
import pytest

from r2rec_bench.audit import Auditor
from r2rec_bench.chains.base import chain_samplers
from r2rec_bench.chains.closed_uniform import ClosedUniform, ClosedUniformConfig
from r2rec_bench.core.errors import LeakageError
from r2rec_bench.core.types import NONE_RATING, RATINGS, Edge, Evidence, Visibility
from r2rec_bench.data import candidates as candidate_lists
from r2rec_bench.data.base import Fold, negative_samplers, splits
from r2rec_bench.data.sources.synthetic import Synthetic, SyntheticConfig
from r2rec_bench.graph import InteractionGraph
from r2rec_bench.prompts.base import StrategyConfig, prompt_strategies
from r2rec_bench.prompts.wordings import wording_named
from r2rec_bench.traces.collect import Asker, collect
from r2rec_bench.traces.queries import QueriesConfig, draw_queries
from r2rec_bench.traces.template import Template

FOLD = Fold.TEST


class Run:
    """What a run asks and learns from, with any part replaced."""

    def __init__(
        self, split="leave_last_out", visibility=Visibility.FOLD, evidence="bundle", sampler=None, see_all=False
    ):
        self.dataset = Synthetic(SyntheticConfig(users=150, items=60, interactions=12)).load()
        self.split, self.visibility, self.see_all = splits.get(split)(), visibility, see_all
        self.sampler = sampler or ClosedUniform(ClosedUniformConfig(n=4, evidence=evidence))
        self.folds = self.split.split(self.dataset.log)
        uniform = negative_samplers.get("uniform")()
        self.lists = candidate_lists.draw(self.folds, FOLD, uniform, n_negatives=9, n_users=None, seed=0)

    def ask(self, log):
        seen = log if self.see_all else self.split.split(log).visible_log(FOLD)
        return Asker(
            InteractionGraph(seen, self.visibility),
            self.dataset.catalog,
            self.sampler,
            prompt_strategies.get("progressive_mask")(StrategyConfig(budget=4096)),
            wording_named("compact"),
            lambda text: len(text.split()),
            (NONE_RATING, *RATINGS),
            seed=0,
        )

    @property
    def asked(self):
        asker = self.ask(self.dataset.log)
        return [
            asker.prompts(query, items.tolist())
            for query, items in zip(self.lists.queries, self.lists.items, strict=True)
        ]

    @property
    def traces(self):
        queries = draw_queries(self.folds.visible_log(FOLD), QueriesConfig(n=80, touched=0.5), 0)
        return collect(self.ask(self.dataset.log), Template(), queries, lambda done, n: None).traces

    @property
    def auditor(self):
        return Auditor(self.folds, FOLD, self.visibility, self.ask, seed=0)


@pytest.fixture(scope="module")
def run():
    return Run()


@pytest.mark.parametrize("evidence", ["bundle", "single"])
@pytest.mark.parametrize(("split", "visibility"), [("leave_last_out", Visibility.FOLD), ("temporal", Visibility.PAST)])
def test_an_honest_run_passes(split, visibility, evidence):
    run = Run(split, visibility, evidence)
    found = run.auditor.asked(run.lists, run.asked)
    assert (found.lists, found.rewritten) == (len(run.lists), 80)
    assert found.edges > 300
    assert run.auditor.learnt(run.traces) == 8


@pytest.mark.parametrize("name", ["shuffled", "random_walk", "recent", "none"])
def test_the_other_samplers_pass(name):
    run = Run(sampler=chain_samplers.get(name)())
    assert run.auditor.asked(run.lists, run.asked).rewritten == 80
    assert run.auditor.learnt(run.traces) == 8


def test_nothing_asked_and_nothing_learnt_is_no_leak(run):
    assert run.auditor.asked(run.lists, []).edges == 0
    assert run.auditor.learnt([]) == 0


class Peeking(ClosedUniform):
    """Adds the closing edge, which it finds in `truth`, to the evidence."""

    truth: dict[tuple[int, int], Edge]

    def sample(self, visible, target, rng):
        evidence = super().sample(visible, target, rng)
        edge = self.truth.get((visible.query.user, target))
        if edge is None or not evidence.chains:
            return evidence
        first, *others = evidence.chains
        return Evidence(evidence.query, target, chains=(replace(first, edges=(*first.edges, edge)), *others))


@pytest.fixture
def peeking(run):
    log = run.dataset.log
    rows = zip(log.user.tolist(), log.item.tolist(), log.rating.tolist(), log.time.tolist(), strict=True)
    start = log.offsets()
    sampler = Peeking(ClosedUniformConfig(n=4, evidence="single"))
    sampler.truth = {(u, i): Edge(u, i, r, t, n - int(start[u])) for n, (u, i, r, t) in enumerate(rows)}
    return Run(sampler=sampler)


def test_a_closing_edge_in_the_evidence_is_caught(peeking):
    with pytest.raises(
        LeakageError, match=r"user \S+: the evidence about item (\S+) tells their own .* item \1, which"
    ):
        peeking.auditor.check_evidence([one.question.evidence for row in peeking.asked for one in row])


def test_a_graph_that_sees_the_held_out_fold_is_caught():
    run = Run(see_all=True)
    with pytest.raises(LeakageError, match=r"changed when every held-out interaction was replaced: '.*' became"):
        run.auditor.check_rewritten(run.asked[:40])


def test_a_label_in_the_counts_of_a_training_prompt_is_caught(run):
    class Counting(ClosedUniform):
        """Counts how often the target occurs anywhere, the asking user included."""

        def sample(self, visible, target, rng):
            evidence = super().sample(visible, target, rng)
            everybody = int((visible._rows.item == target).sum())
            return replace(evidence, bundles=tuple(replace(b, forward_lift=float(everybody)) for b in evidence.bundles))

    cheat = Run(sampler=Counting(ClosedUniformConfig(n=4, evidence="bundle")))
    traces = [trace for trace in cheat.traces if trace.answer != NONE_RATING]
    with pytest.raises(LeakageError, match="changed when its label and what comes after it were taken out"):
        cheat.auditor.check_redacted(traces)


def test_a_held_out_label_that_was_learnt_is_caught(run):
    trace = next(trace for trace in run.traces if trace.answer != NONE_RATING)
    query, items, positive = run.lists.queries[0], run.lists.items[0], run.lists.positive[0]
    stolen = replace(trace, query=query, target=int(items[positive]))
    with pytest.raises(LeakageError, match="which is not visible: a held-out label"):
        run.auditor.check_answers([stolen])


def test_an_untrue_answer_is_caught(run):
    true = next(trace for trace in run.traces if trace.answer in RATINGS)
    wrong = replace(true, answer=1 + true.answer % 5)
    with pytest.raises(
        LeakageError, match=rf"learnt {wrong.answer} as their rating of item .*, which is {true.answer}"
    ):
        run.auditor.check_answers([wrong])
    with pytest.raises(LeakageError, match=r"learnt that they do not touch item .*, which they visibly do"):
        run.auditor.check_answers([replace(true, answer=NONE_RATING)])


def lists_with(run, **changes):
    return replace(run.lists, **changes)


def test_positives_that_stand_where_they_can_be_found_are_caught(run):
    items = run.lists.items.copy()
    rows = np.arange(len(items))
    items[rows, 0], items[rows, run.lists.positive] = items[rows, run.lists.positive], items[rows, 0]
    ordered = lists_with(run, items=items, positive=np.zeros(len(items), np.int32))
    with pytest.raises(LeakageError, match=f"{len(items)} of {len(items)} positives stand in column 1 of 10"):
        run.auditor.check_lists(ordered)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda items, positive, own: items.__setitem__((0, (positive[0] + 1) % 10), own[0]),
            "is one that they do touch",
        ),
        (lambda items, positive, own: items.__setitem__((0, positive[0]), own[0]), "as what they took next; it is not"),
        (
            lambda items, positive, own: items.__setitem__(
                (0, (positive[0] + 1) % 10), items[0, (positive[0] + 2) % 10]
            ),
            "stands twice",
        ),
    ],
)
def test_unfair_lists_are_caught(run, spoil, message):
    log, user = run.dataset.log, run.lists.queries[0].user
    items = run.lists.items.copy()
    spoil(items, run.lists.positive, log.item[log.user == user])
    with pytest.raises(LeakageError, match=message):
        run.auditor.check_lists(lists_with(run, items=items))


def test_a_query_that_sees_too_much_or_too_little_is_caught(run):
    first, *others = run.lists.queries
    later = replace(first, position=first.position + 1)
    with pytest.raises(
        LeakageError, match=rf"the query sees {later.position} of their own .* {first.position} are visible"
    ):
        run.auditor.check_lists(lists_with(run, queries=(later, *others)))


@pytest.mark.parametrize("moved", [-1, 1])
def test_a_query_at_another_moment_than_its_answers_is_caught(run, moved):
    """Under visibility `past` its moment decides what it sees of others."""
    first, *others = run.lists.queries
    shifted = replace(first, time=first.time + moved)
    with pytest.raises(LeakageError, match=rf"the query is put at {shifted.time}; they took .* at {first.time}"):
        run.auditor.check_lists(lists_with(run, queries=(shifted, *others)))
