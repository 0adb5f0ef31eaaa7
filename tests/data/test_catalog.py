import pytest
from hypothesis import given
from hypothesis import strategies as st

from r2rec_bench.data.catalog import UNTITLED, RawItems, build_catalog, clean


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("Tom &amp; Jerry&#39;s", "Tom & Jerry's"),
        ("  two\n\tlines\u2028here  ", "two lines here"),
        ("red\x1b[31m \x00alert\x7f", "red[31m alert"),
        ("hidden\u202eorder\u200b &#x202e;", "hiddenorder"),
        ("Am\u00e9lie\u00a0(2001)", "Am\u00e9lie (2001)"),
        (" \u200b ", ""),
    ],
)
def test_outside_text_becomes_one_visible_line(raw, cleaned):
    assert clean(raw) == cleaned


@given(st.text())
def test_clean_text_is_printable_and_collapsed(text):
    cleaned = clean(text)
    assert cleaned.isprintable()
    assert cleaned == " ".join(cleaned.split())


def test_titles_follow_the_ids_asked_for_and_a_missing_one_is_named_by_its_id():
    raw = RawItems("f", {"a": "Same", "b": "Same", "c": "&nbsp;", "unused": ""}, {"b": "Drama &amp; War"})
    catalog, counts = build_catalog(raw, ["b", "c", "a"])
    assert catalog.titles == ("Same", "untitled item c", "Same")
    assert catalog.attributes == ("Drama & War", "", "")
    assert counts == {UNTITLED: 1}


def test_nothing_is_counted_where_nothing_was_changed():
    assert build_catalog(RawItems("f", {"a": "A"}, {}), ["a"])[1] == {}
