import sys

import numpy as np
import pytest
from r2rec_baselines.als import ALS, ALSConfig

from r2rec_bench.core.errors import InputError, LeakageError
from r2rec_bench.evaluation.base import baselines


@pytest.mark.parametrize("name", ["als", "bpr"])
def test_a_log_that_goes_on_after_the_query_is_refused(name, two_tastes, asked):
    model = baselines.get(name)()
    model.fit(two_tastes, seed=0)
    with pytest.raises(LeakageError, match="fitted on 8 items of user index 2, of which the query sees the first 5"):
        model.score(asked([2], [[1, 2]], position=5))


@pytest.mark.parametrize("name", ["als", "bpr"])
def test_without_the_library_the_error_says_what_to_install(name, two_tastes, monkeypatch):
    monkeypatch.setitem(sys.modules, "implicit", None)
    with pytest.raises(InputError, match=r"need the library 'implicit'.*pip install 'r2rec-bench\[baselines\]'"):
        baselines.get(name)().fit(two_tastes, seed=0)


def test_converged_als_solves_the_weighted_least_squares(two_tastes, asked):
    """At the optimum a user's vector is the closed form given the items' (Hu et al., equation 4)."""
    model = ALS(ALSConfig(factors=4, alpha=5, regularization=1, iterations=300))
    model.fit(two_tastes, seed=0)
    items = model.item_vectors
    for user in (0, 1):
        liked = np.bincount(two_tastes.item[two_tastes.user == user], minlength=30)
        confidence = np.where(liked, 5.0, 1.0)
        normal = items.T @ (confidence[:, None] * items) + np.eye(4)
        expected = items @ np.linalg.solve(normal, items.T @ (confidence * liked))
        scores = model.score(asked([user], [list(range(30))]))[0]
        np.testing.assert_allclose(scores, expected, atol=2e-3)
