"""Hostile titles in documents."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r2rec_bench.report.text import latex, markdown


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a|b", r"a\|b"),
        ("`x`", r"\`x\`"),
        ("<b>", r"\<b\>"),
        ("[x](http://y)", r"\[x\](http\://y)"),
        ("www.x", r"www\.x"),
        ("a\r\nb\x1b", "a  b "),
        ("&amp;", r"\&amp;"),
        ("The Good, the Bad (1966)", "The Good, the Bad (1966)"),
    ],
)
def test_markdown_is_shown_literally(text: str, escaped: str):
    assert markdown(text) == escaped


@given(st.text())
def test_no_character_of_markdown_stays_unescaped_and_nothing_else_is_lost(text: str):
    escaped = markdown(text)
    assert "\n" not in escaped
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_\[\]<>{}|!~$#&]", escaped)
    assert re.sub(r"\\(.)", r"\1", escaped) == "".join(c if c.isprintable() else " " for c in text)


def test_latex_is_typeset_literally():
    assert latex("50% of R&B_#1 {x} \\ ^~") == (
        r"50\% of R\&B\_\#1 \{x\} \textbackslash{} \textasciicircum{}\textasciitilde{}"
    )
