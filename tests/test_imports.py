"""What an import costs: the base install works without training libraries, and help waits for no numerical one."""

import subprocess
import sys

EXTRAS = {
    "accelerate", "datasets", "implicit", "matplotlib", "peft", "ray", "safetensors", "torch", "transformers", "trl",
    "wandb",
}  # fmt: skip
NUMERICAL = {"numba", "numpy", "pandas", "pyarrow", "scipy"}

EVERY_MODULE = """
import importlib, pkgutil, r2rec_bench, r2rec_baselines
for package in (r2rec_bench, r2rec_baselines):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
"""
HELP = """
import sys
from importlib.metadata import entry_points
(command,) = entry_points(group="console_scripts", name="r2rec")
sys.argv = ["r2rec", "--help"]
try:
    command.load()()
except SystemExit as stop:
    assert not stop.code
"""


def loaded_by(code: str) -> tuple[set[str], str]:
    """Top-level names of the modules that a fresh interpreter has after `code`, and what it printed."""
    names = "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code + names], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split()), done.stdout


def test_no_module_imports_an_extra():
    loaded, _ = loaded_by(EVERY_MODULE)
    assert loaded >= {"r2rec_bench", "r2rec_baselines"}
    assert not loaded & EXTRAS


def test_help_is_light():
    loaded, printed = loaded_by(HELP)
    assert "Usage" in printed
    assert not loaded & (EXTRAS | NUMERICAL)
