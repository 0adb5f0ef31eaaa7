"""Holm's correction by hand, by property, and against statsmodels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from r2rec_bench.core.errors import InputError
from r2rec_bench.statistics.holm import holm

families = st.lists(st.floats(0, 1), min_size=1, max_size=12).map(np.array)


def test_holm_by_hand():
    # Sorted: .005 × 4, .01 × 3, .03 × 2, .04 × 1; the last is raised to the one before it.
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_an_adjusted_p_value_is_at_most_1():
    assert holm(np.array([0.6, 0.9])).tolist() == [1, 1]


def test_a_family_may_be_empty():
    assert holm(np.array([])).tolist() == []


@given(families)
def test_between_no_correction_and_bonferroni(p_values):
    adjusted = holm(p_values)
    assert (adjusted >= p_values).all()
    assert (adjusted <= np.minimum(p_values * len(p_values), 1)[np.argsort(p_values)].max() + 1e-12).all()
    assert (np.diff(adjusted[np.argsort(p_values)]) >= 0).all()
    assert adjusted[np.argmin(p_values)] == min(p_values.min() * len(p_values), 1)


@pytest.fixture(scope="module")
def multitest():
    return pytest.importorskip("statsmodels.stats.multitest", reason="the oracle for Holm is not installed")


@given(p_values=families)
def test_statsmodels_agrees(multitest, p_values):
    np.testing.assert_allclose(holm(p_values), multitest.multipletests(p_values, method="holm")[1], atol=1e-12)


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_what_is_no_p_value_is_refused(wrong):
    with pytest.raises(InputError, match=r"p-values must lie in \[0, 1\]; got \[0\.5, "):
        holm(np.array([0.5, wrong]))
