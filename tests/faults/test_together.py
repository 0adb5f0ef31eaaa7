"""Several processes with one cache: each stage is made once, nobody waits for the dead, and all see the same."""

from collections import Counter

import pytest


def check_together(make_home, undisturbed, processes: int) -> None:
    """Half of them run one experiment, half another that shares its data; one more is killed over its work."""
    home = make_home()
    run = home.commands()[0]
    other = [*run, "--set", "stages.sft.lr=2e-3"]
    doomed = home.start(*run, die_at=1, die_in="update-000000002")
    doomed.join()
    assert doomed.exitcode == -9
    started = [home.start(*(other if number % 2 else run), "--name", f"study-{number}") for number in range(processes)]
    for process in started:
        process.join(600)
        assert process.exitcode == 0, home.said
    assert undisturbed.results().items() <= home.results().items()
    made = Counter(
        event["stage"] for log in home.logs("run") for event in log if event["event"] == "end" and not event["cached"]
    )
    assert sum(made.values()) == len(home.artifacts())
    assert (made["data"], made["candidates"], made["traces"], made["sft"], made["grpo"]) == (1, 1, 1, 2, 2)
    assert "damaged" not in home.said
    assert home.litter() == []


@pytest.mark.slow
def test_three_processes_make_each_stage_once(make_home, undisturbed):
    check_together(make_home, undisturbed, 3)


@pytest.mark.long
def test_eight_processes_make_each_stage_once(make_home, undisturbed):
    check_together(make_home, undisturbed, 8)
