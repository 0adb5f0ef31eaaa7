"""Artifacts: a stage's output in a folder of its own, found again by a fingerprint of all that decided it.

A folder appears complete or not at all, is checked file by file when a process first reads it, and is made by one
process even if several ask at once. Human-readable: `root/<stage>/<first 16 digits of the fingerprint>/`.
"""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from glob import escape
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from r2rec_bench.core.errors import InputError, R2RecError
from r2rec_bench.core.fingerprint import code_digest
from r2rec_bench.core.manifest import Manifest, Recipe, read_manifest, survey, sync
from r2rec_bench.core.resources import measure
from r2rec_bench.core.unfinished import partial_of, unfinished_of

_SHOWN = 16
_NAMED = 5
"""Artifacts listed in a message at most."""
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Artifact:
    """A finished stage.

    Attributes:
        path: its folder, not to be written to.
        fingerprint: SHA-256 of all that decided it, hex.
        stage: what kind of work it was.
        seconds: wall time of making it, whenever that was.
        peak_bytes: peak resident memory of the process that made it.
        cached: whether it was there already.
    """

    path: Path
    fingerprint: str
    stage: str
    seconds: float
    peak_bytes: int
    cached: bool


def recipe_of(stage: str, settings: Mapping[str, Any], inputs: Sequence[Artifact], code: Sequence[str]) -> Recipe:
    """What `ArtifactStore.get` would make with the same arguments, and under which fingerprint."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_.-]*", stage):
        raise ValueError(f"a stage is named with lower-case letters, digits, '-', '_' and '.'; got '{stage}'")
    return Recipe(stage, settings, tuple(artifact.fingerprint for artifact in inputs), code_digest(code))


class ArtifactStore:
    """The artifacts below one folder, shared by any number of processes.

    Args:
        root: the folder.
        frozen: whether to refuse to make what is not there.
    """

    def __init__(self, root: Path, *, frozen: bool = False) -> None:
        self.root = root
        self.frozen = frozen
        self._verified: set[str] = set()

    def get(
        self,
        stage: str,
        settings: Mapping[str, Any],
        inputs: Sequence[Artifact],
        code: Sequence[str],
        make: Callable[[Path], None],
    ) -> Artifact:
        """The artifact of this recipe, made if it is not there.

        Args:
            stage: the kind of work; lower-case letters, digits, `-`, `_` and `.`.
            settings: all settings that matter to the result, JSON-able.
            inputs: the artifacts that `make` reads.
            code: dotted names of the modules and packages whose source decides the result.
            make: writes the result into the empty folder it is given. If it raises, nothing stays but what it has
                kept in the folder's `unfinished_of`, which is there when it is called again and goes with its success.

        Raises:
            InputError: the artifact is not there, and the store is frozen.
        """
        recipe = recipe_of(stage, settings, inputs, code)
        folder = self.root / stage / recipe.fingerprint[:_SHOWN]
        with self._locked(recipe):
            if folder.exists():
                unfinished_of(folder).clear()  # of a process that died when all was done
                try:
                    return self._read(folder)
                except DamagedArtifactError as error:
                    aside = folder.with_name(f"{folder.name}.damaged")
                    shutil.rmtree(aside, ignore_errors=True)
                    folder.rename(aside)
                    _logger.warning("%s It is moved to %s and made again.", error, aside)
            if self.frozen:
                raise InputError(f"no {stage} of these settings and this code in {self.root}; `r2rec run` makes it")
            return self._make(recipe, folder, make)

    def find(self, prefix: str) -> Artifact:
        """The one artifact whose fingerprint starts with `prefix`.

        Raises:
            InputError: there is none, or several.
            DamagedArtifactError: its files are not as they were made.
        """
        found = list(self._stored(prefix.lower()))
        if len(found) != 1:
            names = ", ".join(f"{artifact.stage}/{artifact.path.name}" for artifact in found[:_NAMED])
            names += f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
            problem = f"several artifacts start with '{prefix}': {names}" if found else f"no artifact '{prefix}'"
            raise InputError(f"{problem} in {self.root}")
        return self._read(found[0].path)

    def inputs(self, artifact: Artifact) -> tuple[Artifact, ...]:
        """What `artifact` was made from, in the order of its recipe.

        Raises:
            InputError: one of them is no longer there.
            DamagedArtifactError: the files of one are not as they were made.
        """
        return tuple(self.find(fingerprint) for fingerprint in read_manifest(artifact.path).recipe.inputs)

    def __iter__(self) -> Iterator[Artifact]:
        """All artifacts, oldest first, their files unchecked."""
        return self._stored("")

    def _stored(self, prefix: str) -> Iterator[Artifact]:
        """Those whose fingerprint starts with `prefix`, oldest first, their files unchecked."""
        shown = prefix[:_SHOWN]
        manifests: list[tuple[str, Path, Manifest]] = []
        for folder in self.root.glob(f"*/{escape(shown)}{'[0-9a-f]' * (_SHOWN - len(shown))}"):
            try:
                manifest = read_manifest(folder)
            except ValueError:
                continue  # reported when its stage is asked for
            if manifest.recipe.fingerprint.startswith(prefix):
                manifests.append((manifest.created, folder, manifest))
        for _, folder, manifest in sorted(manifests, key=lambda entry: entry[:2]):
            yield _artifact(folder, manifest, cached=True)

    @contextmanager
    def _locked(self, recipe: Recipe) -> Generator[None]:
        """Holds the recipe's lock; the system frees it if the process dies."""
        locks = self.root / ".locks"
        locks.mkdir(parents=True, exist_ok=True)
        lock = FileLock(locks / f"{recipe.fingerprint}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            _logger.info("another process is making %s %s; waiting for it", recipe.stage, recipe.fingerprint[:_SHOWN])
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _read(self, folder: Path) -> Artifact:
        try:
            manifest = read_manifest(folder)
        except ValueError as error:
            raise DamagedArtifactError(folder, str(error)) from None
        fingerprint = manifest.recipe.fingerprint
        if fingerprint not in self._verified:
            damage = manifest.damage(folder)
            if damage:
                raise DamagedArtifactError(folder, damage)
            self._verified.add(fingerprint)
        return _artifact(folder, manifest, cached=True)

    def _make(self, recipe: Recipe, folder: Path, make: Callable[[Path], None]) -> Artifact:
        partial = partial_of(folder)
        # Under the lock nobody else is at work here: what is left is from a process that died.
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            with measure() as watch:
                make(partial)
            created = datetime.now(UTC).isoformat(timespec="milliseconds")
            manifest = Manifest(recipe, created, watch.seconds, watch.peak_bytes, survey(partial))
            manifest.write(partial)
            partial.rename(folder)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        sync(folder.parent)
        unfinished_of(folder).clear()
        self._verified.add(recipe.fingerprint)
        return _artifact(folder, manifest, cached=False)


class DamagedArtifactError(R2RecError):
    """Files of an artifact are not as they were made: its folder, and what is wrong there."""

    def __str__(self) -> str:
        folder, damage = self.args
        return f"{folder} is damaged: {damage}."


def _artifact(folder: Path, manifest: Manifest, *, cached: bool) -> Artifact:
    recipe = manifest.recipe
    return Artifact(folder, recipe.fingerprint, recipe.stage, manifest.seconds, manifest.peak_bytes, cached)
