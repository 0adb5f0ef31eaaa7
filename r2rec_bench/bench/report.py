"""Where measurements are kept, `bench.json`, and what is written from them to read, `report.md`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from pydantic import TypeAdapter, ValidationError
from tabulate import tabulate

from r2rec_bench.bench.base import GROUPS, Measurement, Rule, Target
from r2rec_bench.core.environment import Environment
from r2rec_bench.core.errors import InputError

JSON, REPORT = "bench.json", "report.md"
_HEADS = ("what", "ours", "the plain way", "times", "target", "holds", "runs", "peak MiB")
_ALIGNMENT = ("left", "right", "left", "right", "right", "left", "right", "right")


@dataclass(frozen=True, slots=True)
class Group:
    """One module's measurements, and where they were made.

    Attributes:
        about: what is measured, in a sentence.
        command: makes them again.
        scale: 1 where sizes are those of the targets.
        environment: commit, machine and versions.
        load: processes that wanted the machine's cores when the group began, itself not among them.
        seconds: wall time of the whole group.
        measurements: in the order in which they were made.
    """

    about: str
    command: str
    scale: float
    environment: Environment
    load: float
    seconds: float
    measurements: tuple[Measurement, ...]


_GROUPS = TypeAdapter(dict[str, Group])


def load(folder: Path) -> dict[str, Group]:
    """What has been measured into `folder`, by name; nothing where there is none.

    Raises:
        InputError: the file is not one of ours.
    """
    path = folder / JSON
    if not path.is_file():
        return {}
    try:
        return _GROUPS.validate_json(path.read_bytes())
    except ValidationError as error:
        raise InputError(f"{path} is no file of measurements ({error.error_count()} problems). Delete it.") from None


def save(folder: Path, groups: dict[str, Group]) -> None:
    """Both files, written beside and then renamed, so that a stop in between leaves the old ones."""
    folder.mkdir(parents=True, exist_ok=True)
    ordered = {name: groups[name] for name in sorted(groups, key=_place)}
    contents = {JSON: _GROUPS.dump_json(ordered, indent=1).decode(), REPORT: "\n".join(_lines(ordered))}
    for name, content in contents.items():
        beside = folder / f".{name}"
        beside.write_text(content + "\n", "utf-8")
        beside.replace(folder / name)


def _place(name: str) -> int:
    return GROUPS.index(name) if name in GROUPS else len(GROUPS)


def _lines(groups: dict[str, Group]) -> Iterator[str]:
    made = [one for group in groups.values() for one in group.measurements if one.holds is not None]
    yield "# What it costs"
    yield ""
    yield (
        f"{sum(one.holds is True for one in made)} of {len(made)} targets hold. Every figure is the median of the runs "
        "in its row, ours and the plain way by turns in one process. Times: as fast, or as small, as the plain way. "
        "Peak: resident memory of the group's process until then. Load: how many other processes wanted the cores "
        "when the group began. All runs are in bench.json."
    )
    for name, group in groups.items():
        yield from ("", f"## {name}", "")
        yield group.about
        if group.scale != 1:
            yield from ("", f"> **A quick look at {group.scale:g} of the sizes: no target is judged by it.**")
        yield ""
        rows = [_cells(one) for one in group.measurements]
        yield tabulate(rows, _HEADS, tablefmt="pipe", disable_numparse=True, colalign=_ALIGNMENT)
        yield ""
        yield _where(group)


def _cells(one: Measurement) -> list[str]:
    return [
        one.name,
        f"{_number(one.value)} {one.unit}",
        f"{_number(median(one.plain))} {one.unit}: {one.beside}" if one.plain else "",
        "" if one.ratio is None else f"{_number(one.ratio)} ×",
        "" if one.target is None else _told(one.target, one.unit),
        {True: "yes", False: "**no**", None: ""}[one.holds],
        str(len(one.ours)),
        f"{one.peak_bytes / 2**20:,.0f}",
    ]


def _told(target: Target, unit: str) -> str:
    sign = "≤" if target.rule is Rule.AT_MOST else "≥"
    return f"{sign} {_number(target.limit)} {'×' if target.rule is Rule.TIMES else unit}"


def _number(value: float) -> str:
    """Three digits that count, and all of those before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _where(group: Group) -> str:
    e = group.environment
    commit = f"commit {e.commit[:7]}{' with changes' if e.dirty else ''}" if e.commit else "no checkout"
    versions = ", ".join(f"{name} {version}" for name, version in _versions(e))
    gpu = f", {e.gpu}" if e.gpu else ""
    return (
        f"`{group.command}`, {group.seconds:,.0f} s at {commit}, load {group.load:.1f}; {e.cores} cores of {e.cpu}"
        f"{gpu}, {e.memory_gib:.0f} GiB, {e.platform}, Python {e.python}, {versions}."
    )


def _versions(environment: Environment) -> Sequence[tuple[str, str]]:
    shown = ("numpy", "numba", "pandas", "pyarrow", "torch", "transformers")
    return [(name, version) for name, version in environment.packages.items() if name in shown]
