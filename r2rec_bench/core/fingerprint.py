"""Digests that say whether two pieces of work are the same: of settings, of source code, of files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path


def digest(value: object) -> str:
    """SHA-256, hex, of a JSON-able value; the order of keys does not matter, NaN is refused."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def shortened(fingerprint: str) -> str:
    """A digest as tables give it, and as commands take it: its first 12 digits."""
    return fingerprint[:12]


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def code_digest(names: Iterable[str]) -> str:
    """SHA-256, hex, over the sources of modules and packages, given by their dotted names in any order."""
    return digest({name: source_digest(name) for name in names})


@cache
def source_digest(name: str) -> str:
    """Of a module its own bytes; of a package all .py files below it. Source does not change under a process."""
    spec = find_spec(name)
    if spec is None:
        raise ModuleNotFoundError(f"no module '{name}' to take the source of")
    if spec.submodule_search_locations is None:
        return file_digest(Path(spec.origin or ""))
    roots = [Path(root) for root in spec.submodule_search_locations]
    return digest(
        {path.relative_to(root).as_posix(): file_digest(path) for root in roots for path in root.rglob("*.py")}
    )
