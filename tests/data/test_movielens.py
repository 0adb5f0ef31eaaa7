"""The official forms, made small here: unpacked, zipped, and broken in every way that has a message."""

import hashlib
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from r2rec_bench.core.errors import InputError
from r2rec_bench.data.fetch import Archive
from r2rec_bench.data.sources.movielens import MovieLens1M, MovieLens100K

RATINGS = "1::2::5::978300760\n1::10::3::978300759\n2::2::4::978298413\n"
MOVIES = "2::Misérables, Les (1995)::Drama|Musical\n10::GoldenEye (1995)::Action\n11::Never Rated::Comedy\n"


def u_item(number, title, *genres):
    flags = ["1" if position in genres else "0" for position in range(19)]
    return "|".join([str(number), title, "01-Jan-1995", "", "http://x", *flags])


U_DATA = "1\t2\t5\t978300760\n1\t10\t3\t978300759\n2\t2\t4\t978298413\n"
U_ITEM = "\n".join([u_item(2, "Misérables, Les (1995)", 8, 12), u_item(10, "GoldenEye (1995)", 1)]) + "\n"

FORMS = {
    MovieLens1M: {"ratings.dat": RATINGS, "movies.dat": MOVIES},
    MovieLens100K: {"u.data": U_DATA, "u.item": U_ITEM},
}


def unpack(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode("latin-1"))
    return folder


def official(monkeypatch, path, source=MovieLens1M, extra=(), **changes):
    """A zip of the official form at `path`, whose checksum is taken for the official one."""
    with zipfile.ZipFile(path, "w") as made:
        for name, text in FORMS[source].items():
            made.writestr(f"{source.release}/{name}", text.encode("latin-1"))
        for name in extra:
            made.writestr(name, "evil")
    md5 = hashlib.md5(path.read_bytes()).hexdigest()
    monkeypatch.setattr(source, "archive", replace(source.archive, md5=md5, **changes))
    return path


def assert_is_the_small_one(dataset, attributes=("Drama, Musical", "Action")):
    log = dataset.log
    assert (log.user_ids, log.item_ids) == (("1", "2"), ("2", "10"))
    assert log.user.tolist() == [0, 0, 1]
    assert log.item.tolist() == [1, 0, 0]
    assert log.rating.tolist() == [3, 5, 4]
    assert log.time.tolist() == [978300759, 978300760, 978298413]
    assert dataset.catalog.titles == ("Misérables, Les (1995)", "GoldenEye (1995)")
    assert dataset.catalog.attributes == attributes
    assert "no redistribution" in dataset.licence
    assert not dataset.synthetic


@pytest.mark.parametrize("source", FORMS)
@pytest.mark.parametrize("root", ["data", "cache"])
@pytest.mark.parametrize("nested", [False, True])
def test_unpacked_files_are_found(roots, source, root, nested):
    folder = getattr(roots, root) / source.release
    unpack(folder / source.release if nested else folder, FORMS[source])
    dataset = source().load()
    assert_is_the_small_one(dataset)
    assert dataset.origin.startswith(str(folder))


@pytest.mark.parametrize("source", FORMS)
@pytest.mark.parametrize("inside", [False, True])
def test_the_official_zip_is_found_and_its_checksum_verified(roots, monkeypatch, source, inside):
    folder = roots.data / source.release if inside else roots.data
    folder.mkdir(exist_ok=True)
    path = official(monkeypatch, folder / source.archive.name, source)
    dataset = source().load()
    assert_is_the_small_one(dataset)
    assert dataset.origin == f"{path} (MD5 {source.archive.md5}, verified)"


def test_the_parquet_form_is_found_and_its_order_honoured(roots, write_folder):
    write_folder(roots.data / "ml-1m", timestamp=[20, 20, 30], user_seq_pos=[1, 0, 0])
    dataset = MovieLens1M().load()
    assert dataset.name == "movielens-1m"
    assert [dataset.log.item_ids[item] for item in dataset.log.item] == ["b", "a", "a"]
    assert "no redistribution" in dataset.licence


def test_movielens_without_ratings_is_an_error(roots, write_folder):
    write_folder(roots.data / "ml-1m", rating=np.array([5, np.nan, 3], dtype=np.float32))
    with pytest.raises(InputError, match=r"interactions.parquet:2: rating 'nan'; expected 1 to 5"):
        MovieLens1M().load()
    write_folder(roots.data / "ml-1m", rating=None)
    with pytest.raises(InputError, match=r"interactions.parquet: no column rating"):
        MovieLens1M().load()


