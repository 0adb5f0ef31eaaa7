import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from r2rec_baselines.ease import EASE, EASEConfig
from scipy import sparse


def weights(matrix: np.ndarray, l2: float) -> np.ndarray:
    return EASE(EASEConfig(l2=l2)).weights(sparse.csr_array(matrix))


matrices = st.integers(0, 2**32 - 1).map(
    lambda seed: (np.random.default_rng(seed).random((12, 6)) < 0.4).astype(np.float64)
)


@settings(max_examples=25, deadline=None)
@given(matrices, st.sampled_from([0.5, 5.0, 500.0]))
def test_each_column_is_a_ridge_regression_on_the_others(matrix, l2):
    found = weights(matrix, l2)
    for item in range(matrix.shape[1]):
        others = np.delete(np.arange(matrix.shape[1]), item)
        known = matrix[:, others]
        expected = np.linalg.solve(known.T @ known + l2 * np.eye(len(others)), known.T @ matrix[:, item])
        np.testing.assert_allclose(found[others, item], expected, rtol=1e-8, atol=1e-12)
        assert found[item, item] == 0


def test_scores_computed_by_hand(toy_log, asked):
    # Two items, had together by two users and the first alone by a third: weight 0 to 1 is 2 / (3 + 1).
    model = EASE(EASEConfig(l2=1))
    model.fit(toy_log([[0, 1], [1, 0], [0]], n_items=2), seed=0)
    assert model.score(asked([2], [[1]]))[0, 0] == pytest.approx(0.5)


def test_scores_are_the_history_times_the_weights(two_tastes, asked):
    matrix = np.zeros((41, 30))
    matrix[two_tastes.user, two_tastes.item] = 1
    model = EASE(EASEConfig(l2=20))
    model.fit(two_tastes, seed=0)
    scores = model.score(asked(list(range(40)), [list(range(30))] * 40))
    np.testing.assert_allclose(scores, matrix[:40] @ weights(matrix, 20), rtol=1e-10)
