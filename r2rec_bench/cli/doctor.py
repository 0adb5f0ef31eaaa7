"""`r2rec doctor`: whether this machine can run what the package does, and what to do if not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
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


EXTRAS = {
    "train": ("trl", "language models: nano and any other"),
    "baselines": ("implicit", "ALS and BPR"),
    "sweep": ("optuna", "r2rec sweep"),
    "openai": ("openai", "the teacher of that name"),
    "wandb": ("wandb", "--track wandb"),
    "report": ("matplotlib", "figures"),
    "ray": ("ray", "--executor ray"),
}
"""By extra, the library that shows whether it is installed, and what it is for."""

_LEAST_FREE_GIB = 1.0

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
    with suppress(ImportError):
        import_module("torch")  # or `capture` has nobody to ask about a GPU
    environment = capture()
    console.print(f"Python {environment.python}, {environment.platform}", soft_wrap=True)
    console.print(", ".join(f"{name} {version}" for name, version in environment.packages.items()), soft_wrap=True)
    _say(
        f"{environment.cpu}: {environment.cores} cores, {environment.memory_gib:.1f} GiB memory"
        f"; {f'{environment.gpu}, {_gpu_memory()}' if environment.gpu else 'no GPU'}"
    )
    for extra, (library, purpose) in EXTRAS.items():
        if find_spec(library) is None:
            _say(f"Not installed: {library}; for {purpose}: pip install 'r2rec-bench[{extra}]'")
    problems = [
        f"{pair.old} {environment.packages[pair.old]} with {pair.new} {environment.packages[pair.new]}: "
        f"{pair.symptom}. Remedy: {pair.remedy}"
        for pair in BAD_PAIRS
        if pair.met_by(environment.packages)
    ]
    if not problems:  # with a bad pair the components may not even import
        problems += _plugins()
    problems += _data()
    problems += _cache()
    for problem in problems:
        console.print(f"[bold red]PROBLEM[/] {safe(problem)}", soft_wrap=True)
    if problems:
        raise typer.Exit(1)
    console.print("[green]No problems found.[/]")


def _say(line: str) -> None:
    stdout().print(safe(line), soft_wrap=True)


def release(version: str) -> tuple[int, ...]:
    """The numbers at the start of a version: `2.13.0+cpu` is (2, 13, 0)."""
    numbers: list[int] = []
    for part in version.partition("+")[0].split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)


def _gpu_memory() -> str:
    """Free and whole memory of each GPU."""
    from torch import cuda

    sizes = [cuda.mem_get_info(number) for number in range(cuda.device_count())]
    return ", ".join(f"{free / 2**30:.1f} of {whole / 2**30:.1f} GiB free" for free, whole in sizes)


def _data() -> Iterator[str]:
    """Says which data are found; what is wrong with where they are looked for."""
    from r2rec_bench.core.paths import DATA_VARIABLE, data_root

    root = data_root()
    if root is None:
        _say(f"Data: {DATA_VARIABLE} is not set; MovieLens is downloaded on first use")
        return
    folders = sorted(path.name for path in root.iterdir()) if root.is_dir() else []
    _say(f"Data: {DATA_VARIABLE}={root}: {', '.join(folders) or 'nothing there'}")
    if not folders:
        what = "is an empty folder" if root.is_dir() else "is no folder"
        yield f"{DATA_VARIABLE}={root} {what}. Remedy: set it to the folder that holds ml-1m or your own, or unset it"


def _cache() -> Iterator[str]:
    from r2rec_bench.core.paths import CACHE_VARIABLE, cache_root

    cache = cache_root()
    there = next(folder for folder in (cache, *cache.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free / 2**30
    _say(f"Cache: {cache}, {free:.1f} GiB free")
    if not _writable(there):
        yield f"{there} cannot be written to. Remedy: set {CACHE_VARIABLE} to a folder that can"
    elif free < _LEAST_FREE_GIB:
        yield (
            f"{free:.1f} GiB free at {there}: a run may not be able to keep its stages. Remedy: set {CACHE_VARIABLE} "
            "to a folder with room, or delete stages that are no longer needed, in artifacts/ there"
        )


def _writable(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK)


def _plugins() -> list[str]:
    """Says which plug-ins there are and whose; which of them are broken."""
    from collections import Counter

    from r2rec_bench.core.describe import origin
    from r2rec_bench.core.registry import FAMILIES, Registry, registry

    classes = [component for family in FAMILIES for _, component in registry(family)]
    found = Counter(str(origin(component)) for component in classes)
    _say(f"Components: {', '.join(f'{count} from {where}' for where, count in found.items())}")
    return [f"{plugin}. Remedy: repair or uninstall it, or run r2rec --no-plugins" for plugin in Registry.broken]
