"""Adam for embeddings held in one NumPy array."""

from __future__ import annotations

import numpy as np

from r2rec_bench.core.types import Float32Array

_MOMENTUM, _DECAY, _EPSILON = 0.9, 0.999, 1e-8


class Adam:
    """Changes `parameters` in place, step by step.

    Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization" (ICLR 2015), algorithm 1, its constants.

    Args:
        parameters: float32, any shape.
        learning_rate: alpha.
    """

    def __init__(self, parameters: Float32Array, learning_rate: float) -> None:
        self._parameters = parameters
        self._learning_rate = learning_rate
        self._first, self._second = np.zeros_like(parameters), np.zeros_like(parameters)
        self._steps = 0

    def step(self, gradient: Float32Array) -> None:
        """Go one step against `gradient`, of the parameters' shape."""
        self._steps += 1
        self._first += (1 - _MOMENTUM) * (gradient - self._first)
        self._second += (1 - _DECAY) * (np.square(gradient) - self._second)
        size = np.sqrt(self._second / (1 - _DECAY**self._steps)) + _EPSILON
        self._parameters -= self._learning_rate / (1 - _MOMENTUM**self._steps) * self._first / size
