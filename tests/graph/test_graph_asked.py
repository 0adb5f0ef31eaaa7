"""What a graph is asked, and refuses to be asked, on one that is small enough to see."""

import pytest

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.types import Query, Visibility
from r2rec_bench.graph import InteractionGraph, VisibleGraph
from tests.graph.edges import World, walk


def toy(position: int = 2, visibility: Visibility = Visibility.FOLD) -> VisibleGraph:
    users = [[(0, 5, 10), (1, 4, 20), (2, 3, 30)], [(0, 4, 1), (2, 5, 2)], []]
    return World(users, Query(0, 25, position), 2, visibility).visible


def test_an_own_edge_to_the_target_in_the_history_is_never_walked():
    visible = toy(position=3)
    assert [walk(chain) for chain in map(visible.closures(2, forward=True).chain, range(1))] == [(0, 1)]
    assert visible.closures(2, forward=True).own_items == 2
    with pytest.raises(InputError, match="item index 2 is the target, and cannot be its own anchor"):
        visible.bundles([2], 2, forward=True, window=1)


def test_what_lies_outside_the_graph_cannot_be_asked_for():
    graph = InteractionGraph(World([[(0, 5, 10)]], Query(0, 0, 0), 0, Visibility.FOLD).log, Visibility.FOLD)
    with pytest.raises(InputError, match="unknown user index 1; the graph has 1 users"):
        graph.visible(Query(1, 0, 0))
    with pytest.raises(InputError, match="position 2 of user index 0; expected 0 to 1"):
        graph.visible(Query(0, 0, 2))
    for ask in (toy().audience, lambda item: toy().closures(item, forward=True)):
        with pytest.raises(InputError, match="unknown item index 6; the graph has 6 items"):
            ask(6)
    with pytest.raises(InputError, match="unknown item index -1"):
        toy().bundles([0], -1, forward=True, window=1)


def test_an_own_edge_that_the_query_does_not_see_cannot_be_an_anchor():
    for position in (2, -1):
        with pytest.raises(InputError, match=f"own position {position}; the query sees 2 own interactions"):
            toy().bundles([0, position], 5, forward=True, window=1)


def test_items_of_tells_the_whole_fold():
    log = World([[(3, 5, 10), (1, 4, 20)]], Query(0, 0, 0), 0, Visibility.FOLD).log
    assert InteractionGraph(log, Visibility.PAST).items_of(0).tolist() == [3, 1]


def test_columns_read_only_from_a_file_are_accepted():
    log = World([[(0, 5, 10)], [(0, 4, 5)]], Query(0, 0, 0), 0, Visibility.FOLD).log
    for name in ("user", "item", "rating", "time"):
        getattr(log, name).flags.writeable = False
    assert InteractionGraph(log, Visibility.FOLD).visible(Query(0, 10, 0)).audience(0).people == 1