def test_the_users_own_data_win_over_the_cache(roots):
    unpack(roots.data / "ml-1m", FORMS[MovieLens1M])
    unpack(roots.cache / "ml-1m", {"ratings.dat": "broken", "movies.dat": ""})
    assert_is_the_small_one(MovieLens1M().load())


def test_windows_line_ends_and_a_missing_last_one_are_fine(roots):
    files = {"ratings.dat": RATINGS.replace("\n", "\r\n"), "movies.dat": MOVIES.removesuffix("\n")}
    unpack(roots.data / "ml-1m", files)
    assert_is_the_small_one(MovieLens1M().load())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1::2::5", r"ratings.dat:4: 3 fields; expected 4 separated by '::': user, movie, rating, time"),
        ("", r"ratings.dat:4: an empty line; expected 4 fields"),
        ("1,2,5,978300760", r"ratings.dat:4: 1 fields; expected 4"),
        ("1::2::5::978300760::9", r"ratings.dat:4: 5 fields; expected 4"),
        ("1::two::5::978300760", r"ratings.dat:4: 'two'; expected a whole number of at most 10 digits"),
        ("1::2::4.5::978300760", r"ratings.dat:4: '4.5'; expected a whole number"),
        ("1::2::-1::978300760", r"ratings.dat:4: '-1'; expected a whole number"),
        ("1::2::5::99999999999", r"ratings.dat:4: '99999999999'; expected a whole number of at most 10 digits"),
        ("1::\0::5::978300760", r"ratings.dat:4: a NUL byte; expected text"),
        ("1::2::6::978300760", r"ratings.dat:4: rating '6.0'; expected 1 to 5"),
        ("1::2::0::978300760", r"ratings.dat:4: rating '0.0'; expected 1 to 5"),
        ("1::77::5::978300760", r"ratings.dat:4: item '77'; expected an item of .*movies.dat"),
        ("1::2::5::9999999999", r"ratings.dat:4: time '9999999999'; .*not milliseconds"),
    ],
)
def test_a_malformed_rating_is_named_with_its_line(roots, line, message):
    unpack(roots.data / "ml-1m", {"ratings.dat": f"{RATINGS}{line}\n2::10::1::978298420\n", "movies.dat": MOVIES})
    with pytest.raises(InputError, match=message):
        MovieLens1M().load()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"12::No genres", r"movies.dat:4: 2 fields; expected 3"),
        (b"12::Title::with::Drama", r"movies.dat:4: 4 fields; expected 3"),
        (b"x::Title::Drama", r"movies.dat:4: movie id 'x'; expected a whole number"),
        (b"10::Again::Drama", r"movies.dat:4: movie id 10 again; expected every movie once"),
        (b"12::Ti\0tle::Drama", r"movies.dat:4: a NUL byte; expected text"),
        ("12::Amélie::Drama".encode(), r"movies.dat:4: this file was re-encoded to UTF-8; .*latin-1"),
    ],
)
def test_a_malformed_title_is_named_with_its_line(roots, line, message):
    unpack(roots.data / "ml-1m", {"ratings.dat": RATINGS, "movies.dat": MOVIES.encode("latin-1") + line + b"\n"})
    with pytest.raises(InputError, match=message):
        MovieLens1M().load()


def test_a_malformed_item_of_the_older_form_is_named(roots):
    unpack(roots.data / "ml-100k", {"u.data": U_DATA, "u.item": U_ITEM + "12|Title|date||url|1\n"})
    with pytest.raises(InputError, match=r"u.item:3: 6 fields; expected 24"):
        MovieLens100K().load()


def test_ratings_without_titles_beside_are_named(roots):
    unpack(roots.data / "ml-1m", {"ratings.dat": RATINGS})
    with pytest.raises(InputError, match=r"movies.dat: missing; an official copy has ratings and titles side by side"):
        MovieLens1M().load()


def test_a_zip_that_is_not_the_official_one_is_refused(roots):
    with zipfile.ZipFile(roots.data / "ml-1m.zip", "w") as made:
        made.writestr("ml-1m/ratings.dat", RATINGS)
    with pytest.raises(InputError, match=r"MD5 \w{32}; the official ml-1m.zip has c4d9eecfca.*or unpack it beside"):
        MovieLens1M().load()


