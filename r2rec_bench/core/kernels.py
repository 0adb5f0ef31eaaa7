"""Compiled functions that cost nothing until they are called."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from types import FunctionType
from typing import Any, Generic, ParamSpec, TypeAlias, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")
Untyped: TypeAlias = Any
"""What numba's compiler hands over, and arrays of any kind."""


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


class Prefetch(Kernel[[Untyped, Untyped], None]):
    """`prefetch(values, place)`, in a kernel alone: brings what lies there near, and does not wait for it.

    Where many short pieces of a large array are read, their beginnings are what a kernel waits for.
    """

    @cached_property
    def compiled(self) -> Callable[[Untyped, Untyped], None]:
        """The processor's own instruction."""
        from llvmlite import ir
        from numba.core import cgutils, types
        from numba.extending import intrinsic

        def fetch(_: Untyped, values: Untyped, place: Untyped) -> Untyped:
            def generate(context: Untyped, builder: Untyped, signature: Untyped, given: Untyped) -> Untyped:
                array = context.make_array(values)(context, builder, given[0])
                near = builder.bitcast(builder.gep(array.data, [given[1]]), cgutils.voidptr_t)
                number = ir.IntType(32)
                kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, number, number, number])
                function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
                builder.call(function, [near, number(0), number(3), number(1)])  # to read, in every cache, data
                return context.get_dummy_value()

            return types.void(values, place), generate

        return cast("Callable[[Untyped, Untyped], None]", intrinsic(fetch))


def _signature(values: Untyped, place: Untyped) -> None:
    """What lies at `place` of `values` is about to be read."""


prefetch = Prefetch(_signature)
