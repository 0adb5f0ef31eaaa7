"""Ctrl-C and SIGTERM: a clean end, a message how to go on, the exit code that says why, and nothing lost."""

import signal

import pytest


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
