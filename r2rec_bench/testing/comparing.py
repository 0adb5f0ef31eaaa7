"""What two results have in common, to the last bit where nothing is said."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from r2rec_bench.testing.contract import require


def told(value: object) -> str:
    """Everything in a result as text, in which NaN equals NaN; arrays to the last bit."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{value.shape}{value.tolist()}"
    if is_dataclass(value) and type(value).__eq__ is object.__eq__ and not isinstance(value, type):  # holds arrays
        inner = ((one.name, getattr(value, one.name)) for one in fields(value))
        return f"{type(value).__name__}({', '.join(f'{name}={told(part)}' for name, part in inner)})"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(told, value))}]"  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {told(part)}' for key, part in value.items())}}}"
    return repr(value)


def require_same(one: object, other: object, when: str, expected: str) -> None:
    """Stop a rule where two results differ; the first place where they do is shown."""
    first, second = told(one), told(other)
    if first != second:
        require(False, f"{when}: {_difference(first, second)}", expected)


def _difference(one: str, other: str) -> str:
    at = next((k for k, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    begin = max(0, at - 30)
    return f"'…{one[begin : at + 40]}…' against '…{other[begin : at + 40]}…'"


def require_array(value: object, kind: type[np.generic], shape: tuple[int, ...], when: str) -> NDArray[Any]:
    """The value, which must be an array of that type and shape."""
    if not isinstance(value, np.ndarray):
        require(False, f"{type(value).__name__} ({when})", f"an array, {kind.__name__} {shape}")
    array: NDArray[Any] = np.asarray(value)
    require(
        array.dtype == kind and array.shape == shape,
        f"{array.dtype} {array.shape} ({when})",
        f"{kind.__name__} {shape}",
    )
    return array


def require_unchanged(before: str, now: object, what: str) -> None:
    """Stop a rule where what was handed in is no longer what it was; `before` is what `told` said of it."""
    require(told(now) == before, f"{what} was changed", f"{what} as it was handed in")


def refusal(call: Callable[[], object], kind: type[Exception]) -> Exception | None:
    """The error of that kind which `call` raises, or None where it goes through; any other error goes on."""
    try:
        call()
    except kind as error:
        return error
    return None


def folder_digest(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below `folder`, by its path there."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
