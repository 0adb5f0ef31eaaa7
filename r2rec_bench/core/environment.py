"""Where a result was made: code, libraries, machine."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = (
    "r2rec-bench",
    "numpy",
    "numba",
    "pandas",
    "pyarrow",
    "scipy",
    "scikit-learn",
    "implicit",
    "torch",
    "transformers",
    "tokenizers",
    "trl",
    "peft",
    "accelerate",
    "datasets",
)
"""Those whose version can change a number in a table."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What a result depends on besides its settings.

    Attributes:
        commit: of the checkout that the package runs from; none when it is installed from a wheel.
        dirty: whether the code there differs from the commit.
        packages: installed versions by name, of the libraries that matter.
        python: version.
        platform: operating system and architecture.
        cpu: model name.
        cores: processors this process may use.
        memory_gib: physical memory of the machine.
        gpu: model name; none when there is none, or no torch in use to ask.
    """

    commit: str | None
    dirty: bool
    packages: dict[str, str]
    python: str
    platform: str
    cpu: str
    cores: int
    memory_gib: float
    gpu: str | None


def capture() -> Environment:
    """The environment of this process; imports nothing heavy."""
    commit, dirty = _code(Path(__file__).parents[2])
    return Environment(
        commit=commit,
        dirty=dirty,
        packages=_packages(),
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        cpu=_cpu(Path("/proc/cpuinfo")),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_gib=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        gpu=_gpu(),
    )


def _code(root: Path) -> tuple[str | None, bool]:
    """Commit, and whether the packages in the checkout at `root` differ from it; (None, False) without a checkout."""
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return None, False

    def ask(*arguments: str) -> str | None:
        asked = subprocess.run([git, "-C", str(root), *arguments], capture_output=True, text=True, check=False)  # noqa: S603
        return asked.stdout.strip() if asked.returncode == 0 else None

    return ask("rev-parse", "--verify", "HEAD"), bool(ask("status", "--porcelain", "--", "r2rec_bench", "baselines"))


def _packages() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _cpu(info: Path) -> str:
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _gpu() -> str | None:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return None
    return str(torch.cuda.get_device_name(0))
