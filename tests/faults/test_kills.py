"""Runs that are killed anywhere and started again end as if nothing had been, and do nothing twice that was done."""

import os
import select
import signal
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

_MOST_EVENTS = 60
"""A kill comes after so many changes of the file system at most, of several hundred."""
_MOST_SECONDS = 3.0
SHORT, MIDDLE, LONG = 6, 10, 100
_MOST_IN_A_LIFE = 25
TWO = Path(__file__).parents[2] / "experiments" / "launch" / "two-cpus.yaml"


class Life:
    """Commands that are killed again and again.

    Args:
        home: empty.
        rng: of the moments.
    """

    def __init__(self, home, rng: Random) -> None:
        self.home = home
        self.kills = 0
        self._rng = rng
        self._made: dict[str, str] = {}

    def lead(self, *words: object, most: int) -> None:
        """A command until it is done, killed so often at most."""
        while self._attempt(*words, mortal=self.kills < most) < 0:
            self.kills += 1
            self._check_kept()

    def _attempt(self, *words: object, mortal: bool) -> int:
        """A command's exit code; half the kills come at a change of the file system, half at any time."""
        if not mortal:
            code = self.home.run(*words)
        elif self._rng.random() < 0.5:
            code = self.home.run(*words, die_at=self._rng.randint(1, _MOST_EVENTS))
        else:
            code = self.home.run(*words, seconds=self._rng.uniform(0, _MOST_SECONDS))
        assert code in {0, -9}, self.home.said
        return code

    def _check_kept(self) -> None:
        """What was finished before an earlier kill has not been made again."""
        now = self.home.artifacts()
        assert self._made.items() <= now.items()
        self._made = now


def check_like(home, undisturbed) -> None:
    """The same numbers and weights as undisturbed, no update made twice, and no litter."""
    theirs = undisturbed.results()
    assert len(theirs) >= 3
    assert theirs.items() <= home.results().items()
    for stage in ("sft", "grpo"):
        weights = undisturbed.weights_of(stage)
        assert weights
        assert weights.items() <= home.weights_of(stage).items()
        check_no_update_twice(home, stage)
    assert home.litter() == []


def check_no_update_twice(home, stage: str) -> None:
    """Each run went on with the update after the last one kept, which is the last one told or the one before."""
    last = 0
    for steps in home.updates(stage):
        assert steps == list(range(steps[0], steps[-1] + 1))
        assert steps[0] in {last, last + 1}
        last = steps[-1]
    assert last > 1


@pytest.mark.slow
def test_a_run_killed_anywhere_ends_as_if_undisturbed(undisturbed, home):
    life = Life(home, Random(1))
    life.lead(*home.commands()[0], most=SHORT)
    check_like(home, undisturbed)
    assert life.kills  # as many as came before a fast machine had done


@pytest.mark.long
def test_a_hundred_kills_change_nothing(make_home):
    undisturbed = make_home()
    for number in range(3):  # what the last one is told is known after the first
        undisturbed.ok(*undisturbed.commands()[number])
    rng, kills, lives = Random(2), 0, 0
    while kills < LONG:
        home = make_home()
        life = Life(home, rng)
        for number in range(3):
            life.lead(*home.commands()[number], most=_MOST_IN_A_LIFE)
        check_like(home, undisturbed)
        assert (home.folder / "reports" / home.run_id / "report.md").is_file()
        kills, lives = kills + life.kills, lives + 1
        print(f"life {lives}: {life.kills} kills, {kills} so far", flush=True)  # noqa: T201  the figure of this test


@pytest.mark.long
def test_pretraining_killed_anywhere_gives_the_same_weights(make_home):
    undisturbed, home = make_home(), make_home()
    words = ["pretrain", "made", "--set", "worlds=1", "--set", "questions=24", "--set", "batch_size=4"]
    words += ["--set", "shape={width: 16, layers: 1, heads: 2}"]
    undisturbed.ok(*words)
    life = Life(home, Random(3))
    life.lead(*words, most=MIDDLE)
    one, other = (place.folder / "made" / "model.safetensors" for place in (undisturbed, home))
    assert one.read_bytes() == other.read_bytes()
    assert home.litter() == []


def check_all_end(home) -> None:
    """Whatever a run of this home's has started comes to its end, now that the run is no more."""
    waiting = select.poll()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # somebody else's, or gone
            if os.fsencode(home.cache) in (process / "environ").read_bytes():
                end = os.pidfd_open(int(process.name))
                waiting.register(end, select.POLLIN)
                assert waiting.poll(60_000)
                waiting.unregister(end)
                os.close(end)


@pytest.mark.long
def test_processes_that_train_together_go_on_to_the_same_weights(make_home):
    """Told to end, killed within an epoch, and after a pass over the prompts: none is left, and all go on."""
    here, home = make_home(), make_home()
    changes = ["queries.n=16", "stages.sft.epochs=3", "stages.grpo.prompts=8", "stages.grpo.steps=6"]
    changes.append(f"launch=accelerate:{TWO}")
    run = [*home.commands()[0], *(word for change in changes for word in ("--set", change))]
    here.ok(*run)
    kept: list[tuple[str, int]] = []
    for stage, update, number, code in (
        ("sft", 1, signal.SIGTERM, 143),
        ("sft", 3, signal.SIGKILL, -9),
        ("grpo", 2, signal.SIGKILL, -9),
    ):
        when = f"{stage}/.*.unfinished/update-{update:09d}"
        assert home.hit(*run, when=when, number=number, tell=os.killpg) == code
        check_all_end(home)
        updates = (home.cache / "artifacts" / stage).glob(".*.unfinished/update-*")
        kept.append((stage, max(int(path.name.removeprefix("update-")) for path in updates)))
    assert home.said.count("the same command goes on from there") == 1
    home.ok(*run)
    for stage, last in kept:
        assert last + 1 in {steps[0] for steps in home.updates(stage)}
        assert home.weights_of(stage) == here.weights_of(stage) != {}
    assert home.results() == here.results()
    assert home.litter() == []
