"""What the shell offers after a tab."""

import pytest
from typer.testing import CliRunner

from r2rec_bench.cli.app import app


def offered(line: str) -> list[str]:
    """For the last word of a line, as bash asks for it."""
    asked = {"_R2REC_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    return CliRunner(env=asked).invoke(app, [], prog_name="r2rec").stdout.split()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("r2rec ini", ["init"]),
        ("r2rec list cha", ["chains"]),
        ("r2rec show sasr", ["sasrec"]),
        ("r2rec show chains popul", ["popularity", "popularity_debiased"]),
        ("r2rec data stats synth", ["synthetic"]),
        ("r2rec init --backbone n", ["nano"]),
        ("r2rec init --budget s", ["small"]),
        ("r2rec check cha", ["chains"]),
        ("r2rec run experiments/qu", []),
    ],
)
def test_names_are_completed_and_files_left_to_the_shell(line: str, found: list[str], monkeypatch):
    monkeypatch.delenv("R2REC_DATA", raising=False)
    assert offered(line) == found
