"""Data files that are torn, recoded, mislabelled or malign, in every form that is read."""

import gzip
import hashlib
import json
import re
import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
from hypothesis import strategies as st

from r2rec_bench.core.errors import ConfigError
from r2rec_bench.data import fetch
from r2rec_bench.data.sources.movielens import MovieLens1M
from r2rec_bench.traces.lines import Line, Said, read_lines

RATINGS = "".join(
    f"{user}::{item}::{1 + (user + item) % 5}::{978300000 + user}\n" for user in range(1, 7) for item in (2, 10, 11)
)
MOVIES = "2::Misérables, Les (1995)::Drama|Musical\n10::GoldenEye (1995)::Action\n11::Big (1988)::Comedy\n"
CSV_2018 = "".join(f"B{item},A{user},{1 + user % 5}.0,{1400000000 + user}\n" for user in range(6) for item in range(6))
CSV_2023 = "user_id,parent_asin,rating,timestamp\n" + "".join(
    f"A{user},B{item},{1 + user % 5}.0,{1400000000123 + user}\n" for user in range(6) for item in range(6)
)
REVIEWS = "".join(
    json.dumps({"reviewerID": f"A{user}", "asin": f"B{item}", "overall": 4.0, "unixReviewTime": 1400000000 + user})
    + "\n"
    for user in range(6)
    for item in range(6)
)
METADATA = "".join(json.dumps({"asin": f"B{item}", "title": f"Book {item}", "brand": "x"}) + "\n" for item in range(6))
METADATA_2014 = "".join(f"{{'asin': 'B{item}', 'title': 'Book \\'{item}\\''}}\n" for item in range(6))

FIELDS = st.sampled_from(
    [b"5,0", b"5.5", b"0", b"6", b"-1", b"1e9", b"nan", b"inf", b"", b" 5", b"\xd9\xa5", b"1400000000123",
     b"-1400000000",
     b"99999999999", b"9" * 400, b"9" * 5_000, b"NULL", b"null", b"true", b"[]", b"{}", b'"', b"'", b"::", b",",
     b"\t", b"|", b";",
     b"\0", b"\r", b"\x1b[2J", b"\x85", b"\xe2\x80\xae", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"\xff\xfe", b"\xc3\x28",
     b"\xed\xa0\x80",
     b"\\ud800", b"x" * 1_000_000, b"[" * 5_000, b"{" * 300, b"(" * 3_000, b"-" * 3_000,
     b"__import__('os').system('id')", b"<script>", b"=1+1"]
)  # fmt: skip


@st.composite
def damaged(draw, text: str, encoding: str = "utf-8") -> bytes:
    """A text file after a few accidents."""
    content = text.encode(encoding)
    for _ in range(draw(st.integers(1, 3))):
        lines = content.splitlines(keepends=True) or [b""]
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.integers(0, 9)):
            case 0:
                content = content[: draw(st.integers(0, len(content)))]
            case 1:
                place = draw(st.integers(0, len(content)))
                content = content[:place] + draw(FIELDS | st.binary(max_size=4)) + content[place:]
            case 2:
                content = b"".join(draw(st.permutations(lines[:12]))) + b"".join(lines[12:])
            case 3:
                content = b"".join([*lines, *lines[at : at + 3]])
            case 4:
                del lines[at]
                content = b"".join(lines)
            case 5:
                content = content.replace(b"\n", draw(st.sampled_from([b"\r\n", b"\r", b"\n\n", b"", b"\0\n"])))
            case 6:
                words = re.findall(rb"[\w.]+", lines[at]) or [b"\n"]
                lines[at] = lines[at].replace(draw(st.sampled_from(words)), draw(FIELDS | st.binary(max_size=6)), 1)
                content = b"".join(lines)
            case 7:
                content = (
                    draw(st.sampled_from([b"\xef\xbb\xbf", b"\xff\xfe", b"PK\x03\x04", b"\x1f\x8b", b"PAR1"])) + content
                )
            case 8:
                content = content.decode("latin-1").encode(draw(st.sampled_from(["utf-8", "utf-16", "utf-7"])))
            case _:
                separator = draw(st.sampled_from([b"::", b",", b'"', b":"]))
                content = content.replace(separator, draw(st.sampled_from([b";", b"\t", b" ", b"", b",,"])))
    return content


@st.composite
def packed(draw, content: bytes) -> bytes:
    """`content` as gzip, torn or with a flipped byte now and then."""
    whole = bytearray(gzip.compress(content, mtime=0))
    match draw(st.integers(0, 5)):
        case 0:
            del whole[draw(st.integers(0, len(whole))) :]
        case 1:
            whole[draw(st.integers(0, len(whole) - 1))] ^= 1 << draw(st.integers(0, 7))
        case 2:
            whole += draw(st.sampled_from([bytes(whole), b"\0\0", b"rubbish"]))
        case 3:
            return content
    return bytes(whole)


