"""The official MovieLens files, read strictly: every line has its form, or is named with its number.

Source: the README files of ml-1m and ml-100k (GroupLens; F. M. Harper and J. A. Konstan, "The MovieLens Datasets",
ACM TiiS 5(4), 2015).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from zipfile import Path as ZipPath

import numpy as np

from r2rec_bench.core.errors import InputError
from r2rec_bench.data.catalog import RawItems
from r2rec_bench.data.fetch import unzipping
from r2rec_bench.data.log import RawLog

# u.item has a 0/1 column per genre, in the order of u.genre.
GENRES_100K = (
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Form:
    """How one release is written: file names, separators, number of fields per item, and where its genres are."""

    ratings: str
    ratings_separator: str
    items: str
    items_separator: str
    item_fields: int
    genres: Callable[[list[str]], str]


def _genres_1m(fields: list[str]) -> str:
    return fields[2].replace("|", ", ")


def _genres_100k(fields: list[str]) -> str:
    return ", ".join(genre for genre, flag in zip(GENRES_100K, fields[5:], strict=True) if flag == "1")


FORM_1M = Form("ratings.dat", "::", "movies.dat", "::", 3, _genres_1m)
FORM_100K = Form("u.data", "\t", "u.item", "|", 24, _genres_100k)


def read_ratings(folder: Path | ZipPath, form: Form) -> RawLog:
    """The ratings in `folder`, in file order.

    Raises:
        InputError: a line is not four whole numbers.
    """
    file = folder / form.ratings
    content = _content(file)
    separator = form.ratings_separator.encode()
    # Ten digits at most, so that no number can overflow.
    line_form = re.compile(rb"\d{1,10}" + (re.escape(separator) + rb"\d{1,10}") * 3)
    for number, line in enumerate(content.splitlines(), 1):
        if not line_form.fullmatch(line):
            raise InputError(f"{file}:{number}: {_complaint(line, separator)}")
    values = np.fromstring(content.replace(separator, b" "), dtype=np.int64, sep=" ").reshape(-1, 4)
    user, item, rating, time = values.T
    return RawLog(str(file), user, item, rating.astype(np.float32), time, ratings_required=True)


def read_items(folder: Path | ZipPath, form: Form) -> RawItems:
    """Titles and genres in `folder`, latin-1.

    Raises:
        InputError: a line has another number of fields, an id that is no whole number or was seen before, or is not
            latin-1 text.
    """
    file = folder / form.items
    titles: dict[str, str] = {}
    attributes: dict[str, str] = {}
    for number, line in enumerate(_content(file).splitlines(), 1):
        fields = _decode(line, f"{file}:{number}").split(form.items_separator)
        if len(fields) != form.item_fields:
            raise InputError(f"{file}:{number}: {len(fields)} fields; expected {form.item_fields}")
        item, title = fields[:2]
        if not item.isdecimal():
            raise InputError(f"{file}:{number}: movie id {item!r}; expected a whole number")
        if item in titles:
            raise InputError(f"{file}:{number}: movie id {item} again; expected every movie once")
        titles[item] = title
        attributes[item] = form.genres(fields)
    return RawItems(str(file), titles, attributes)


def _content(file: Path | ZipPath) -> bytes:
    if not file.is_file():
        raise InputError(f"{file}: missing; an official copy has ratings and titles side by side")
    with unzipping(file):
        return file.read_bytes()


def _complaint(line: bytes, separator: bytes) -> str:
    if b"\0" in line:
        return "a NUL byte; expected text"
    if not line:
        return "an empty line; expected 4 fields"
    fields = line.split(separator)
    if len(fields) != 4:
        return f"{len(fields)} fields; expected 4 separated by {separator.decode()!r}: user, movie, rating, time"
    wrong = next(field for field in fields if not re.fullmatch(rb"\d{1,10}", field))
    return f"{wrong.decode('latin-1')!r}; expected a whole number of at most 10 digits"


def _decode(line: bytes, place: str) -> str:
    if b"\0" in line:
        raise InputError(f"{place}: a NUL byte; expected text")
    if not line.isascii() and _is_utf8(line):
        raise InputError(f"{place}: this file was re-encoded to UTF-8; expected the official one, which is latin-1")
    return line.decode("latin-1")


def _is_utf8(line: bytes) -> bool:
    """Whether `line` decodes as UTF-8, which latin-1 text with accents practically never does."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
