"""What long work keeps on its way, so that the same work, begun again after an interruption, goes on from there.

Each part is a folder that appears complete or not at all and has a checksum of every file in it.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from r2rec_bench.core.manifest import File, damage_of, survey, sync, sync_all

_PARTIAL, _UNFINISHED = ".partial", ".unfinished"
_CHECKSUMS = "checksums.json"
_FILES = TypeAdapter(dict[str, File])
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The parts of one piece of work, by name.

    Attributes:
        folder: theirs alone, and of one process at a time; made when there is something to keep.
    """

    folder: Path

    def keep(self, name: str, write: Callable[[Path], None]) -> Path:
        """The part `name`, on the disk when this returns; `write` is given an empty folder for it.

        Raises:
            OSError: the file system refuses; nothing of the part stays.
        """
        partial = self.partial(name)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            write(partial)
            files = {path: asdict(file) for path, file in survey(partial).items()}
            (partial / _CHECKSUMS).write_text(json.dumps(files, indent=2) + "\n", "utf-8")
            sync_all(partial)
            partial.rename(self.folder / name)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        sync(self.folder)
        return self.folder / name

    def partial(self, name: str) -> Path:
        """Where the part `name` is written before it is whole."""
        return self.folder / f".{name}{_PARTIAL}"

    def find(self, name: str) -> Path | None:
        """The part `name`; None where it was not kept, or where its files are not as they were kept, which is said."""
        folder = self.folder / name
        if not folder.is_dir():
            return None
        try:
            damage = damage_of(folder, _FILES.validate_json((folder / _CHECKSUMS).read_bytes()))
        except (FileNotFoundError, ValidationError):
            damage = f"{_CHECKSUMS} cannot be read"
        if not damage:
            return folder
        _logger.warning("%s is damaged: %s. It is removed and made again.", folder, damage)
        shutil.rmtree(folder)
        return None

    def newest(self, kind: str) -> Path | None:
        """The last whole part whose name begins with `kind`, in the order of names."""
        names = sorted(path.name for path in self.folder.glob(f"{kind}*"))
        return next((part for name in reversed(names) if (part := self.find(name))), None)

    def keep_newest(self, kind: str, name: str, write: Callable[[Path], None]) -> None:
        """As `keep`; when the part is whole, all others whose names begin with `kind` are removed."""
        newest = self.keep(name, write)
        for path in self.folder.glob(f"{kind}*"):
            if path != newest:
                shutil.rmtree(path, ignore_errors=True)

    def clear(self) -> None:
        """Removes all parts."""
        shutil.rmtree(self.folder, ignore_errors=True)


def partial_of(folder: Path) -> Path:
    """Where an artifact is written that will be `folder`."""
    return folder.with_name(f".{folder.name}{_PARTIAL}")


def unfinished_of(folder: Path) -> Unfinished:
    """What is kept of the work on `folder`, or on what is written where `partial_of` says."""
    name = folder.name.removeprefix(".").removesuffix(_PARTIAL)
    return Unfinished(folder.with_name(f".{name}{_UNFINISHED}"))
