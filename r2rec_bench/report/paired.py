"""What every table tells of a comparison beside the difference itself."""

from __future__ import annotations

from collections.abc import Iterator

from r2rec_bench.report.comparisons import Comparisons, Paired
from r2rec_bench.report.table import SD_HEAD, number
from r2rec_bench.report.text import markdown


def paired_heads(*, several: bool) -> tuple[str, ...]:
    """Of `paired_figures`.

    Args:
        several: whether any of the table's rows has several seeds.
    """
    return (*([SD_HEAD] if several else []), "p", "p, Holm", "Win / tie / loss", "Detectable")


def paired_figures(pair: Paired, *, several: bool) -> tuple[str, ...]:
    """From what seeds differ by to what could have been found."""
    c = pair.comparison
    return (
        *([number(c.seeds.sd)] if several else []),
        f"{c.p_value:.4f}",
        f"{pair.adjusted:.4f}",
        f"{c.wins} / {c.ties} / {c.losses}",
        number(pair.detectable),
    )


def left_out(comparisons: Comparisons) -> Iterator[str]:
    """The rows that could not be compared, a sentence each, in Markdown."""
    for row, reason in comparisons.left_out:
        yield f"Not compared with {markdown(row.label)} ({row.short_id}): {markdown(reason)}."