def placed(told, *files: Path) -> None:
    """Read, or refused with the file's name; with a line or key where the file has any."""
    if told.code:
        assert told.code == 2
        assert any(str(file) in told.error for file in files), told.error


def test_movielens(r2rec, tmp_path, fuzz):
    folder = tmp_path / "data" / "ml-1m"
    folder.mkdir()

    def case(ratings: bytes, movies: bytes, which: int) -> None:
        (folder / "ratings.dat").write_bytes(ratings if which != 1 else RATINGS.encode())
        (folder / "movies.dat").write_bytes(movies if which else MOVIES.encode("latin-1"))
        placed(r2rec("data", "stats", "movielens-1m"), folder / "ratings.dat", folder / "movies.dat")

    fuzz(case, damaged(RATINGS), damaged(MOVIES, "latin-1"), st.integers(0, 2), short=25, long_=1_200)


FORMS = {
    "ratings_Books.csv": (CSV_2018, "2014"),
    "Books.csv": (CSV_2018, "2018"),
    "Books.csv.gz": (CSV_2023, "2023"),
    "reviews_Books_5.json.gz": (REVIEWS, "2014"),
    "Books_5.json.gz": (REVIEWS, "2018"),
}


def test_amazon(r2rec, tmp_path, fuzz):
    folder = tmp_path / "data" / "amazon-books"
    folder.mkdir()

    def case(name: str, data: st.DataObject) -> None:
        text, release = FORMS[name]
        for file in folder.iterdir():
            file.unlink()
        listed = {"2014": METADATA_2014, "2018": METADATA, "2023": METADATA}[release].encode()
        content, which = data.draw(damaged(text)), data.draw(st.integers(0, 2))
        content = text.encode() if which == 1 else content
        listed = data.draw(damaged(listed.decode())) if which else listed
        ratings = folder / name
        metadata = folder / ("meta_Books.jsonl.gz" if release == "2023" else "meta_Books.json.gz")
        ratings.write_bytes(data.draw(packed(content)) if name.endswith(".gz") else content)
        metadata.write_bytes(data.draw(packed(listed)))
        placed(r2rec("data", "stats", f"amazon-books:{release}"), ratings, metadata)

    fuzz(case, st.sampled_from(sorted(FORMS)), st.data(), short=25, long_=1_500)


COLUMN = st.sampled_from(
    [
        [1, 2, 3], [1.5, 2.5, None], ["5,0", "x", ""], [None] * 3, [b"a", b"\xff", b""], [[1], [2], []], [True, False,
        True],
        ["a", "b", "a"], ["\x1b[31m", "\u202e", "\0"], ["", " ", "\n"], [1.4e12, 1.4e12, 1], [-1, 10**18, 2**63 - 1],
        ["9" * 5_000, "1", "2"], [5.0, 3.0, float("nan")], [float("inf"), 1, 2], ["t" * 1_000_000, "u", "v"],
        pd.to_datetime(["2020-01-01"] * 3), pd.Categorical(["a", "b", "a"]), [{"a": 1}, {"a": 2}, {"a": 3}],
        pd.array([1, None, 3], "Int64"), pd.to_timedelta([1, 2, 3]), [complex(1).real, 2, 3], ["\ufeffa", "b", "c"],
    ]
)  # fmt: skip
INTERACTIONS = {
    "user_id": ["u1", "u1", "u2"],
    "item_id": ["a", "b", "a"],
    "rating": [5.0, 3.0, 4.0],
    "timestamp": [10, 20, 30],
}
TITLES = {"item_id": ["a", "b", "c"], "title": ["Alien", "Big", "Cube"], "genres": ["x", "y", "z"]}


@st.composite
def parquet(draw, columns: dict[str, list], path: Path) -> None:
    """Writes a table that has lost, gained or exchanged columns; torn or with a flipped byte now and then."""
    table = dict(columns)
    for _ in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from([*columns, "user_seq_pos", "brand", "extra\x1b[2J"]))
        if draw(st.integers(0, 3)):
            table[name] = draw(COLUMN)
        else:
            table.pop(name, None)
    pd.DataFrame(table).to_parquet(path)
    content = bytearray(path.read_bytes())
    match draw(st.integers(0, 5)):
        case 0:
            del content[draw(st.integers(0, len(content))) :]
        case 1:
            for _ in range(draw(st.integers(1, 4))):
                content[draw(st.integers(0, len(content) - 1))] ^= 1 << draw(st.integers(0, 7))
        case 2:
            pd.DataFrame(table).to_csv(path)
            return
    path.write_bytes(bytes(content))


