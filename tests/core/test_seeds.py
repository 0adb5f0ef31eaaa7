from hypothesis import given
from hypothesis import strategies as st

from r2rec_bench.core.seeds import derive, generator


def test_seeds_are_the_same_everywhere():
    assert derive(0, "candidates", 7) == 16339704060937607524
    assert generator(0, "candidates", 7).integers(1_000_000, size=3).tolist() == [134075, 822344, 724584]


@given(st.integers(0, 2**63), st.text(max_size=5), st.integers(0, 10**6), st.integers(0, 10**6))
def test_seeds_differ_by_seed_purpose_and_user(seed: int, purpose: str, user: int, other: int):
    assert 0 <= derive(seed, purpose, user) < 2**64
    assert derive(seed, purpose, user) != derive(seed + 1, purpose, user)
    assert derive(seed, purpose, user) != derive(seed, f"{purpose}x", user)
    assert (derive(seed, purpose, user) == derive(seed, purpose, other)) == (user == other)


def test_the_digits_of_purposes_do_not_run_together():
    assert len({derive(1, 1), derive(11), derive(1, 11), derive(11, 1), derive(1, 1, 1)}) == 5


def test_streams_of_users_are_uncorrelated():
    draws = [generator(0, "u", user).standard_normal(2000) for user in range(2)]
    assert abs(float((draws[0] * draws[1]).mean())) < 4 / 2000**0.5
