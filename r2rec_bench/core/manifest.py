"""The manifest of an artifact: what it was made from, what it took, and a checksum of every file in it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from r2rec_bench.core.fingerprint import digest, file_digest

MANIFEST = "manifest.json"
_CHECKSUM = "checksum"
"""Of all else that the manifest says."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that decides what an artifact is.

    Attributes:
        stage: what kind of work, also the name of its folder.
        settings: JSON-able.
        inputs: fingerprints of the artifacts it is made from, in order.
        code: digest of the source that makes it.
    """

    stage: str
    settings: Mapping[str, Any]
    inputs: tuple[str, ...]
    code: str

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the recipe, hex."""
        return digest([self.stage, self.settings, self.inputs, self.code])


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was when the artifact was made."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A recipe and what came of it.

    Attributes:
        recipe: what the artifact was made from.
        created: UTC, ISO 8601.
        seconds: wall time of making it.
        peak_bytes: the making process's peak resident memory.
        files: by path relative to the artifact's folder.
    """

    recipe: Recipe
    created: str
    seconds: float
    peak_bytes: int
    files: Mapping[str, File]

    def write(self, folder: Path) -> None:
        """Writes the manifest and puts the whole folder on the disk, not only into its cache."""
        content = {"fingerprint": self.recipe.fingerprint, **asdict(self)}
        content[_CHECKSUM] = digest(content)
        (folder / MANIFEST).write_text(json.dumps(content, indent=2) + "\n", "utf-8")
        sync_all(folder)

    def damage(self, folder: Path) -> str:
        """The first file that is not as it was made, and why; empty when all are."""
        return damage_of(folder, self.files)


_MANIFEST = TypeAdapter(Manifest)


def survey(folder: Path) -> dict[str, File]:
    """All files below `folder`, by relative path."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): File(path.stat().st_size, file_digest(path)) for path in paths}


def damage_of(folder: Path, files: Mapping[str, File]) -> str:
    """The first of `files` in `folder` that is not as it was, and why; empty when all are."""
    for name, file in files.items():
        path = folder / name
        if not path.is_file():
            return f"{name} is missing"
        size = path.stat().st_size
        if size != file.size:
            return f"{name} has {size} bytes, not {file.size}"
        if file_digest(path) != file.sha256:
            return f"{name} has another checksum than when it was made"
    return ""


def read_manifest(folder: Path) -> Manifest:
    """The manifest in `folder`, which is named by the start of its fingerprint.

    Raises:
        ValueError: it is not there, cannot be read, belongs to another folder, or is not as it was written.
    """
    try:
        text = (folder / MANIFEST).read_bytes()
        manifest = _MANIFEST.validate_json(text)
    except FileNotFoundError:
        raise ValueError(f"{MANIFEST} is missing") from None
    except ValidationError as error:
        raise ValueError(f"{MANIFEST} cannot be read: {error.errors()[0]['msg']}") from None
    if not manifest.recipe.fingerprint.startswith(folder.name):
        raise ValueError(f"{MANIFEST} is of {manifest.recipe.fingerprint}")
    content = json.loads(text)
    if content.pop(_CHECKSUM, None) not in (None, digest(content)):  # earlier versions wrote none
        raise ValueError(f"{MANIFEST} has another checksum than when it was made")
    return manifest


def sync_all(folder: Path) -> None:
    """Waits until all files below a folder, and the folder, are on the disk."""
    for path in [*folder.rglob("*"), folder]:
        sync(path)


def sync(path: Path) -> None:
    """Waits until a file's content, or a folder's listing, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
