"""Tables for papers: LaTeX with booktabs, each complete with its caption and label."""

from __future__ import annotations

import re
from collections.abc import Sequence

from r2rec_bench.report.table import Cell, Table
from r2rec_bench.report.text import latex

PACKAGES = ("booktabs", "adjustbox", "rotating")
_HEAD = f"% Needs the packages {', '.join(PACKAGES)}; names beyond Latin letters need LuaLaTeX or XeLaTeX.\n"
_UPRIGHT = 7
"""Columns that can be read across a page; more of them are set along it."""
_MINUS = re.compile(r"(?<![\w.-])-(?=\d)")
"""Of a number; LaTeX would set it as a hyphen."""


def latex_table(table: Table, caption: str, label: str, *, runs: bool = True) -> str:
    """A floating table: best in bold, second underlined, a raised dagger for what differs from the reference.

    Args:
        table: the cells; the first column is set to the left.
        caption: plain text.
        label: of any characters; those that LaTeX refuses become hyphens.
        runs: whether the last column holds run ids, which are set to the left.
    """
    columns = f"l{'r' * (len(table.heads) - 2)}{'l' if runs else 'r'}"
    floating = "table" if len(table.heads) <= _UPRIGHT else "sidewaystable"
    lines = [
        rf"\begin{{{floating}}}[tbp]",
        r"\centering",
        rf"\caption{{{latex(caption)}}}",
        rf"\label{{tab:{re.sub(r'[^A-Za-z0-9.+]+', '-', label)}}}",
        r"\medskip",
        r"\begin{adjustbox}{max width=\linewidth}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        _row([latex(head) for head in table.heads]),
        r"\midrule",
        *(_row(list(map(_cell, row))) for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{adjustbox}",
        rf"\end{{{floating}}}",
    ]
    return _HEAD + "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    # After the end of the row before, a star or a bracket would be read as an argument of it.
    guard = "{}" if cells[0].startswith(("[", "*")) else ""
    return guard + " & ".join(cells) + r" \\"


def _cell(cell: Cell) -> str:
    value = latex(cell.value)
    placed = {1: rf"\textbf{{{value}}}", 2: rf"\underline{{{value}}}"}.get(cell.place, value)
    dagger = r"\textsuperscript{\textdagger}" if cell.marked else ""
    return _MINUS.sub(r"\\textminus{}", f"{placed}{dagger} {cell.interval}".rstrip())
