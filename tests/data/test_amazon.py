"""The official Amazon releases, in small files of the same form."""

import gzip
import json

import numpy as np
import pytest

from r2rec_bench.core.errors import InputError, NoDataError
from r2rec_bench.data import amazon
from r2rec_bench.data.amazon import read_metadata, read_ratings, read_reviews
from r2rec_bench.data.sources.amazon import NO_METADATA, AmazonBooks, AmazonConfig, AmazonElectronics

# Ann, Bob and Cy reviewed the same three books; Dee reviewed one of them and one that nobody else has.
EVENTS = [
    *((user, item, 5 - k, 1_400_000_000 + 10 * k) for k, item in enumerate("XYZ") for user in ("Ann", "Bob", "Cy")),
    ("Dee", "X", 1, 1_500_000_000),
    ("Dee", "W", 2, 1_500_000_100),
    ("Ann", "X", 1, 1_600_000_000),  # again, later: the first one counts
]
TITLES = {"X": "War &amp; Peace", "Y": "<b>Emma</b>", "Z": ""}


def packed(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    content = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def csv_2014(folder):
    return packed(folder / "ratings_Books.csv", [f"{u},{i},{r}.0,{t}" for u, i, r, t in EVENTS])


def csv_2018(folder):
    return packed(folder / "Books.csv", [f"{i},{u},{r}.0,{t}" for u, i, r, t in EVENTS])


def csv_2023(folder):
    rows = [f"{u},{i},{r}.0,{t * 1000 + 7}" for u, i, r, t in EVENTS]
    return packed(folder / "Books.csv.gz", ["user_id,parent_asin,rating,timestamp", *rows])


def reviews_2018(folder, name="Books_5.json.gz"):
    return packed(
        folder / name,
        [
            json.dumps({"overall": float(r), "reviewerID": u, "asin": i, "unixReviewTime": t, "reviewText": "…"})
            for u, i, r, t in EVENTS
        ],
    )


def reviews_2014(folder):
    return reviews_2018(folder, "reviews_Books_5.json.gz")


def reviews_2023(folder):
    return packed(
        folder / "Books.jsonl.gz",
        [json.dumps({"rating": r, "user_id": u, "parent_asin": i, "timestamp": t * 1000}) for u, i, r, t in EVENTS],
    )


def metadata(folder, release):
    match release:
        case "2014":
            return packed(
                folder / "meta_Books.json.gz", [repr({"asin": i, "title": t, "price": None}) for i, t in TITLES.items()]
            )
        case "2018":
            lines = [json.dumps({"asin": i, "title": t, "brand": "Penguin"}) for i, t in TITLES.items()]
            return packed(folder / "meta_Books.json.gz", [*lines, lines[0].replace("War", "Another")])
        case _:
            return packed(
                folder / "meta_Books.jsonl.gz",
                [json.dumps({"parent_asin": i, "title": t, "store": "Penguin"}) for i, t in TITLES.items()],
            )


FORMS = [
    (csv_2014, "2014"),
    (reviews_2014, "2014"),
    (csv_2018, "2018"),
    (reviews_2018, "2018"),
    (csv_2023, "2023"),
    (reviews_2023, "2023"),
]


@pytest.mark.parametrize(("form", "release"), FORMS)
def test_every_official_form_gives_the_same_data_set(roots, form, release):
    folder = roots.data / "amazon-books"
    form(folder)
    metadata(folder, release)
    dataset = AmazonBooks(AmazonConfig(release=release, core=2)).load()
    log = dataset.log
    assert (log.user_ids, log.item_ids) == (("Ann", "Bob", "Cy"), ("X", "Y", "Z"))
    assert log.rating.reshape(3, 3).tolist() == [[5, 4, 3]] * 3
    assert log.time.reshape(3, 3).tolist() == [[1_400_000_000, 1_400_000_010, 1_400_000_020]] * 3
    assert dataset.catalog.titles == ("War & Peace", "<b>Emma</b>", "untitled item Z")
    assert dataset.name == f"amazon-books-{release}"
    assert dataset.drops == {
        "repeated (user, item) pairs, the first kept": 1,
        "interactions outside the 2-core": 2,
        "items without a title, named by their id": 1,
    }


def test_items_that_the_metadata_do_not_list_are_counted(roots):
    csv_2018(roots.data / "amazon-books")
    metadata(roots.data / "amazon-books", "2018")
    dataset = AmazonBooks(AmazonConfig(core=1)).load()
    assert dataset.log.item_ids == ("W", "X", "Y", "Z")
    assert dataset.catalog.titles[0] == "untitled item W"
    assert dataset.drops[NO_METADATA] == 1
    assert dataset.catalog.attributes[1] == "Penguin"


def test_what_was_read_is_kept_until_the_files_change(roots):
    folder = roots.data / "amazon-books"
    file = csv_2018(folder)
    metadata(folder, "2018")
    source = AmazonBooks(AmazonConfig(core=2))
    first = source.load()
    (folder / "meta_Books.json.gz").touch()
    file.write_text(file.read_text().replace("X,Ann,5.0", "X,Ann,4.0"))
    assert first.log.rating[0] == 5
    assert source.load().log.rating[0] == 4


def test_releases_are_kept_apart_by_folder(roots):
    for release, form in (("2014", csv_2014), ("2018", csv_2018)):
        form(roots.data / f"amazon-books-{release}")
        metadata(roots.data / f"amazon-books-{release}", release)
    names = [AmazonBooks(AmazonConfig(release=release, core=2)).load().name for release in ("2014", "2018")]
    assert names == ["amazon-books-2014", "amazon-books-2018"]


def test_nowhere_to_be_had_says_where_it_was_looked_for_and_what_to_fetch(roots):
    with pytest.raises(NoDataError) as error:
        AmazonElectronics().load()
    message = str(error.value)
    assert f"{roots.data / 'amazon-electronics-2018'}" in message
    assert "R2REC_OFFLINE is set" in message
    assert "Electronics_5.json.gz and https://" in message


def test_interactions_without_metadata_are_refused(roots):
    file = csv_2018(roots.data / "amazon-books")
    with pytest.raises(NoDataError, match=f"{file} lies there without meta_Books.json.gz"):
        AmazonBooks().load()


def test_a_core_of_nothing_is_refused(roots):
    csv_2018(roots.data / "amazon-books")
    metadata(roots.data / "amazon-books", "2018")
    with pytest.raises(InputError, match="no user and item has 9 interactions; lower `core`"):
        AmazonBooks(AmazonConfig(core=9)).load()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("X,Bob,5.0", r"Books\.csv:2: Expected 4 columns, got 3"),
        ("X,Bob,five,7", r"Books\.csv:2: CSV conversion error to float: invalid value 'five'"),
        ("X,Bob,6.0,7", r"Books\.csv:2: rating '6.0'; expected 1 to 5"),
        ("X,Bob,5.0,-7", r"Books\.csv:2: time '-7'"),
    ],
)
def test_a_bad_rating_line_is_named(tmp_path, line, message):
    with pytest.raises(InputError, match=message):
        read_ratings(packed(tmp_path / "Books.csv", ["X,Ann,5.0,7", line, "X,Cy,5.0,7"]))