def test_parquet(r2rec, tmp_path, fuzz):
    folder = tmp_path / "data" / "shop"
    folder.mkdir()

    def case(data: st.DataObject) -> None:
        data.draw(parquet(INTERACTIONS, folder / "interactions.parquet"))
        data.draw(parquet(TITLES, folder / "items.parquet"))
        placed(r2rec("data", "stats", "shop"), folder / "interactions.parquet", folder / "items.parquet")

    fuzz(case, st.data(), short=25, long_=1_200)


def zipped(path: Path, monkeypatch, **members: bytes) -> None:
    """A zip at `path` whose checksum is taken for the official one."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    accept(path, monkeypatch)


def accept(path: Path, monkeypatch) -> None:
    md5 = hashlib.md5(path.read_bytes()).hexdigest()
    monkeypatch.setattr(MovieLens1M, "archive", replace(MovieLens1M.archive, md5=md5))


RELEASE = {"ml-1m/ratings.dat": RATINGS.encode(), "ml-1m/movies.dat": MOVIES.encode("latin-1")}


def test_zips(r2rec, tmp_path, fuzz, monkeypatch):
    archive = tmp_path / "data" / "ml-1m.zip"

    def case(extra: dict[str, bytes], cut: int | None, flips: list[tuple[int, int]]) -> None:
        zipped(archive, monkeypatch, **RELEASE, **extra)
        content = bytearray(archive.read_bytes())
        for place, bit in flips:
            content[place % len(content)] ^= 1 << bit
        archive.write_bytes(bytes(content[:cut]))
        accept(archive, monkeypatch)
        before = {file for file in tmp_path.rglob("*") if "artifacts" not in file.parts}
        placed(r2rec("data", "stats", "movielens-1m"), archive)
        assert {file for file in tmp_path.rglob("*") if "artifacts" not in file.parts} == before

    names = st.sampled_from(["../evil", "/etc/evil", "ml-1m/../../evil", "C:\\evil", "ml-1m/ratings.dat/x", "a\x1b[2J"])
    torn = st.none() | st.integers(0, 600)
    flips = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 7)), max_size=3)
    fuzz(case, st.dictionaries(names, st.binary(max_size=20), max_size=3), torn, flips, short=25, long_=1_000)


def test_a_zip_bomb_is_refused_by_what_it_says_and_by_what_it_does(r2rec, tmp_path, monkeypatch):
    archive = tmp_path / "data" / "ml-1m.zip"
    monkeypatch.setattr(fetch, "MAX_BYTES", 1_000_000)
    bomb = {**RELEASE, "ml-1m/ratings.dat": b"1" * 4_000_000}
    zipped(archive, monkeypatch, **bomb)
    told = r2rec("data", "stats", "movielens-1m")
    assert (told.code, f"{archive}: unpacks to 4000" in told.error) == (2, True)
    # The same, but its directory says that it is small: what counts is what comes out.
    content = archive.read_bytes()
    archive.write_bytes(content.replace(struct.pack("<I", 4_000_000), struct.pack("<I", 1_000)))
    accept(archive, monkeypatch)
    placed(told := r2rec("data", "stats", "movielens-1m"), archive)
    assert told.code == 2


def test_a_gzip_bomb_is_one_long_line_or_none(r2rec, tmp_path):
    folder = tmp_path / "data" / "amazon-books"
    folder.mkdir()
    (folder / "Books_5.json.gz").write_bytes(gzip.compress(b" " * (1 << 25)))
    (folder / "meta_Books.json.gz").write_bytes(gzip.compress(METADATA.encode()))
    told = r2rec("data", "stats", "amazon-books")
    assert (told.code, "Books_5.json.gz:1: a line of more than" in told.error) == (2, True)


def test_lines_of_thoughts(tmp_path, fuzz):
    thoughts = (Said(step=1, weight=1, forecast=4, text="Most who knew it went on."),)
    line = Line(user="1", item="2", position=3, pieces=("Step 1: a",), thoughts=thoughts)
    file = tmp_path / "lines.jsonl"

    def case(content: bytes) -> None:
        file.write_bytes(content)
        _, problems = read_lines(file)
        assert all(problem.where.startswith(f"{file}:") for problem in problems)
        str(ConfigError(str(file), problems))

    fuzz(case, damaged(f"{line.model_dump_json()}\n" * 3), short=50, long_=1_000)
