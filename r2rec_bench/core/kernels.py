"""Compiled functions that cost nothing until they are called."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from types import FunctionType
from typing import Any, Generic, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")


class Kernel(Generic[P, R]):
    """A function that numba compiles on its first call, and releases the interpreter's lock while it runs.

    numba takes longer to import than most commands take in all, so it is imported then and not before. The machine
    code is kept on disk; a kernel may call other kernels of its own file, whose change makes both new.
    """

    def __init__(self, function: Callable[P, R]) -> None:
        self.__doc__ = function.__doc__
        self._function = cast("FunctionType", function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.compiled(*args, **kwargs)

    @cached_property
    def compiled(self) -> Callable[P, R]:
        """What numba made of it."""
        from numba import njit

        function = self._function
        # To numba a kernel is what numba made of it, and it must find that where this one looks for the kernel.
        called = {name: function.__globals__.get(name) for name in function.__code__.co_names}
        kernels = {name: value.compiled for name, value in called.items() if isinstance(value, Kernel)}
        known: dict[str, Any] = function.__globals__ | kernels
        plain = FunctionType(function.__code__, known, function.__name__, function.__defaults__, function.__closure__)
        plain.__qualname__, plain.__module__ = function.__qualname__, function.__module__
        return njit(cache=True, nogil=True)(plain)


def kernel(function: Callable[P, R]) -> Kernel[P, R]:
    """Decorator: `function` as a `Kernel`."""
    return Kernel(function)
