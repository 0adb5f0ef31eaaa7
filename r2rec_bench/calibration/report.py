"""The report of a calibration: `report.md` to read, `results.csv` for programs, `planted.svg` to look at."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from r2rec_bench.calibration.again import Found
from r2rec_bench.calibration.claims import Claim, claims, counted, kept, percent, promised, single
from r2rec_bench.calibration.figure import draw
from r2rec_bench.calibration.run import Done, Measured
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.report.comparisons import METRIC, Paired
from r2rec_bench.report.drawing import WITHOUT, can_draw
from r2rec_bench.report.study import Row, lineage
from r2rec_bench.report.synthetic import synthetic_cells
from r2rec_bench.report.table import number, spread
from r2rec_bench.report.text import in_markdown, markdown
from r2rec_bench.report.values import interval_of
from r2rec_bench.statistics.bootstrap import RESAMPLES, Interval
from r2rec_bench.statistics.simulation import Calibration as Simulation
from r2rec_bench.statistics.simulation import Rate

HOLDS, FAILS = "holds", "DOES NOT HOLD"
FIGURE = "planted.svg"
_HEADS = ("part", "data", "system", "seeds", "quantity", "value", "error", "low", "high", "p", "p_holm", "n", "run_ids")


def write(store: ArtifactStore, done: Done, folder: Path) -> Path:
    """The report in `folder`, which is made where it is missing; returns the file to read first."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "report.md"
    path.write_text("\n".join(_lines(store, done)) + "\n", "utf-8")
    (folder / "results.csv").write_text(to_csv(done), "utf-8")
    if can_draw():
        draw(done.planted, folder / FIGURE)
    else:
        (folder / FIGURE).unlink(missing_ok=True)
    return path


def verdict(claim: Claim) -> str:
    """Its verdict in words."""
    return HOLDS if claim.holds else FAILS


def synthetic_note(done: Done) -> str:
    """What to say loudly of generated data; empty when all of them are real."""
    return synthetic_cells({title: row.protocol for title, row in done.rows.items()})


def to_csv(done: Done) -> str:
    """A line per number, in full precision, with the ids of the runs behind it."""
    out = io.StringIO()
    writer: csv.DictWriter[str] = csv.DictWriter(out, _HEADS, lineterminator="\n", restval="")
    writer.writeheader()
    for one in done.simulated:
        for name in ("mean_covered", "difference_covered", "found", "family_found"):
            rate: Rate = getattr(one, name)
            where = {"part": "simulated", "data": _world(one), "seeds": one.world.seeds}
            writer.writerow({**where, "quantity": name, "value": rate.value, "error": rate.error})
    for one in done.again:
        what = {"part": "again", "data": one.cell.data, "system": one.cell.system, "seeds": one.size}
        counted = {"quantity": "found", "value": one.share, "n": one.independent, "run_ids": _ids(one.row)}
        writer.writerow({**what, **counted})
    for one in done.planted:
        what = {"part": "planted", "data": one.world.full.data, "seeds": len(one.full.runs)}
        for system, row in (("full", one.full), *((pair.row.label, pair.row) for pair in one.comparisons.pairs)):
            hit = _interval(interval_of(row, METRIC))
            writer.writerow({**what, "system": system, "quantity": METRIC, **hit, "run_ids": _ids(row)})
        for pair in one.comparisons.pairs:
            found = {**_interval(pair.comparison.difference), "p": pair.comparison.p_value, "p_holm": pair.adjusted}
            ids = f"{_ids(one.full)} {_ids(pair.row)}"
            writer.writerow(
                {**what, "system": f"full less {pair.row.label}", "quantity": METRIC, **found, "run_ids": ids}
            )
        writer.writerow({**what, "system": "best possible", "quantity": METRIC, "value": one.ceiling})
    return out.getvalue()


def _ids(row: Row) -> str:
    return " ".join(result.run_id for result in row.results)


def _interval(found: Interval) -> dict[str, float]:
    return {"value": found.mean, "low": found.low, "high": found.high, "n": found.n}


def _lines(store: ArtifactStore, done: Done) -> Iterator[str]:
    calibration, judged = done.planned.calibration, claims(done)
    yield f"# {markdown(calibration.name)}"
    yield ""
    yield f"*{markdown(calibration.question)}*"
    for claim in judged:
        if not claim.holds:
            yield from ("", f"> **{FAILS}: {markdown(claim.text)}.**")
    if note := synthetic_note(done):
        yield from ("", f"> **{markdown(note)}**")
    yield ""
    rows = [
        [markdown(claim.text), HOLDS if claim.holds else f"**{FAILS}**", markdown(claim.ground)] for claim in judged
    ]
    yield in_markdown(["Claim", "Verdict", "Ground"], rows, "left", "left", "left")
    yield from ("", "## Hits that were drawn", "")
    yield from _simulated(done)
    yield from ("", "## A system against itself", "")
    yield from _again(done)
    yield from ("", "## What was planted", "")
    yield from _planted(done)
    yield from ("", "## What was run", "")
    yield from _run(store, done)


