"""A stage that was interrupted and begun again: the same weights, bit for bit, and nothing trained twice."""

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from r2rec_bench.core.signals import Terminated, heeded
from r2rec_bench.core.texts import Trace
from r2rec_bench.core.unfinished import Unfinished
from r2rec_bench.llm.base import Backbone, Checkpoint, Lora
from r2rec_bench.llm.hf import HfConfig, HuggingFace
from r2rec_bench.llm.nano import Nano, NanoConfig
from r2rec_bench.training.base import Stage, StageContext, StageResult
from r2rec_bench.training.dpo import Dpo, DpoConfig
from r2rec_bench.training.grpo import Grpo, GrpoConfig
from r2rec_bench.training.rloo import Rloo, RlooConfig
from r2rec_bench.training.sft import Sft, SftConfig

REWARDED = {"lr": 1e-3, "steps": 3, "prompts": 4, "group": 2, "max_completion": 10, "gradient_accumulation": 2}


@dataclass
class Run:
    """A stage on its traces, as often as one likes; each time it reports the updates that it made."""

    stage: Stage
    start: Checkpoint
    traces: list[Trace]
    context: StageContext
    folder: Path

    def __call__(
        self, name: str, meanwhile: Callable[[int], None] = lambda step: None
    ) -> tuple[StageResult, list[int]]:
        seen: list[int] = []

        def report(step: int, steps: int, figures: Mapping[str, float]) -> None:
            seen.append(step)
            meanwhile(step)

        out = self.folder / name
        out.mkdir()
        context = replace(self.context, report=report, unfinished=self.unfinished)
        return self.stage.run(self.start, self.traces, out, context), seen

    @property
    def unfinished(self) -> Unfinished:
        return Unfinished(self.folder / "unfinished")

    def weights(self, name: str) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.folder / name).rglob("*.safetensors")}


def interrupted_at(last: int) -> Callable[[int], None]:
    """Dies when it reports this update, before a checkpoint of it is there."""

    def meanwhile(step: int) -> None:
        if step == last:
            raise KeyboardInterrupt

    return meanwhile


def timeless(result: StageResult) -> list[dict[str, float]]:
    return [{name: value for name, value in row.items() if name != "tokens_per_second"} for row in result.log]


@pytest.fixture
def every_update(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("R2REC_CHECKPOINT_MINUTES", "0")


@pytest.fixture
def run(
    tmp_path: Path,
    codes: list[Trace],
    sentences: list[Trace],
    nano_checkpoint: Checkpoint,
    qwen2_checkpoint: Checkpoint,
    context: Callable[[Backbone], StageContext],
) -> Callable[..., Run]:
    def make(stage: Stage, *, lora: bool = False, n: int = 16) -> Run:
        if not lora:
            backbone = Nano(NanoConfig(weights=nano_checkpoint.path))
            return Run(stage, nano_checkpoint, codes[:n], context(backbone), tmp_path)
        config = HfConfig(path=str(qwen2_checkpoint.path), dtype="float32", adapter=Lora(rank=4, dropout=0.1))
        return Run(stage, qwen2_checkpoint, sentences[:n], context(HuggingFace(config)), tmp_path)

    return make


def check_the_same(run: Run, *at: int) -> None:
    """Dies at each of these updates, goes on, and ends as if nothing had been."""
    undisturbed, steps = run("undisturbed")
    run.unfinished.clear()
    for count, step in enumerate(at):
        with pytest.raises(KeyboardInterrupt):
            run(f"died-{count}", interrupted_at(step))
    resumed, seen = run("resumed")
    assert seen == steps[at[-1] - 1 :]
    assert timeless(resumed) == timeless(undisturbed)
    assert (resumed.tokens, resumed.examples) == (undisturbed.tokens, undisturbed.examples)
    assert run.weights("resumed") == run.weights("undisturbed") != {}


@pytest.mark.slow
@pytest.mark.usefixtures("every_update")
@pytest.mark.parametrize(
    "layout", [{}, *(pytest.param({name: True}, marks=pytest.mark.long) for name in ("group_by_length", "packing"))]
)
def test_fine_tuning_goes_on_within_an_epoch_and_between_two(run: Callable[..., Run], layout: dict[str, bool]):
    config = SftConfig(lr=1e-2, epochs=2, batch_size=4, gradient_accumulation=2, **layout)
    check_the_same(run(Sft(config), n=20), 2, 4, 6)  # three updates an epoch


@pytest.mark.slow
@pytest.mark.usefixtures("every_update")
def test_an_adapter_with_dropout_goes_on(run: Callable[..., Run]):
    check_the_same(run(Sft(SftConfig(lr=1e-2, epochs=1, batch_size=4)), lora=True), 3)


@pytest.mark.slow
@pytest.mark.usefixtures("every_update")
@pytest.mark.parametrize(
    ("stage", "lora"),
    [
        (Grpo(GrpoConfig(**REWARDED)), False),
        pytest.param(Grpo(GrpoConfig(**REWARDED)), True, marks=pytest.mark.long),
        pytest.param(Rloo(RlooConfig(**REWARDED)), False, marks=pytest.mark.long),
        pytest.param(Rloo(RlooConfig(**REWARDED)), True, marks=pytest.mark.long),
    ],
)
def test_reinforcement_goes_on_in_a_later_pass_over_the_prompts(run: Callable[..., Run], stage: Stage, *, lora: bool):
    check_the_same(run(stage, lora=lora, n=6), 3)  # a pass is an update and a half


@pytest.mark.slow
@pytest.mark.usefixtures("every_update")
@pytest.mark.parametrize("lora", [False, pytest.param(True, marks=pytest.mark.long)])
def test_preferences_go_on(run: Callable[..., Run], *, lora: bool):
    check_the_same(run(Dpo(DpoConfig(lr=1e-3, epochs=2, batch_size=8)), lora=lora), 3)


@pytest.mark.slow
def test_a_run_that_is_told_to_end_keeps_what_it_has_first(run: Callable[..., Run]):
    training = run(Sft(SftConfig(lr=1e-2, batch_size=4)))
    undisturbed, _ = training("undisturbed")
    assert not training.unfinished.folder.exists()  # ten minutes are not over

    def ended(step: int) -> None:
        if step == 2:
            signal.raise_signal(signal.SIGTERM)

    with heeded(), pytest.raises(Terminated):
        training("ended", ended)
    resumed, seen = training("resumed")
    assert seen == [4]  # it was told after the second update, and kept the third
    assert timeless(resumed) == timeless(undisturbed)
    assert training.weights("resumed") == training.weights("undisturbed")


@pytest.mark.slow
@pytest.mark.usefixtures("every_update")
def test_a_checkpoint_that_cannot_be_kept_or_read_costs_time_alone(
    run: Callable[..., Run], caplog: pytest.LogCaptureFixture
):
    training = run(Sft(SftConfig(lr=1e-2, batch_size=4)))
    training.unfinished.folder.write_text("in the way")
    undisturbed, steps = training("undisturbed")
    assert "no checkpoint after update 1; the run goes on without" in caplog.text
    training.unfinished.folder.unlink()
    with pytest.raises(KeyboardInterrupt):
        training("died", interrupted_at(4))
    [kept] = training.unfinished.folder.glob("update-*")
    assert not list(kept.rglob("training_args.bin"))
    path = kept / "rows.json"
    path.write_bytes(path.read_bytes().replace(b"loss", b"lost", 1))
    resumed, seen = training("resumed")
    assert f"{kept} is damaged: rows.json has another checksum" in caplog.text
    assert seen == steps
    assert timeless(resumed) == timeless(undisturbed)
