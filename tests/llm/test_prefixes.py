"""What prompts share: nothing lost, the same whatever their order, and only where it spares enough."""

from itertools import takewhile

from hypothesis import given
from hypothesis import strategies as st

from r2rec_bench.llm.prefixes import Group, alike, alone, batches, grouped

PROMPTS = st.lists(
    st.builds(
        lambda begin, rest: [1] * begin + rest, st.integers(0, 12), st.lists(st.integers(1, 3), min_size=1, max_size=6)
    ),
    max_size=12,
)


def test_prompts_of_two_users_are_two_groups():
    first, second = [1] * 10, [1, 1, *[2] * 8]
    prompts = [[*first, 5], [*second, 5], [*first, 6, 7], [*second, 6], [*first, 5, 8]]
    assert grouped(prompts) == [Group((0, 4, 2), 10), Group((1, 3), 10)]


def test_a_beginning_of_a_few_tokens_is_not_worth_a_pass_of_its_own():
    prompts = [[1, 2, *[10 + k] * 20] for k in range(5)]
    assert grouped(prompts) == alone(5)
    assert grouped([[1, 2, 3]]) == [Group((0,), 0)]
    assert grouped([]) == []


def test_the_same_prompt_many_times_is_read_once_up_to_its_last_token():
    assert grouped([[4, 5, 6]] * 4) == [Group((0, 1, 2, 3), 2)]


@given(PROMPTS)
def test_each_prompt_is_in_one_group_and_begins_as_the_others_in_it(prompts):
    groups = grouped(prompts)
    assert sorted(row for group in groups for row in group.rows) == list(range(len(prompts)))
    for group in groups:
        begun = {tuple(prompts[row][: group.shared]) for row in group.rows}
        assert len(begun) == 1
        assert all(len(prompts[row]) > group.shared for row in group.rows)


@given(PROMPTS, st.randoms())
def test_the_order_of_prompts_does_not_matter(prompts, random):
    order = random.sample(range(len(prompts)), len(prompts))

    def texts(some: list[list[int]]) -> list[tuple[int, list[list[int]]]]:
        return sorted((group.shared, sorted(some[row] for row in group.rows)) for group in grouped(some))

    assert texts([prompts[row] for row in order]) == texts(prompts)


@given(PROMPTS, st.integers(0, 5), st.integers(1, 60))
def test_batches_hold_every_row_once_and_no_more_tokens_than_allowed(prompts, extra, most):
    made = list(batches(prompts, grouped(prompts), extra, most))
    assert sorted(row for batch in made for row in batch) == list(range(len(prompts)))
    for batch in made:
        assert len(batch) == 1 or len(batch) * (max(len(prompts[row]) for row in batch) + extra) <= most


def test_rows_that_share_nothing_come_by_length():
    prompts = [[1] * 5, [2] * 2, [3] * 4, [4] * 2]
    assert list(batches(prompts, alone(4), 0, 8)) == [[1, 3], [2], [0]]


@given(st.lists(st.integers(0, 2)), st.lists(st.integers(0, 2)))
def test_alike_is_the_length_of_the_common_beginning(first, second):
    pairs = zip(first, second, strict=False)
    assert alike(first, second) == len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))
