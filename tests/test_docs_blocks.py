"""What the pages show is what happens: each block of shell or Python is run here, or says above it why not.

A comment above a block is its mark:

    <!-- not run: why -->          its commands are parsed, and the files, targets and extras that they name are there
    <!-- needs MovieLens-1M -->    run where R2REC_DATA has it, else parsed
    <!-- prints -->                above a block of text: what the block before it prints

The blocks of a page run one after the other in a folder of their own, with an empty cache and without a network.
"""

import importlib.util
import os
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from r2rec_bench.cli import app
from r2rec_bench.core.registry import FAMILIES, registry
from r2rec_bench.testing import check

ROOT = Path(__file__).parents[1]
PAGES = [page for page in sorted((ROOT / "docs").rglob("*.md")) if page.parent.name != "components"]
PAGES += [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
RUNS_AN_EXPERIMENT = {"tour.md"}
TRIED_ELSEWHERE = {"CONTRIBUTING.md"}
"""Its component is run by `test_contributing.py`."""
FOREIGN = {"sbatch", "optuna-dashboard"}
"""Programs of others, which may not be installed."""
BLOCK = re.compile(r"^(?:<!-- ([^\n]*?) -->\n+)?```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
REAL = os.environ.get("R2REC_DATA", "")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the mark above it."""

    language: str
    text: str
    mark: str

    @property
    def commands(self) -> list[list[str]]:
        """Of a block of shell, each line's words."""
        lines = self.text.splitlines() if self.language in {"bash", "sh", "console"} else []
        return [words for line in lines if (words := shlex.split(line, comments=True))]

    @property
    def runs(self) -> bool:
        """Whether it can be run here."""
        if self.mark == "needs MovieLens-1M":
            return (Path(REAL) / "ml-1m").is_dir() if REAL else False
        return not self.mark


def blocks(page: Path) -> list[Block]:
    return [Block(language, text, mark) for mark, language, text in BLOCK.findall(page.read_text("utf-8"))]


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def paged(*, slow: bool = False) -> list[object]:
    """A test's pages; those that run an experiment are slow."""
    return [
        pytest.param(page, id=name(page), marks=[pytest.mark.slow] if slow and page.name in RUNS_AN_EXPERIMENT else [])
        for page in PAGES
    ]


def complaint(words: list[str]) -> str:
    """What is wrong with a command that is not run; empty where it would be understood."""
    program, *arguments = words
    if program == "r2rec":
        asked = CliRunner().invoke(app, [*arguments, "--help"])
        return asked.output if asked.exit_code else ""
    if program == "make":
        rules = re.findall(r"^([a-z%-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
        targets = [re.compile(rule.replace("%", ".+")) for rule in rules]
        return "" if any(target.fullmatch(arguments[0]) for target in targets) else f"no target {arguments[0]}"
    if program == "pip":
        known = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
        asked_for = {
            extra for word in arguments for found in re.findall(r"\[(.*)\]", word) for extra in found.split(",")
        }
        return f"no extras {asked_for - known.keys()}" if asked_for - known.keys() else ""
    if program == "python" and arguments[0] == "-m":
        return "" if importlib.util.find_spec(arguments[1]) else f"no module {arguments[1]}"
    return "" if program in FOREIGN else f"{program} is neither run nor known here"


@pytest.mark.parametrize("page", paged())
def test_what_a_page_names_is_there(page: Path):
    shown = [(block, words) for block in blocks(page) for words in block.commands]
    assert {shlex.join(words): said for _, words in shown if (said := complaint(words))} == {}
    named = {
        found for _, words in shown for found in re.findall(r"(?:experiments|ablations)/[\w./*-]+", " ".join(words))
    }
    assert [path for path in sorted(named) if not path.endswith("/mine.yaml") and not list(ROOT.glob(path))] == []


@pytest.mark.parametrize("page", [page for page in PAGES if "docs" in page.parts], ids=name)
def test_every_block_says_what_it_is(page: Path):
    """No command hides in an indented block, where no test would find it; marks are those that there are."""
    outside = BLOCK.sub("", page.read_text("utf-8"))
    assert re.findall(r"^(?: {4}|\t)(?:r2rec|make|pip|python) .*$", outside, re.MULTILINE) == []
    marks = {block.mark for block in blocks(page) if not block.mark.startswith("not run: ")}
    assert marks <= {"", "needs MovieLens-1M", "prints"}


@contextmanager
def registries() -> Iterator[set[tuple[str, str]]]:
    """Components registered within, as (family, name), are gone afterwards."""
    before = {family: dict(registry(family)._classes) for family in FAMILIES if registry(family).names()}
    added: set[tuple[str, str]] = set()
    try:
        yield added
        added |= {(family, one) for family, known in before.items() for one in registry(family)._classes.keys() - known}
        for family, one in added:
            check(family, one)
    finally:
        for family, known in before.items():
            registry(family)._classes.clear()
            registry(family)._classes.update(known)


def as_module(text: str, file: Path) -> None:
    """Runs Python as the file that a reader would save it in."""
    file.write_text(text, "utf-8")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module  # components look their settings up in it
    spec.loader.exec_module(module)


@pytest.mark.parametrize("page", paged(slow=True))
def test_a_page_does_what_it_shows(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    shown = blocks(page)
    if page.name in TRIED_ELSEWHERE or not any(block.language in {"bash", "python"} and block.runs for block in shown):
        return
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("R2REC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("R2REC_OFFLINE", "1")
    monkeypatch.delenv("R2REC_DATA", raising=False)
    said = ""
    with registries():
        for number, block in enumerate(shown):
            if block.mark.startswith("needs"):
                monkeypatch.setenv("R2REC_DATA", REAL)
            elif "R2REC_DATA" in block.text:
                monkeypatch.setenv("R2REC_DATA", str(tmp_path / "data"))
            if block.mark == "prints" and shown[number - 1].runs:
                assert [line.rstrip() for line in said.strip().splitlines()] == block.text.splitlines()
            elif block.runs and block.language == "python":
                as_module(block.text, tmp_path / f"{page.stem.replace('-', '_')}_{number}.py")
                said = capsys.readouterr().out
            elif block.runs:
                for words in block.commands:
                    done = CliRunner().invoke(app, words[1:])
                    assert done.exit_code == 0, f"{shlex.join(words)}\n{done.output}\n{done.exception!r}"
                    said = done.stdout


@pytest.mark.parametrize(
    ("link", "made"),
    [
        ("[report](../reports/quickstart/report.md#by-group)", "report, `reports/quickstart/report.md`"),
        ("[`examples/plugin`](../examples/plugin)", "`examples/plugin`"),
        ("[gone](../reports/gone.md)", "[gone](../reports/gone.md)"),
        ("[page](tour.md)", "[page](tour.md)"),
        ("[up](../docs/tour.md)", "[up](../docs/tour.md)"),
    ],
)
def test_in_the_site_links_out_of_it_name_the_file_and_broken_ones_stay_to_be_found(link: str, made: str):
    spec = importlib.util.spec_from_file_location("docs_hooks", ROOT / "docs" / "hooks.py")
    hooks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hooks)
    page = SimpleNamespace(file=SimpleNamespace(src_uri="index.md"))
    assert hooks.on_page_markdown(f"See {link}.", page, {"docs_dir": str(ROOT / "docs")}, None) == f"See {made}."
