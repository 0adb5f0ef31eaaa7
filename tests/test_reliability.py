"""The page of promises: each of them names a test, and there is one of that name."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reliability.md"
TEST = re.compile(r"`(tests/[a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`")


def test_every_test_that_the_page_names_exists():
    named = TEST.findall(PAGE.read_text("utf-8"))
    defined = {
        file: {node.name for node in ast.parse((ROOT / file).read_text("utf-8")).body if hasattr(node, "name")}
        for file in {file for file, _ in named}
        if (ROOT / file).is_file()
    }
    assert named
    assert [f"{file}::{test}" for file, test in named if test not in defined.get(file, ())] == []


def test_every_promise_names_its_test():
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if re.match(r"\| (?!promise )", line)]
    assert rows
    assert [row for row in rows if not TEST.search(row)] == []
