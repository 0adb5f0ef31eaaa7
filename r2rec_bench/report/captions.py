"""What a table's figures are and how they were made, in words that every output shares."""

from __future__ import annotations

from collections.abc import Sequence

from r2rec_bench.report.comparisons import ALPHA
from r2rec_bench.report.study import Row, Study, several_seeds
from r2rec_bench.report.table import DAGGER, SD_HEAD
from r2rec_bench.statistics.bootstrap import RESAMPLES


def about_users(rows: Sequence[Row]) -> str:
    """How many users, and under which seeds."""
    users = " / ".join(dict.fromkeys(f"{len(row.result.users):,}" for row in rows))
    if not several_seeds(rows):
        return f"n = {users} users."
    seeds = " / ".join(
        dict.fromkeys(
            f"{len(row.runs)} seeds ({', '.join(str(result.seed) for result in row.results)})"
            for row in rows
            if len(row.runs) > 1
        )
    )
    return f"n = {users} users, {seeds}: values are means over users and seeds."


def about_means(rows: Sequence[Row]) -> str:
    """How the intervals of means were made, and what stands beside them."""
    beside = f" {SD_HEAD}: standard deviation between the seeds' means." if several_seeds(rows) else ""
    return f"{about_intervals(rows)}{beside}"


def about_intervals(rows: Sequence[Row]) -> str:
    """How the intervals of means were made."""
    made = f"95 % interval, percentile bootstrap over users, {RESAMPLES:,} resamples"
    if not several_seeds(rows):
        return f"In brackets: {made}."
    return (
        f"In brackets: {made}; with several seeds it is that of users' means over seeds, and each end is moved out by "
        "what seeds differ by, for users and seeds are crossed: the user's own part and the t interval of the seeds' "
        "means, in quadrature."
    )


def about_comparisons(rows: Sequence[Row]) -> str:
    """How differences and their p-values were made."""
    widened = (
        " Users and seeds are crossed: with several seeds interval and p-value are first those of users' mean "
        "differences, then widened and raised by what seeds differ by (t interval of the seeds' means, in quadrature). "
        f"{SD_HEAD}: standard deviation between the seeds' mean differences."
        if several_seeds(rows)
        else ""
    )
    return (
        "Paired by user. Interval: percentile bootstrap of the mean difference; p: two-sided sign-flip permutation "
        "test, never 0; Holm: corrected for all comparisons of this table. Detectable: the true difference that an "
        f"uncorrected test at 5 % finds with probability 0.8.{widened}"
    )


def about_places(study: Study, *, marked: bool) -> str:
    """What bold, underlines and daggers say; `marked` where some row may have one."""
    alike = len({row.protocol for row in study.rows}) == 1
    said = f"Bold: best; underlined: second{'' if alike else ', of the rows asked like the first'}."
    reference = study.reference
    if reference is None or not marked:
        return said
    return (
        f"{said} {DAGGER}: HR@1 differs from that of {reference.label}, p < {ALPHA} after Holm, systems and ablations "
        "apart."
    )
