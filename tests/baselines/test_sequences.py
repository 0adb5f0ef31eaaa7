import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from r2rec_baselines.sequences import Histories, padded


def test_each_interaction_comes_after_the_one_before_it(toy_log):
    histories = Histories.of(toy_log([[2, 0, 2], [], [1], [3, 3]], n_items=4))
    assert histories.before.tolist() == [4, 2, 0, 4, 4, 3]
    assert histories.item.tolist() == [2, 0, 2, 1, 3, 3]
    assert [histories.known(user) for user in range(4)] == [3, 0, 1, 2]


def test_a_log_without_interactions_has_no_windows(toy_log):
    histories = Histories.of(toy_log([[], []], n_items=3))
    assert histories.before.tolist() == []
    assert histories.windows(4, np.random.default_rng(0)).tolist() == []


def test_the_context_is_the_end_of_the_history_in_order(toy_log):
    histories = Histories.of(toy_log([[5], [2, 0, 2, 1], []], n_items=6))
    assert histories.context(1, 3).tolist() == [0, 2, 1]
    assert histories.context(1, 5).tolist() == [6, 2, 0, 2, 1]
    assert histories.context(1, 9).tolist() == [6, 2, 0, 2, 1]
    assert histories.context(2, 9).tolist() == [6]


def test_shorter_sequences_are_filled_at_the_end():
    table = padded([np.array([1, 2, 3]), np.array([4])], fill=9)
    assert table.tolist() == [[1, 2, 3], [4, 9, 9]]


@given(st.lists(st.integers(0, 23), min_size=1, max_size=8), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_windows_hold_every_interaction_exactly_once(lengths, window, seed):
    offsets = np.cumsum([0, *lengths])
    nothing = np.zeros(offsets[-1], dtype=np.int64)
    windows = Histories(nothing, nothing, offsets, 0).windows(window, np.random.default_rng(seed))
    covered = [row for first, last in windows for row in range(first, last)]
    assert sorted(covered) == list(range(offsets[-1]))
    for first, last in windows:
        assert 0 < last - first <= window
        owner = np.searchsorted(offsets, first, side="right") - 1
        assert last <= offsets[owner + 1]
        if lengths[owner] <= window:
            assert (first, last) == (offsets[owner], offsets[owner + 1])


def test_a_long_history_is_cut_elsewhere_each_time(toy_log):
    histories, rng = Histories.of(toy_log([[0] * 10], n_items=1)), np.random.default_rng(0)
    cuts = {tuple(sorted(map(tuple, histories.windows(4, rng).tolist()))) for _ in range(60)}
    assert cuts == {
        ((0, 1), (1, 5), (5, 9), (9, 10)),
        ((0, 2), (2, 6), (6, 10)),
        ((0, 3), (3, 7), (7, 10)),
        ((0, 4), (4, 8), (8, 10)),
    }


def test_the_order_of_windows_is_drawn(toy_log):
    histories, rng = Histories.of(toy_log([[0]] * 20, n_items=1)), np.random.default_rng(0)
    first, second = histories.windows(4, rng), histories.windows(4, rng)
    assert first.tolist() != second.tolist()
    assert sorted(first.tolist()) == sorted(second.tolist())
