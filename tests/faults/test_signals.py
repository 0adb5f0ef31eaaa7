"""Ctrl-C and SIGTERM: a clean end, a message how to go on, the exit code that says why, and nothing lost."""

import os
import signal

import pytest

from tests.worlds import untimed

ABLATION = "extends: tiny.yaml\nquestion: What if?\nchange: {{stages.sft.lr: {lr}}}\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code", "where"),
    [
        (signal.SIGTERM, 143, "update-000000002"),
        pytest.param(signal.SIGINT, 130, "update-000000002", marks=pytest.mark.long),
        pytest.param(signal.SIGTERM, 143, "candidates", marks=pytest.mark.long),
        pytest.param(signal.SIGINT, 130, "candidates", marks=pytest.mark.long),
    ],
)
def test_a_stopped_run_says_how_to_go_on_and_does(home, undisturbed, number: int, code: int, where: str):
    run = home.commands()[0]
    assert home.run(*run, die_at=1, die_in=where, number=number) == code
    assert "the same command goes on from there" in home.said
    assert "Traceback" not in home.said
    home.ok(*run)
    assert home.results() == undisturbed.results()
    assert home.weights_of("grpo") == undisturbed.weights_of("grpo")
    if "update" in where:  # it ended with the update it was at, and kept it
        first, second = home.updates("sft")
        assert (first, second[0]) == ([1, 2, 3], 4)
    assert home.litter() == []


@pytest.mark.long
def test_a_suite_in_processes_is_stopped_and_goes_on(make_home):
    """Once the suite alone, as a scheduler does, and once with its workers, as a terminal does."""
    homes = here, home = make_home(), make_home()
    for place in homes:
        for name, lr in (("slower", 2e-3), ("faster", 2e-2)):
            (place.folder / f"{name}.yaml").write_text(ABLATION.format(lr=lr))
    suite = ["run", "tiny.yaml", "slower.yaml", "faster.yaml", "--name", "suite", "--out", "reports"]
    here.ok(*suite)
    suite += ["--workers", "2"]
    assert home.hit(*suite, when="sft/.*.unfinished/update-*", number=signal.SIGTERM) == 143
    assert home.said.count("the same command goes on from there") == 1
    begun = {path.name.strip(".").partition(".")[0] for path in (home.cache / "artifacts" / "sft").iterdir()}
    assert len(begun) <= 2  # the third never
    assert home.hit(*suite, when="grpo/.*.unfinished/update-*", number=signal.SIGINT, tell=os.killpg) == 130
    assert home.said.count("the same command goes on from there") == 2
    home.ok(*suite)
    assert "Traceback" not in home.said
    assert home.results() == here.results()
    for stage in ("sft", "grpo"):
        assert home.weights_of(stage) == here.weights_of(stage)
    table, theirs = (untimed(place.folder / "reports" / "suite" / "results.csv") for place in homes)
    assert table == theirs != []
    assert home.litter() == []
