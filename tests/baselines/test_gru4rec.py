import numpy as np
import pytest
import torch
from r2rec_baselines.gru4rec import GRU4Rec, GRU4RecConfig

from r2rec_bench.core.config import validate
from r2rec_bench.core.errors import ConfigError


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_states_are_those_of_the_equations():
    torch.manual_seed(0)
    network = GRU4Rec(GRU4RecConfig(width=4, state=3, dropout=0)).network(6)
    weights = {name: value.detach().double().numpy() for name, value in network.parts.named_parameters()}
    w, u, b, c = (weights[f"1.{name}_l0"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    state, expected = np.zeros(3), []
    for token in (5, 2, 0):
        x, h = w @ weights["0.weight"][token] + b, u @ state + c
        reset, update = sigmoid(x[:3] + h[:3]), sigmoid(x[3:6] + h[3:6])
        state = (1 - update) * np.tanh(x[6:] + reset * h[6:]) + update * state
        y = weights["2.1.weight"] @ state + weights["2.1.bias"]
        expected.append((y - y.mean()) / np.sqrt(y.var() + 1e-5))
    found = network.states(torch.tensor([[5, 2, 0]]))[0].detach().numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("layers", [1, 2])
def test_dropout_acts_in_training_alone(layers):
    torch.manual_seed(0)
    network = GRU4Rec(GRU4RecConfig(width=8, state=8, layers=layers, dropout=0.5)).network(5)
    tokens = torch.tensor([[4, 1, 2, 3]])
    network.parts.train()
    assert not torch.equal(network.states(tokens), network.states(tokens))
    network.parts.eval()
    assert torch.equal(network.states(tokens), network.states(tokens))


def test_a_bad_setting_is_named():
    with pytest.raises(ConfigError, match="state: Input should be greater than or equal to 1; got 0"):
        validate(GRU4RecConfig, {"state": 0}, source="here")