def _simulated(done: Done) -> Iterator[str]:
    rows = [
        [
            f"{one.world.users:,}",
            str(one.world.seeds),
            number(one.world.seed_sd),
            "itself" if one.world.shared == 1 else "an equal",
            *(_rate(rate) for rate in (one.mean_covered, one.difference_covered, one.found, one.family_found)),
            (HOLDS if kept(one) else f"**{FAILS}**") if promised(one) else "not promised",
        ]
        for one in done.simulated
    ]
    repeats = done.planned.calibration.simulated.repeats
    rates = ["Means covered", "Differences covered", "Found", "Found after Holm"]
    heads = ["Users", "Seeds", "SD between seeds", "Against", *rates, "95 % and 5 %"]
    yield in_markdown(heads, rows, *["right"] * 3, "left", *["right"] * 4, "left")
    yield ""
    yield (
        f"No recommender and no data: hits of systems of equal worth are drawn {repeats:,} times, and "
        "the intervals and tests of every report are applied to them. Covered: 95 % intervals that hold the truth; "
        "found: differences with p ≤ 0.05, each a false alarm; after Holm: families of three with any. In "
        "brackets: Monte Carlo standard error. Not promised: from a single seed nothing is said about others."
    )


def _rate(rate: Rate) -> str:
    return f"{percent(rate.value)} ({100 * rate.error:.1f})"


def _again(done: Done) -> Iterator[str]:
    rows = [
        [
            markdown(one.cell.data),
            markdown(one.cell.system),
            number(one.row.mean(METRIC)),
            number(one.seed_sd, 4),
            f"{len(one.row.result.users):,}",
            str(len(one.row.runs)),
            str(one.size),
            f"{one.p_values.size:,}",
            str(one.independent),
            percent(one.share),
            one.row.short_id,
        ]
        for one in done.again
    ]
    heads = ["Data", "System", "HR@1", "SD between seeds", "Users", "Runs", "Seeds on each side", "Comparisons"]
    heads += ["Independent", "p ≤ 0.05", "Run"]
    yield in_markdown(heads, rows, "left", "left", *["right"] * 8, "left")
    yield ""
    yield (
        "A/A: nothing can be found but differences between seeds. The runs of a system, all asked the same lists, are "
        "dealt at random into groups of as many seeds as stand on each side, and pairs of groups are compared as in "
        f"every report (HR@1, {RESAMPLES:,} resamples). The pairs of one deal share no run and are independent, given "
        f"the users; the {done.planned.calibration.again.rounds:,} deals use the same runs and are not. The bound in "
        "the claims is 5 % and two standard errors of the independent comparisons alone."
    )
    yield ""
    yield from _one_seed(single(done))


def _one_seed(found: Sequence[Found]) -> Iterator[str]:
    most = max(found, key=lambda one: one.share)
    yield (
        "One seed on each side is no claim but the reason for several: its test knows how users differ, and nothing of "
        "how seeds do, so that it may tell a system from itself in more than 5 % where training seeds matter. Most "
        f"often here: {markdown(most.cell.title)}, {percent(most.share)}."
    )


def _planted(done: Done) -> Iterator[str]:
    rows = [_pair(one, pair) for one in done.planted for pair in one.comparisons.pairs]
    heads = ["Peer effect", "Best possible HR@1", "Full HR@1", "Less", "Difference", "95 % interval", "p", "p, Holm"]
    heads += ["Detectable", "Runs"]
    yield in_markdown(heads, rows, *["right"] * 3, "left", *["right"] * 5, "left")
    yield ""
    full = done.planted[0].full
    yield (
        f"{markdown(full.label)} less its ablations in worlds that differ by one number: a successor of the latest "
        "item is 1 + the peer effect times as likely as it would be otherwise. Who follows whom is the same for all "
        f"people, and so is told by chains alone. n = {len(full.result.users):,} users, {counted(len(full.runs))} "
        "each; paired by user, Holm over the ablations of a world. Detectable: the true difference that an "
        "uncorrected test at 5 % finds with probability 0.8. Best possible: the ranker that knows the world, among 19 "
        f"uniform negatives. {markdown(full.result.protocol)}"
    )
    yield from ("", f"![Differences against the planted effect]({FIGURE})" if can_draw() else WITHOUT)


def _pair(one: Measured, pair: Paired) -> list[str]:
    found = pair.comparison.difference
    return [
        f"{one.world.effect:g}",
        number(one.ceiling),
        number(one.full.mean(METRIC)),
        markdown(pair.row.label),
        f"{found.mean:+.3f}",
        spread(found, sign=True),
        f"{pair.comparison.p_value:.4f}",
        f"{pair.adjusted:.4f}",
        number(pair.detectable),
        f"{one.full.short_id}, {pair.row.short_id}",
    ]


def _run(store: ArtifactStore, done: Done) -> Iterator[str]:
    planned = done.planned
    runs = {run.result.run_id: run for row in done.rows.values() for run in row.runs}
    artifacts = lineage(store, (run.artifact for run in runs.values()))
    yield (
        f"`r2rec calibrate {planned.file} --seeds {planned.calibration.seeds}`: {len(runs):,} runs, whose "
        f"{len(artifacts):,} artifacts took {sum(artifact.seconds for artifact in artifacts):,.1f} s in all. Run: the "
        "start of the id of its first seed; results.csv has all ids and every value in full precision."
    )
    made = dict.fromkeys(
        f"{f'git {e.commit}' if e.commit else 'no git checkout'}{', with uncommitted changes' if e.dirty else ''}; "
        f"{e.cpu}, {e.cores} cores; {e.platform}; Python {e.python}"
        for e in (run.result.environment for run in runs.values())
    )
    for environment in made:
        yield from ("", f"Made by {markdown(environment)}.")


def _world(one: Simulation) -> str:
    w = one.world
    return f"users={w.users} rate={w.rate} seed_sd={w.seed_sd} alike={w.alike} shared={w.shared}"
