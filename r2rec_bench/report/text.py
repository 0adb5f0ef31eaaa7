"""Titles come from outside and are hostile text: how they enter a document without becoming part of its language."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tabulate import tabulate

_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    "†": r"\textdagger{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


def one_line(text: str) -> str:
    """`text` without line breaks and without characters that cannot be seen."""
    return "".join(character if character.isprintable() else " " for character in text)


def markdown(text: str) -> str:
    """`text` as CommonMark and GitHub show it literally, in tables too."""
    return re.sub(r"([\\`*_\[\]<>{}|!~$#&]|(?<=www)\.|:(?=//))", r"\\\1", one_line(text))


def in_markdown(heads: Sequence[str], body: Sequence[Sequence[str]], *alignment: str) -> str:
    """A table of Markdown; what stands in the body is escaped where it is put in.

    Args:
        heads: of the columns.
        body: (rows, columns).
        alignment: `left` or `right` for each column.
    """
    return tabulate(body, list(map(markdown, heads)), tablefmt="pipe", disable_numparse=True, colalign=alignment)


def latex(text: str) -> str:
    """`text` as LaTeX typesets it literally."""
    return "".join(_LATEX.get(character, character) for character in one_line(text))
