"""The pages of the components: as committed they are what the registry gives, and they take no text for Markdown."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from r2rec_bench.chains.base import ChainSampler, chain_samplers
from r2rec_bench.cli.app import app
from r2rec_bench.cli.docs import INDEX, markdown_text, pages
from r2rec_bench.core.registry import FAMILIES, registry

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "components"


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    """All pages, by file name."""
    return pages()


def test_the_committed_pages_are_what_the_registry_gives(made):
    committed = {path.name: path.read_text("utf-8") for path in FOLDER.iterdir()}
    assert committed == made, "stale: run `make docs` and commit docs/components"


def test_data_of_ones_own_are_on_no_page(made, tmp_path, monkeypatch):
    (tmp_path / "my-shop").mkdir()
    (tmp_path / "my-shop" / "interactions.parquet").touch()
    monkeypatch.setenv("R2REC_DATA", str(tmp_path))
    assert "my-shop" in registry("sources").names()
    assert pages() == made


def test_every_component_has_its_section_and_every_link_leads_somewhere(monkeypatch):
    monkeypatch.delenv("R2REC_DATA", raising=False)  # its folders are sources here, but nobody else's
    index = (FOLDER / INDEX).read_text("utf-8")
    for family in FAMILIES:
        page = (FOLDER / f"{family}.md").read_text("utf-8")
        headings = [line[3:].replace("\\", "") for line in page.splitlines() if line.startswith("## ")]
        assert headings == registry(family).names()
        assert [name for name in headings if f"({family}.md#{name})" not in index] == []
        for link in re.findall(r"\]\((\.\.[^)#]*)\)", page):
            assert (FOLDER / link).is_file()


def test_the_command_writes_the_same_pages_elsewhere(made, tmp_path):
    out = tmp_path / "pages"
    done = CliRunner().invoke(app, ["docs", str(out)])
    assert done.exit_code == 0
    assert {path.name: path.read_text("utf-8") for path in out.iterdir()} == made


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch) -> str:
    """The page of a family with a component whose text would be Markdown, and another's plug-in."""
    monkeypatch.setattr(chain_samplers, "_classes", {})
    monkeypatch.setattr(chain_samplers, "_builtin_loaded", True)

    @chain_samplers.register("a_b|c")
    class Hostile(ChainSampler):
        """<script>alert(1)</script> *bold* [link](x) `a|b` and a stray ` backtick.

        1. not a list, ![image](y)

        - a list of one

            code <b>

        Source: someone | somewhere, arXiv 2506.05069.
        """

    @chain_samplers.register("theirs")
    class Theirs(ChainSampler):
        """Theirs."""

    Hostile.__module__, Theirs.__module__ = "r2rec_bench.chains.none", "stranger.chains"
    return pages()["chains.md"]


def test_text_is_not_taken_for_markdown(hostile):
    assert "## a\\_b\\|c" in hostile
    assert r"\<script\>alert(1)\</script\> \*bold\* \[link\](x) `a|b` and a stray \` backtick." in hostile
    assert "\n1\\. not a list, \\!\\[image\\](y)\n" in hostile
    assert "\n- a list of one\n" in hostile
    assert "\n    code <b>\n" in hostile
    assert r"Source: someone \| somewhere, [arXiv 2506.05069](https://arxiv.org/abs/2506.05069)." in hostile


def test_components_of_others_are_left_out(hostile):
    assert "theirs" not in hostile


def test_a_page_says_where_its_components_are_chosen(made):
    assert " An experiment names one under `candidates.negatives`.\n" in made["negatives.md"]
    assert " An experiment lists them under `stages`.\n" in made["stages.md"]
    assert "`rewards` of [`grpo`](stages.md#grpo)" in made["rewards.md"]
    assert "`rejected` of [`dpo`](stages.md#dpo)" in made["pairs.md"]


def test_bars_do_not_end_cells(made):
    rows = [line for page in made.values() for line in page.splitlines() if line.startswith("|")]
    assert rows
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {6}


@pytest.mark.parametrize("text", ["- x", "+ x", "12. x", "3) x", "=== x", "--- x"])
def test_a_line_begins_no_list_and_no_rule(text):
    assert markdown_text(text).count("\\") == 1