@pytest.mark.parametrize("block", [40, 200, 1 << 20])
def test_a_file_read_in_blocks_is_the_same(tmp_path, monkeypatch, block):
    monkeypatch.setattr(amazon, "_BLOCK", block)
    rng = np.random.default_rng(0)
    rows = [(f"I{rng.integers(9)}", f"U{rng.integers(30)}", 1.0 + k % 5, k) for k in range(300)]
    log = read_ratings(packed(tmp_path / "Books.csv", ["{},{},{},{}".format(*row) for row in rows]))
    items, users = log.item_ids[log.item], log.user_ids[log.user]
    assert list(zip(items, users, log.rating.tolist(), log.time.tolist(), strict=True)) == rows
    assert log.user_ids.tolist() == list(dict.fromkeys(user for _, user, _, _ in rows))
    assert log.item_ids.tolist() == list(dict.fromkeys(item for item, _, _, _ in rows))


@pytest.mark.parametrize("line", ["X,Bob,5.0", "X,Bob,five,7", "X,Bob,6.0,7", "X,Bob,5.0,-7"])
def test_a_bad_line_of_a_later_block_is_named(tmp_path, monkeypatch, line):
    monkeypatch.setattr(amazon, "_BLOCK", 40)
    with pytest.raises(InputError, match=r"Books\.csv:31: "):
        read_ratings(packed(tmp_path / "Books.csv", [*["X,Ann,5.0,7"] * 30, line, "X,Cy,5.0,7"]))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", r":2: b'\{.*; expected one JSON object"),
        ("[1]", ":2: list; expected one JSON object"),
        ("__import__('os').getcwd()", ":2: .*expected one JSON object"),
        (
            '{"reviewerID": 3, "asin": "X", "overall": 5, "unixReviewTime": 7}',
            ":2: reviewerID 3, asin 'X'; expected two",
        ),
        ('{"reviewerID": "A", "asin": "X", "overall": "5,0", "unixReviewTime": 7}', ":2: overall '5,0'.*two numbers"),
        ('{"reviewerID": "A", "asin": "X", "overall": NaN, "unixReviewTime": 7}', ":2: overall nan, .*two numbers"),
        ('{"reviewerID": "A", "asin": "X", "overall": 9, "unixReviewTime": 7}', ":2: rating '9.0'; expected 1 to 5"),
        ('{"reviewerID": "A", "asin": "X", "overall": 5, "unixReviewTime": NaN}', "unixReviewTime nan; .*two numbers"),
        ('{"reviewerID": "A", "asin": "X", "overall": 5, "unixReviewTime": 1' + 30 * "0" + "}", "0000; .*two numbers"),
        ('{"reviewerID": "A", "asin": "X", "overall": 5, "unixReviewTime": -Infinity}', "-inf; .*two numbers"),
    ],
)
def test_a_bad_review_line_is_named(tmp_path, line, message):
    good = '{"reviewerID": "A", "asin": "X", "overall": 5, "unixReviewTime": 7}'
    with pytest.raises(InputError, match=message):
        read_reviews(packed(tmp_path / "Books_5.json.gz", [good, line]))


def test_metadata_without_an_id_are_named(tmp_path):
    with pytest.raises(InputError, match=r"meta\.json:1: no parent_asin and no asin"):
        read_metadata(packed(tmp_path / "meta.json", ['{"title": "Emma"}']), {"X"})


@pytest.mark.parametrize("read", [read_reviews, read_ratings])
def test_a_download_that_broke_off_is_refused(tmp_path, read):
    rng = np.random.default_rng(0)
    file = packed(tmp_path / "Books.csv.gz", [f"X{k},A{k},5.0,{t}" for k, t in enumerate(rng.integers(0, 10**9, 5000))])
    file.write_bytes(file.read_bytes()[:-2000])
    with pytest.raises(InputError, match=r"damaged|expected one JSON|runcated|expected user"):
        read(file)


def test_empty_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="no reviews"):
        read_reviews(packed(tmp_path / "a.json", []))
    with pytest.raises(InputError, match=r"Empty CSV|no ratings"):
        read_ratings(packed(tmp_path / "a.csv", []))
