"""Live bars, plain lines, silence; and terminal text that cannot be misused."""

import io
import re

import pytest
from rich.console import Console
from rich.progress import Progress

from r2rec_bench.cli.console import safe
from r2rec_bench.cli.progress import Lines, Live, Quiet, figures_line, watching


def console(*, terminal: bool = False) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=100, highlight=False)


def written(console: Console) -> str:
    return console.file.getvalue()  # type: ignore[attr-defined]


class Clock:
    """Seconds that a test sets."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_lines_tell_each_tenth_once_with_the_time_left_and_the_end():
    screen, clock = console(), Clock()
    watcher = Lines(screen, clock)
    watcher.begin("sft")
    for done in range(1, 101):
        clock.now += 7
        watcher.progress(done, 100, {"loss": 0.5, "tokens_per_second": 12_345.6, "other": 1})
    watcher.end("sft", 61.25, cached=False)
    lines = written(screen).splitlines()
    assert len(lines) == 11
    assert lines[0] == "sft: 10 of 100  loss 0.500  12,346 tokens/s  10:30 left"
    assert lines[8] == "sft: 90 of 100  loss 0.500  12,346 tokens/s  1:10 left"
    assert lines[9] == "sft: 100 of 100  loss 0.500  12,346 tokens/s"
    assert lines[-1] == "✓ sft: 61.2 s"


def test_the_second_part_of_a_stage_has_a_time_left_of_its_own():
    screen, clock = console(), Clock()
    watcher = Lines(screen, clock)
    watcher.begin("dpo")
    clock.now += 100
    watcher.progress(10, 10, {})
    watcher.progress(0, 4, {})
    clock.now += 3_600
    watcher.progress(2, 4, {})
    assert written(screen).splitlines() == ["dpo: 10 of 10", "dpo: 0 of 4", "dpo: 2 of 4  1:00:00 left"]


def test_at_the_end_it_is_told_what_was_made_and_what_was_there():
    screen = console()
    watcher = Lines(screen)
    watcher.tell_sum()
    assert written(screen) == ""
    watcher.end("data", 5.0, cached=True)
    watcher.end("sft", 60.0, cached=False)
    watcher.end("grpo", 1.5, cached=False)
    watcher.end("data", 5.0, cached=True)
    watcher.tell_sum()
    assert written(screen).splitlines()[-1] == "Stages: 2 made in 61.5 s, 1 from the cache"


def test_a_stage_found_in_the_cache_is_told_once():
    screen = console()
    watcher = Lines(screen)
    for _ in range(2):
        watcher.begin("data")
        watcher.end("data", 1.0, cached=True)
    assert written(screen) == "= data: cached, took 1.0 s\n"


def test_a_live_line_shows_bar_and_figures_and_goes_when_the_stage_ends():
    screen = console(terminal=True)
    with Progress("{task.description} {task.percentage:.0f}% {task.fields[figures]}", console=screen) as bars:
        watcher = Live(screen, bars)
        watcher.begin("grpo [x]")
        watcher.progress(5, 10, {"reward": 0.25})
        bars.refresh()
        assert len(bars.tasks) == 1
        watcher.end("grpo [x]", 2.0, cached=False)
        assert not bars.tasks
    assert "grpo [x] 50% reward 0.250" in written(screen)


def test_quiet_says_nothing_but_warnings_and_keeps_them(capsys: pytest.CaptureFixture[str]):
    with watching(quiet=True) as watcher:
        assert type(watcher) is Quiet
        watcher.begin("data")
        watcher.progress(1, 1, {})
        watcher.end("data", 1.0, cached=False)
        watcher.warn("NO REAL DATA: [red]nothing[/red]")
    told = capsys.readouterr()
    assert told.out == ""
    assert "NO REAL DATA: [red]nothing[/red]" in told.err
    assert "data:" not in told.err
    assert watcher.warnings == ["NO REAL DATA: [red]nothing[/red]"]


def test_without_a_terminal_there_are_lines():
    with watching(quiet=False) as watcher:
        assert type(watcher) is Lines


@pytest.mark.parametrize(("plain", "kind"), [(False, Live), (True, Lines)])
def test_in_a_terminal_there_are_bars_unless_lines_are_asked_for(plain: bool, kind: type, monkeypatch):
    monkeypatch.setattr("r2rec_bench.cli.progress.stderr", lambda: console(terminal=True))
    with watching(quiet=False, plain=plain) as watcher:
        assert type(watcher) is kind


def test_a_bar_says_stage_step_and_figures(monkeypatch):
    screen = console(terminal=True)
    monkeypatch.setattr("r2rec_bench.cli.progress.stderr", lambda: screen)
    with watching(quiet=False) as watcher:
        watcher.begin("grpo")
        watcher.progress(12, 60, {"reward": 0.5, "tokens_per_second": 900.0})
    assert re.search(r"grpo.*12/60.*reward 0\.500  900 tokens/s", written(screen))


def test_figures_in_a_fixed_order_and_only_the_known():
    assert figures_line({"tokens_per_second": 10.0, "reward": 1.0, "kl": 2.0}) == "reward 1.000  10 tokens/s"


@pytest.mark.parametrize(
    "hostile", ["[bold]x[/bold]", "\x1b[31mred", "a\x07b", "line\nbreak", "[link=http://x]y[/link]"]
)
def test_titles_reach_the_terminal_as_plain_text(hostile: str):
    screen = console(terminal=True)
    screen.print(safe(hostile), highlight=False, soft_wrap=True)
    shown = written(screen)
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert shown.rstrip("\n") == "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in hostile)
