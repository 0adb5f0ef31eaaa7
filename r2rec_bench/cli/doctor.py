"""`r2rec doctor`: whether this machine can run what the package does, and what to do if not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import typer

from r2rec_bench.cli.console import safe, stdout


@dataclass(frozen=True, slots=True)
class BadPair:
    """Two libraries whose versions do not work together: `old` below `below`, with `new` from `since` on."""

    old: str
    below: tuple[int, ...]
    new: str
    since: tuple[int, ...]
    symptom: str

    def met_by(self, versions: Mapping[str, str]) -> bool:
        """Whether these versions are such a pair."""
        if self.old not in versions or self.new not in versions:
            return False
        return release(versions[self.old]) < self.below and release(versions[self.new]) >= self.since

    @property
    def remedy(self) -> str:
        return f"pip install '{self.old}>={'.'.join(map(str, self.below))}'"


BAD_PAIRS = (
    BadPair("numba", (0, 61, 2), "numpy", (2, 2), "ImportError: Numba needs NumPy 2.1 or less (numba/numba#10033)"),
    BadPair("numba", (0, 62), "numpy", (2, 3), "ImportError: Numba needs NumPy 2.2 or less"),
    BadPair("implicit", (0, 7, 3), "numpy", (2,), "numpy.dtype size changed, on import; ALS and BPR cannot run"),
    BadPair("peft", (0, 18), "transformers", (5,), "ImportError: cannot import name 'HybridCache'"),
    BadPair("trl", (1, 10), "transformers", (5,), "the trainers' interface is another one; sft and grpo cannot run"),
)


def doctor() -> None:
    """Check libraries, machine, data, cache and plug-ins; exits with 1 if something would keep a run from working."""
    from r2rec_bench.core.environment import capture

    console = stdout()
    try:
        import_module("torch")  # or `capture` has nobody to ask about a GPU
    except ImportError:
        console.print("torch: not installed; `pip install r2rec-bench[train]` for anything beyond baselines")
    environment = capture()
    console.print(f"Python {environment.python}, {environment.platform}", soft_wrap=True)
    console.print(", ".join(f"{name} {version}" for name, version in environment.packages.items()), soft_wrap=True)
    console.print(
        f"{safe(environment.cpu)}: {environment.cores} cores, {environment.memory_gib:.1f} GiB memory"
        f"; {environment.gpu or 'no GPU'}",
        soft_wrap=True,
    )
    for line in _data():
        console.print(safe(line), soft_wrap=True)
    problems = [
        f"{pair.old} {environment.packages[pair.old]} with {pair.new} {environment.packages[pair.new]}: "
        f"{pair.symptom}. Remedy: {pair.remedy}"
        for pair in BAD_PAIRS
        if pair.met_by(environment.packages)
    ]
    if not problems:  # with a bad pair the components may not even import
        problems += _plugins()
    problems += _cache()
    for problem in problems:
        console.print(f"[bold red]PROBLEM[/] {safe(problem)}", soft_wrap=True)
    if problems:
        raise typer.Exit(1)
    console.print("[green]No problems found.[/]")


def release(version: str) -> tuple[int, ...]:
    """The numbers at the start of a version: `2.13.0+cpu` is (2, 13, 0)."""
    numbers: list[int] = []
    for part in version.partition("+")[0].split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)


def _data() -> Iterator[str]:
    from r2rec_bench.core.paths import DATA_VARIABLE, data_root

    root = data_root()
    if root is None:
        yield f"Data: {DATA_VARIABLE} is not set; MovieLens is downloaded on first use"
        return
    folders = sorted(path.name for path in root.iterdir()) if root.is_dir() else []
    yield f"Data: {DATA_VARIABLE}={root}: {', '.join(folders) or 'nothing there'}"


def _cache() -> Iterator[str]:
    from r2rec_bench.core.paths import CACHE_VARIABLE, cache_root

    cache = cache_root()
    there = next(folder for folder in (cache, *cache.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free / 2**30
    stdout().print(f"Cache: {safe(str(cache))}, {free:.1f} GiB free", soft_wrap=True)
    if not _writable(there):
        yield f"{there} cannot be written to. Set {CACHE_VARIABLE} to a folder that can"


def _writable(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK)


def _plugins() -> list[str]:
    from r2rec_bench.core.registry import FAMILIES, Registry, registry

    for family in FAMILIES:
        registry(family).names()
    return [f"{plugin}. Remedy: repair or uninstall it, or run r2rec --no-plugins" for plugin in Registry.broken]
