"""Tables for papers: LaTeX with booktabs, each complete with its caption and label."""

from __future__ import annotations

import re
from collections.abc import Sequence

from r2rec_bench.report.table import Cell, Table
from r2rec_bench.report.text import latex

_HEAD = "% Needs the packages booktabs and adjustbox; names beyond Latin letters need LuaLaTeX or XeLaTeX.\n"


def latex_table(table: Table, caption: str, label: str) -> str:
    """A `table` environment: best in bold, second underlined, a raised dagger for what differs from the reference.

    Args:
        table: the cells; the first column and the last are set to the left.
        caption: plain text.
        label: of any characters; those that LaTeX refuses become hyphens.
    """
    columns = f"l{'r' * (len(table.heads) - 2)}l"
    lines = [
        r"\begin{table}[tbp]",
        r"\centering",
        rf"\caption{{{latex(caption)}}}",
        rf"\label{{tab:{re.sub(r'[^A-Za-z0-9.+]+', '-', label)}}}",
        r"\begin{adjustbox}{max width=\linewidth}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        _row([latex(head) for head in table.heads]),
        r"\midrule",
        *(_row(list(map(_cell, row))) for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{adjustbox}",
        r"\end{table}",
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
    return f"{placed}{dagger} {cell.interval}".rstrip()
