"""What SASRec and GRU4Rec have in common."""

import sys

import numpy as np
import pytest
import torch
from r2rec_baselines.cross_entropy import CHUNK, backward_cross_entropy
from r2rec_baselines.sequential import _one_cycle

from r2rec_bench.core.errors import InputError, LeakageError
from r2rec_bench.evaluation.base import baselines

TINY = {"width": 16, "layers": 1, "window": 6, "batch_size": 16, "learning_rate": 0.02, "dropout": 0.1, "epochs": 12}
CYCLE = 12


def tiny(name, **settings):
    cls = baselines.get(name)
    return cls(cls.config_type()(**TINY | settings))


@pytest.fixture(params=["gru4rec", "sasrec"], scope="module")
def name(request):
    return request.param


@pytest.fixture(scope="module")
def going_round():
    """Where each of 60 users begins, and how many steps of the cycle they make."""
    rng = np.random.default_rng(2)
    return rng.integers(0, CYCLE, 60), rng.integers(3, 15, 60)


def test_a_world_in_which_each_item_follows_another_is_learnt(name, going_round, toy_log, asked):
    begin, steps = going_round
    log = toy_log([[(b + k) % CYCLE for k in range(n)] for b, n in zip(begin, steps, strict=True)], n_items=CYCLE)
    model = tiny(name)
    losses = []
    model.epoch_done = lambda epoch, loss: losses.append((epoch, loss))
    model.fit(log, seed=0)
    scores = model.score(asked(list(range(60)), [list(range(CYCLE))] * 60))
    assert (scores.argmax(axis=1) == (begin + steps) % CYCLE).mean() > 0.95
    assert [epoch for epoch, _ in losses] == list(range(1, 13))
    # Only the first item of a history is anybody's guess: log 12 / 8.5 interactions = 0.29 nats at best.
    assert losses[0][1] > 1.0
    assert 0.25 < losses[-1][1] < 0.6


@pytest.fixture
def fitted(name, two_tastes):
    model = tiny(name, epochs=2)
    model.fit(two_tastes, seed=0)
    return model


def states(model, tokens):
    model._network.parts.eval()
    with torch.no_grad():
        return model._network.states(torch.tensor(tokens)).numpy()


def test_a_later_item_changes_no_earlier_state(fitted):
    one, other = states(fitted, [[30, 3, 4, 5, 6]]), states(fitted, [[30, 3, 4, 21, 6]])
    np.testing.assert_allclose(one[0, :3], other[0, :3], atol=1e-6)
    assert (np.abs(one[0, 3:] - other[0, 3:]).max(axis=1) > 1e-3).all()


def test_an_earlier_item_changes_later_states(fitted):
    one, other = states(fitted, [[30, 3, 4, 5]]), states(fitted, [[30, 21, 4, 5]])
    assert np.abs(one[0, 3] - other[0, 3]).max() > 1e-4


def test_filling_changes_nothing(fitted, asked):
    np.testing.assert_allclose(states(fitted, [[30, 3, 4]]), states(fitted, [[30, 3, 4, 30, 30]])[:, :3], atol=1e-6)


def test_a_short_history_is_scored_alike_among_long_ones(name, toy_log, asked):
    model = tiny(name, epochs=2)
    model.fit(toy_log([[0, 1, 2, 3, 4], [2], [1, 0]], n_items=5), seed=0)
    everything = [list(range(5))] * 3
    together = model.score(asked([0, 1, 2], everything))
    alone = [model.score(asked([user], everything[:1]))[0] for user in range(3)]
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_only_the_last_items_of_a_window_are_read(name, toy_log, asked):
    model = tiny(name, epochs=2, window=3)
    model.fit(toy_log([[0, 1, 2, 3, 4], [1, 0, 2, 3, 4], [2, 3, 4]], n_items=5), seed=0)
    scores = model.score(asked([0, 1, 2], [list(range(5))] * 3))
    np.testing.assert_allclose(scores[1:], scores[:1].repeat(2, axis=0), atol=1e-5)


def test_the_order_of_a_history_matters(name, toy_log, asked):
    model = tiny(name, epochs=2)
    model.fit(toy_log([[0, 1, 2], [2, 1, 0], [0, 1, 0, 2]], n_items=3), seed=0)
    scores = model.score(asked([0, 1, 2], [[0, 1, 2]] * 3))
    assert np.abs(scores[0] - scores[1]).max() > 1e-3
    assert np.abs(scores[0] - scores[2]).max() > 1e-3


def test_the_user_it_is_does_not_matter(name, toy_log, asked):
    model = tiny(name, epochs=2)
    model.fit(toy_log([[0, 1, 2], [2, 3], [0, 1, 2]], n_items=4), seed=0)
    scores = model.score(asked([0, 2], [[0, 3], [0, 3]]))
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-12)


def test_a_log_that_goes_on_after_the_query_is_refused(fitted, asked):
    with pytest.raises(LeakageError, match=r"fitted on 8 interactions of user index 2, of which the query sees.* 5;"):
        fitted.score(asked([2], [[1, 2]], position=5))


def test_a_log_without_interactions_leaves_zeros(name, toy_log, asked):
    model = tiny(name)
    model.fit(toy_log([[], []], n_items=3), seed=0)
    assert model.score(asked([0, 1], [[0, 1], [1, 2]])).tolist() == [[0, 0], [0, 0]]


def test_without_torch_the_error_says_what_to_install(name, two_tastes, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(InputError, match=r"need the library 'torch'.*pip install 'r2rec-bench\[baselines\]'"):
        tiny(name).fit(two_tastes, seed=0)


def test_the_process_is_left_as_it_was(name, two_tastes, asked):
    torch.manual_seed(3)
    np.random.seed(3)
    before = torch.get_rng_state(), np.random.get_state()[1].tolist(), torch.get_num_threads(), torch.is_grad_enabled()
    model = tiny(name, epochs=1)
    model.fit(two_tastes, seed=0)
    model.score(asked([0], [[1, 2]]))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]
    assert (torch.get_num_threads(), torch.is_grad_enabled()) == before[2:]


def test_torchs_global_seed_does_not_matter(name, two_tastes, asked):
    scores = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        model = tiny(name, epochs=1)
        model.fit(two_tastes, seed=0)
        scores.append(model.score(asked([0], [[1, 2, 20]])))
    assert np.array_equal(*scores)


@pytest.mark.parametrize("n", [1, CHUNK, 2 * CHUNK + 5])
def test_the_gradient_is_that_of_torchs_cross_entropy(n):
    torch.manual_seed(0)
    inputs = torch.randn(n, 6, requires_grad=True)
    vectors = torch.randn(10, 6, requires_grad=True)  # nine items and the start of a history
    targets = torch.randint(0, 9, (n,))
    losses, gradients = [], []
    for chunked in (False, True):
        inputs.grad = vectors.grad = None
        states = inputs.tanh() + vectors[-1]  # the vectors read tokens, too
        if chunked:
            losses.append(backward_cross_entropy(states, vectors, targets) / n)
        else:
            loss = torch.nn.functional.cross_entropy(states @ vectors[:-1].T, targets)
            loss.backward()
            losses.append(float(loss.detach()))
        gradients.append((inputs.grad, vectors.grad))
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    for expected, found in zip(*gradients, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


def test_the_learning_rate_rises_and_falls_once():
    rates = [_one_cycle(progress) for progress in (0, 0.05, 0.1, 0.55, 1)]
    assert rates == pytest.approx([0.01, 0.5, 1, 0.5, 0])
