"""`r2rec compare`: stored runs against each other, paired by user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from r2rec_bench.cli.console import safe, shout, show_table

if TYPE_CHECKING:
    from r2rec_bench.report.comparisons import Comparisons, Paired


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            help="Run ids, or their beginnings; those of one system under several seeds joined by commas.",
            metavar="RUN RUN...",
        ),
    ],
    metric: Annotated[str, typer.Option(help="A stored metric, such as ndcg@10.")] = "hr@1",
) -> None:
    """Compare the first system with each of the others: difference, interval, p-values, and what could be found.

    All must have been asked the same users about the same candidates, under as many seeds, or one of the two under a
    single one.
    """
    from r2rec_bench.cli.studies import artifact_store
    from r2rec_bench.core.errors import InputError
    from r2rec_bench.report.comparisons import against
    from r2rec_bench.report.study import system_of

    store = artifact_store()
    if len(runs) < 2:
        raise InputError(f"a comparison needs two systems; got {len(runs)}")
    reference, *others = (system_of(store, one) for one in runs)
    for row in (reference, *others):
        row.values(metric)  # a metric that is not there is said before anything is shown
    found = against(reference, others, metric)
    _show(found, metric)
    for row, reason in found.left_out:
        shout(f"{row.label} ({row.short_id}): {reason}")
    if found.left_out:
        raise typer.Exit(InputError.exit_code)


def _show(found: Comparisons, metric: str) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    reference = found.reference
    shown = Table(
        title=f"{safe(reference.label)} ({reference.short_id}): {safe(metric)} {reference.mean(metric):.4f}",
        title_justify="left",
        caption=safe(reference.result.protocol),
        caption_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    shown.add_column("Against", no_wrap=True)
    for head in ("Mean", "Difference", "95 % interval", "p", "p, Holm", "Win / tie / loss", "Detectable", "n", "Run"):
        shown.add_column(head, justify="left" if head == "Run" else "right", no_wrap=True)
    for pair in found.pairs:
        shown.add_row(*_cells(pair, metric))
    show_table(shown)


def _cells(pair: Paired, metric: str) -> list[str]:
    from r2rec_bench.report.table import number, spread

    row, c = pair.row, pair.comparison
    return [
        safe(row.label),
        f"{row.mean(metric):.4f}",
        f"{c.difference.mean:+.4f}",
        spread(c.difference, 4, sign=True).replace("[", r"\["),
        f"{c.p_value:.4f}",
        f"{pair.adjusted:.4f}",
        f"{c.wins} / {c.ties} / {c.losses}",
        number(pair.detectable, 4),
        str(c.difference.n),
        row.short_id,
    ]
