from itertools import pairwise

import numpy as np
import pytest
import torch
from r2rec_baselines.sasrec import SASRec, SASRecConfig

from r2rec_bench.core.config import validate
from r2rec_bench.core.errors import ConfigError


@pytest.mark.parametrize(("width", "heads", "found"), [(8, 2, 8), (7, 2, 8), (5, 4, 8), (9, 1, 9)])
def test_a_width_that_heads_do_not_divide_is_rounded_up(width, heads, found):
    network = SASRec(SASRecConfig(width=width, heads=heads, window=4)).network(5)
    assert network.states(torch.tensor([[4, 1, 2]])).shape == (1, 3, found)


def test_a_bad_setting_is_named():
    with pytest.raises(ConfigError, match=r"unknown key 'epoch'; allowed: .*Did you mean 'epochs'"):
        validate(SASRecConfig, {"epoch": 3}, source="here")


def test_the_place_of_an_item_in_the_window_is_told():
    torch.manual_seed(0)
    network = SASRec(SASRecConfig(width=8, window=4, dropout=0)).network(5)
    network.parts.eval()
    # The same item throughout: without places attention could not tell one state from the next.
    states = network.states(torch.tensor([[1, 1, 1, 1]]))[0].detach().numpy()
    assert all(np.abs(a - b).max() > 1e-4 for a, b in pairwise(states))


def test_dropout_acts_in_training_alone():
    torch.manual_seed(0)
    network = SASRec(SASRecConfig(width=8, window=4, dropout=0.5)).network(5)
    tokens = torch.tensor([[4, 1, 2, 3]])
    network.parts.train()
    assert not torch.equal(network.states(tokens), network.states(tokens))
    network.parts.eval()
    assert torch.equal(network.states(tokens), network.states(tokens))
