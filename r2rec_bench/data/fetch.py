"""Fetching an official archive: checksum first, then it is opened.

An archive is read in place and never unpacked onto disk, so that no member, whatever its name, can land anywhere.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import struct
import tempfile
import urllib.request
import zipfile
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from r2rec_bench.core.errors import InputError

TIMEOUT_SECONDS = 20
MAX_BYTES = 1 << 30
"""More than any archive known here holds unpacked; beyond it a file is not what it says it is."""


_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True, slots=True)
class Archive:
    """An official archive: file name, MD5 in hex as its publisher states it, addresses in order of preference."""

    name: str
    md5: str
    urls: tuple[str, ...]


def open_archive(path: Path, archive: Archive) -> zipfile.Path:
    """The root inside the archive at `path`.

    Raises:
        InputError: its checksum is not the official one, it is no zip, or it would unpack to more than `MAX_BYTES`.
    """
    got = _md5(path)
    if got != archive.md5:
        raise InputError(
            f"{path}: MD5 {got}; the official {archive.name} has {archive.md5}. "
            f"Replace it by {archive.urls[0]}, or unpack it beside: unpacked files are read as they are."
        )
    with unzipping(path):
        opened = zipfile.ZipFile(path)
        if any(member.compress_type not in _PACKED for member in opened.infolist()):
            raise zipfile.BadZipFile("a member is packed in a way that no official archive is")
    # No member gives more than it says here: what it holds beyond that is not read, and its checksum is wrong.
    size = sum(member.file_size for member in opened.infolist())
    if size > MAX_BYTES:
        raise InputError(f"{path}: unpacks to {size} bytes; at most {MAX_BYTES} are read")
    return zipfile.Path(opened)


@contextmanager
def unzipping(file: Path | zipfile.Path) -> Generator[None]:
    """Names `file` in what is said of a zip, or a member of one, that is torn or changed.

    Raises:
        InputError: it is.
    """
    try:
        yield
    # For a way of packing or a password that it does not know it has errors of its own, and none for names and places:
    # before the beginning of the file the system has nothing to read, which it says as of any wrong argument.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, struct.error, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise
        raise InputError(f"{file}: {error}; the download is damaged or not complete. Fetch it again.") from None


def fetch(archive: Archive, folder: Path) -> tuple[Path | None, list[str]]:
    """Download `archive` into `folder`, under its name once its checksum is right.

    Returns:
        The file, or none when no address gave it, and why each address that was tried did not.
    """
    if os.environ.get("R2REC_OFFLINE"):
        return None, ["download: not tried, R2REC_OFFLINE is set"]
    failures: list[str] = []
    for url in archive.urls:
        try:
            return _download(url, archive.name, archive.md5, folder), failures
        except (OSError, InputError) as error:
            failures.append(f"{url}: {error}")
    return None, failures


def download(url: str, folder: Path) -> tuple[Path | None, str]:
    """Download a file whose publisher states no checksum into `folder`, under the name that the address ends in.

    Returns:
        The file and nothing to say, or none and why.
    """
    if os.environ.get("R2REC_OFFLINE"):
        return None, "download: not tried, R2REC_OFFLINE is set"
    try:
        return _download(url, url.rpartition("/")[2], None, folder), ""
    except OSError as error:
        return None, f"{url}: {error}"


def _download(url: str, called: str, md5: str | None, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    # A name of its own, so that two processes that fetch at once do not write into each other's file.
    handle, name = tempfile.mkstemp(prefix=called, suffix=".part", dir=folder)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file, urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310  the addresses are constants
            shutil.copyfileobj(answer, file)
            missing = getattr(answer, "length", None)  # of an answer that says how long it is; it may break off unsaid
            if missing:
                raise OSError(f"ended {missing} bytes before its end")
        if md5 is not None and (got := _md5(part)) != md5:
            raise InputError(f"MD5 {got}; the official file has {md5}")
        return part.replace(folder / called)
    except HTTPException as error:  # the only ones that are no OSErrors: of answers that are no HTTP, or no more
        raise OSError(f"{type(error).__name__}: {error}") from None
    finally:
        part.unlink(missing_ok=True)


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
