import numpy as np
import pytest
import torch
from r2rec_baselines.adam import Adam
from r2rec_baselines.interactions import user_items
from r2rec_baselines.lightgcn import Graph, LightGCN, LightGCNConfig, loss_and_gradient
from r2rec_baselines.triples import Sampler, Triples
from scipy import sparse

from r2rec_bench.core.errors import LeakageError

MATRIX = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [1, 1, 1, 0], [0, 0, 0, 0]], dtype=np.float64)
"""Nobody had the last item, and the last user has had nothing."""


def smoother(matrix: np.ndarray, layers: int) -> np.ndarray:
    """Mean of the powers 0 to `layers` of D^-1/2 A D^-1/2, dense: what the paper's equations 3 and 4 come to."""
    n_users, n_items = matrix.shape
    adjacency = np.block([[np.zeros((n_users, n_users)), matrix], [matrix.T, np.zeros((n_items, n_items))]])
    degree = adjacency.sum(axis=0)
    scale = np.divide(1, np.sqrt(degree), where=degree > 0, out=np.zeros(len(degree)))
    normal = scale[:, None] * adjacency * scale
    return sum(np.linalg.matrix_power(normal, k) for k in range(layers + 1)) / (layers + 1)


def graph() -> Graph:
    return Graph.of(sparse.csr_array(MATRIX))


@pytest.mark.parametrize("layers", [0, 1, 2, 4])
def test_propagation_is_the_mean_of_the_powers_of_the_normalised_adjacency(layers):
    embeddings = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
    moved = graph().propagated(embeddings, layers)
    np.testing.assert_allclose(moved, smoother(MATRIX, layers) @ embeddings, rtol=1e-5, atol=1e-6)


def test_the_gradient_is_that_of_automatic_differentiation():
    triples = Triples(np.array([0, 1, 1, 2]), np.array([0, 1, 2, 0]), np.array([2, 0, 3, 3]))
    start = np.random.default_rng(1).normal(size=(8, 3)).astype(np.float32)
    loss, gradient = loss_and_gradient(start, graph(), triples, layers=2, regularization=0.3)

    e0 = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    e = torch.tensor(smoother(MATRIX, 2)) @ e0
    u, i, j = (torch.tensor(part) for part in (triples.user, 4 + triples.had, 4 + triples.had_not))
    bpr = -torch.nn.functional.logsigmoid((e[u] * (e[i] - e[j])).sum(1)).mean()
    expected = bpr + 0.3 / 2 * (e0[u] ** 2 + e0[i] ** 2 + e0[j] ** 2).sum(1).mean()
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-5)
    np.testing.assert_allclose(gradient, e0.grad.numpy(), rtol=1e-4, atol=1e-6)


def test_a_step_against_the_gradient_lowers_the_loss():
    triples = Triples(np.array([0, 1, 2]), np.array([1, 2, 0]), np.array([3, 0, 3]))
    embeddings = np.random.default_rng(2).normal(0, 0.1, (8, 4)).astype(np.float32)
    losses = []
    descent = Adam(embeddings, 0.05)
    for _ in range(20):
        loss, gradient = loss_and_gradient(embeddings, graph(), triples, layers=2, regularization=0)
        losses.append(loss)
        descent.step(gradient)
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.9 * losses[0]


def test_adam_is_the_one_of_torch():
    start = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    gradients = np.random.default_rng(1).normal(size=(6, 5, 2)).astype(np.float32)
    ours, theirs = start.copy(), torch.tensor(start, requires_grad=True)
    descent, oracle = Adam(ours, 0.1), torch.optim.Adam([theirs], lr=0.1)
    for gradient in gradients:
        descent.step(gradient)
        theirs.grad = torch.tensor(gradient)
        oracle.step()
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-5)


def test_triples_are_drawn_uniformly_from_what_was_had_and_from_the_rest():
    had_all = np.vstack([MATRIX, np.ones(4)])  # of whom no triple can be drawn
    sampler = Sampler(sparse.csr_array(had_all), n_items=4)
    n = 20_000
    drawn = sampler.draw(n, np.random.default_rng(0))
    counts = np.zeros((5, 4, 4))
    np.add.at(counts, (drawn.user, drawn.had, drawn.had_not), 1)
    expected = np.zeros_like(counts)
    for user, had in np.argwhere(MATRIX):
        others = np.flatnonzero(MATRIX[user] == 0)
        expected[user, had, others] = n / 7 / len(others)
    assert len(sampler) == 7
    assert (counts[expected == 0] == 0).all()
    np.testing.assert_allclose(counts[expected > 0], expected[expected > 0], rtol=0.1)


def test_the_order_of_columns_in_the_matrix_does_not_matter():
    unsorted = sparse.csr_array((np.ones(3), [2, 0, 1], [0, 2, 3]), shape=(2, 4))
    drawn = Sampler(unsorted, n_items=4).draw(500, np.random.default_rng(0))
    assert set(drawn.had_not[drawn.user == 0].tolist()) == {1, 3}
    assert set(drawn.had_not[drawn.user == 1].tolist()) == {0, 2, 3}


def test_scores_are_dot_products_of_what_training_left(two_tastes, asked):
    model = LightGCN(LightGCNConfig(factors=4, layers=0, steps=1, learning_rate=1e-9))
    model.fit(two_tastes, seed=0)
    scores = model.score(asked([3], [[0, 7]]))
    np.testing.assert_allclose(scores[0], model.item_vectors[[0, 7]] @ model.user_vectors[3])


def test_users_who_have_had_everything_do_not_stop_it(toy_log, asked):
    model = LightGCN(LightGCNConfig(factors=2, steps=3))
    model.fit(toy_log([[0, 1], [1, 0]], n_items=2), seed=0)
    assert np.isfinite(model.score(asked([0], [[0, 1]]))).all()


def test_global_randomness_is_left_alone(two_tastes):
    state = np.random.get_state()[1].copy()
    LightGCN(LightGCNConfig(steps=2)).fit(two_tastes, seed=0)
    assert np.array_equal(np.random.get_state()[1], state)


def test_a_log_that_goes_on_after_the_query_is_refused(two_tastes, asked):
    model = LightGCN(LightGCNConfig(steps=2))
    model.fit(two_tastes, seed=0)
    with pytest.raises(LeakageError, match=r"LightGCN was fitted on 8 items of user index 2, of which .* first 5"):
        model.score(asked([2], [[1, 2]], position=5))


def test_the_users_of_an_interaction_matrix_keep_their_places(two_tastes):
    matrix = user_items(two_tastes)
    assert Graph.of(matrix).n_users == 41
    assert Graph.of(matrix).n_items == 30