def test_members_outside_the_archive_land_nowhere(roots, monkeypatch, tmp_path):
    evil = ["../evil", "/evil", "ml-1m/../../evil"]
    official(monkeypatch, roots.data / "ml-1m.zip", extra=evil)
    before = set(tmp_path.rglob("*"))
    assert_is_the_small_one(MovieLens1M().load())
    assert set(tmp_path.rglob("*")) == before


def test_a_zip_that_unpacks_to_too_much_is_refused(roots, monkeypatch):
    official(monkeypatch, roots.data / "ml-1m.zip")
    monkeypatch.setattr("r2rec_bench.data.fetch.MAX_BYTES", 50)
    with pytest.raises(InputError, match=r"ml-1m.zip: unpacks to \d+ bytes; at most 50 are read"):
        MovieLens1M().load()


@pytest.mark.parametrize("way", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_packed_in_another_way_is_refused(roots, monkeypatch, way):
    path = official(monkeypatch, roots.data / "ml-1m.zip")
    content = path.read_bytes()
    listed = content.index(b"PK\x01\x02") + 10  # the first member's way, where members are listed
    content = content[:listed] + way.to_bytes(2, "little") + content[listed + 2 :]
    path.write_bytes(content)
    md5 = hashlib.md5(content).hexdigest()
    monkeypatch.setattr(MovieLens1M, "archive", replace(MovieLens1M.archive, md5=md5))
    with pytest.raises(InputError, match=r"ml-1m.zip: a member is packed in a way .* Fetch it again."):
        MovieLens1M().load()


def test_a_zip_whose_members_are_said_to_lie_before_its_beginning_is_refused(roots, monkeypatch):
    path = official(monkeypatch, roots.data / "ml-1m.zip")
    content = bytearray(path.read_bytes())
    listed_at = slice(len(content) - 6, len(content) - 2)  # in the end record: where the list of members begins
    content[listed_at] = (int.from_bytes(content[listed_at], "little") + 1_000).to_bytes(4, "little")
    path.write_bytes(content)
    md5 = hashlib.md5(content).hexdigest()
    monkeypatch.setattr(MovieLens1M, "archive", replace(MovieLens1M.archive, md5=md5))
    with pytest.raises(InputError, match=r"ratings.dat: .*the download is damaged or not complete. Fetch it again."):
        MovieLens1M().load()


def test_a_download_falls_back_on_the_mirror_and_is_kept(roots, monkeypatch, tmp_path):
    monkeypatch.delenv("R2REC_OFFLINE")
    (tmp_path / "wrong.zip").write_bytes(b"an error page")
    urls = tuple((tmp_path / name).as_uri() for name in ("gone.zip", "wrong.zip", "right.zip"))
    official(monkeypatch, tmp_path / "right.zip", urls=urls)
    assert_is_the_small_one(MovieLens1M().load())
    assert [file.name for file in roots.cache.iterdir()] == ["ml-1m.zip"]
    monkeypatch.setenv("R2REC_OFFLINE", "1")
    assert_is_the_small_one(MovieLens1M().load())


def test_a_failed_download_says_why_at_every_address_and_leaves_nothing(roots, monkeypatch, tmp_path):
    monkeypatch.delenv("R2REC_OFFLINE")
    (tmp_path / "wrong.zip").write_bytes(b"an error page")
    urls = ((tmp_path / "gone.zip").as_uri(), (tmp_path / "wrong.zip").as_uri())
    monkeypatch.setattr(MovieLens1M, "archive", Archive("ml-1m.zip", "0" * 32, urls))
    with pytest.raises(
        InputError, match=r"(?s)gone.zip: .*No such file.*wrong.zip: MD5 \w{32}; the official file has 0"
    ):
        MovieLens1M().load()
    assert list(roots.cache.iterdir()) == []


def test_when_there_is_nothing_every_place_and_the_remedy_are_named(roots):
    with pytest.raises(InputError) as caught:
        MovieLens100K().load()
    message = str(caught.value)
    for root in (roots.data, roots.cache):
        for place in ("ml-100k", "ml-100k/ml-100k", "ml-100k/ml-100k.zip", "ml-100k.zip"):
            assert f"  {root / place}\n" in message
    assert "'movielens-100k' is nowhere to be had" in message
    assert "download: not tried, R2REC_OFFLINE is set" in message
    assert "https://files.grouplens.org/datasets/movielens/ml-100k.zip by hand and set R2REC_DATA" in message
