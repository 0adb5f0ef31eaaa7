"""Each group at tiny sizes: what is measured is the work itself, and the plain way beside it does the same work."""

import os

import numpy as np
import pytest

from r2rec_bench.bench import chains, data, evaluation, startup
from r2rec_bench.bench.base import Measurement
from r2rec_bench.bench.worlds import as_log, edges
from r2rec_bench.core.types import Query, Visibility
from r2rec_bench.data.sources.amazon import AmazonBooks
from r2rec_bench.graph import InteractionGraph
from r2rec_bench.graph.rows import Rows, rows_of


def named(found: list[Measurement]) -> list[str]:
    return [one.name for one in found]


def test_a_generated_shop_has_distinct_pairs_in_order_and_popular_items():
    made = edges(30_000, np.random.default_rng(0))
    n = len(made.user)
    assert 20_000 < n <= 31_000
    assert len(set(zip(made.user.tolist(), made.item.tolist(), strict=True))) == n
    assert (np.lexsort((made.time, made.user)) == np.arange(n)).all()
    people = np.sort(np.bincount(made.item, minlength=made.n_items))[::-1]
    assert people[: len(people) // 10].sum() > 0.3 * n
    again = edges(30_000, np.random.default_rng(0))
    assert (again.item == made.item).all()


def test_python_draws_the_same_chains_as_the_kernel():
    rng = np.random.default_rng(1)
    rows = rows_of(as_log(edges(20_000, rng), rng))
    asked = chains.questions(rows, 40, 5, rng)
    n = chains.draw(rows, asked)
    plainly = chains.plain_draw_many(Rows(*(column.tolist() for column in rows)), asked)
    assert n == sum(map(len, plainly)) > 40
    for drawn, expected in zip(asked.out.tolist(), plainly, strict=True):
        assert list(map(tuple, drawn[: len(expected)])) == expected
    first = asked.out.copy()
    asked.out[:] = 0
    assert chains.draw_on_cores(rows, asked) == n
    for k, expected in enumerate(plainly):
        assert (asked.out[k, : len(expected)] == first[k, : len(expected)]).all()


def test_python_draws_what_is_drawn_for_a_sampler_in_the_past_too():
    rng = np.random.default_rng(2)
    log = as_log(edges(20_000, rng), rng)
    rows, graph = rows_of(log), InteractionGraph(log, Visibility.PAST)
    drawn = 0
    for user in range(30):
        row = int(rows.user_start[user + 1]) - 1
        query = Query(user, int(log.time[row]), row - int(rows.user_start[user]))
        target = int(log.item[row])
        found = graph.visible(query).draw(target, 3, np.random.default_rng(user), forward=False)
        seed = int(np.random.default_rng(user).integers(1 << 63))
        view = chains.View(user, query.position, query.time)
        expected = chains.plain_draw(rows, view, target, 3, seed, forward=False)
        assert found == [rows.chain(np.array(walk)) for walk in expected]
        drawn += len(found)
    assert drawn > 10


def test_a_walk_ends_in_an_item_of_a_peer():
    rng = np.random.default_rng(3)
    rows = rows_of(as_log(edges(3_000, rng), rng))
    asked = chains.questions(rows, 4, 1, rng)
    assert 0 <= chains.walk(rows, asked.queries, 1, rng) < len(rows.item_start) - 1


def test_chains_are_measured_over_the_sizes_and_in_the_largest():
    found = list(chains.measure(0.001))
    assert named(found)[0].startswith("8 chains a question, 300 edges")
    assert sum("beside Python" in name for name in named(found)) == 2
    assert len(found) == 2 * len(chains.CURVE) + 2 + 4
    # At other sizes than those of the targets a walk is no measure.
    assert [one.name for one in found if one.target is not None and one.beside.startswith("walks")] == []
    (resident,) = (one for one in found if one.unit == "bytes/edge")
    assert 20 < resident.value < 24


def test_metrics_and_comparisons_are_measured_beside_the_plain_way():
    found = list(evaluation.measure(0.02))
    assert [one.target.limit for one in found if one.target] == [20, 5]
    assert all(one.plain for one in found)


def test_plain_metrics_are_those_of_the_registry():
    rng = np.random.default_rng(0)
    one = evaluation.answered(evaluation.lists_of(50, rng), rng)
    table = evaluation.per_user(one, evaluation.log_of(50), [kind() for _, kind in evaluation.metrics])
    for name, values in evaluation.plain_metrics(one).items():
        assert table.values(name) == pytest.approx(values)


def test_a_file_of_ratings_is_prepared_and_read_again(monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.setattr(os, "environ", dict(os.environ))
    prepared = []
    load = AmazonBooks.load

    def loaded(self):
        prepared.append(load(self))
        return prepared[-1]

    monkeypatch.setattr(AmazonBooks, "load", loaded)
    found = list(data.measure(0.0005))
    assert [one.unit for one in found] == ["s", "s", "GB", "s"]
    assert "15,000 lines of CSV" in found[0].name
    first, again = prepared
    assert first.log.rating.tolist() == again.log.rating.tolist()
    assert len(first.log) > 5_000
    assert np.bincount(first.log.item).min() >= 5
    assert first.drops["repeated (user, item) pairs, the first kept"] > 100


def test_commands_start_as_a_users_do_whose_second_start_compiles_nothing(monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    begun = []
    monkeypatch.setattr(startup.subprocess, "run", lambda command, **settings: begun.append(settings["env"]))
    startup.r2rec("list", R2REC_CACHE="here")
    assert "PYTHONDONTWRITEBYTECODE" not in begun[0]
    assert begun[0]["R2REC_CACHE"] == "here"
    assert begun[0]["PATH"] == os.environ["PATH"]
