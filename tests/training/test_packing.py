"""Several examples in a row: what is learnt is what is learnt of an example a row, and no model is taken on trust."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch.nn.functional import cross_entropy

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.texts import Trace
from r2rec_bench.llm.base import Checkpoint, LoadOptions, Lora
from r2rec_bench.llm.hf import HfConfig, HuggingFace
from r2rec_bench.llm.loading import load_tokenizer
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.training.base import StageResult
from r2rec_bench.training.sft import Sft, SftConfig
from r2rec_bench.training.trl import supervised
from r2rec_bench.training.trl.batches import IGNORED, collate, packed, reads_apart, rows_of
from r2rec_bench.training.trl.supervised import completion_loss

Train = Callable[..., StageResult]
Batch = Sequence[Mapping[str, Any]]

TOLERANCE = 1e-5
SETTINGS = {"lr": 1e-3, "batch_size": 6, "gradient_accumulation": 2, "warmup": 0}
EXAMPLES = [
    {"input_ids": [7] * prompt + [8 + k] * written, "prompt_length": prompt}
    for k, (prompt, written) in enumerate([(2, 2), (6, 3), (3, 1)])
]


@pytest.fixture
def traces(codes: list[Trace]) -> list[Trace]:
    """Of which every third has its evidence six times over, so that others find room beside it."""
    return [
        replace(trace, prompt=replace(trace.prompt, pieces=trace.prompt.pieces * (1 if k % 3 else 6)))
        for k, trace in enumerate(codes[:30])
    ]


@given(lengths=st.lists(st.integers(1, 30), max_size=40), more=st.integers(0, 60))
def test_texts_fill_rows(lengths: list[int], more: int) -> None:
    room = max(lengths, default=0) + more
    rows = rows_of(lengths, room)
    assert sorted(place for row in rows for place in row) == list(range(len(lengths)))
    filled = [sum(lengths[place] for place in row) for row in rows]
    assert all(0 < tokens <= room for tokens in filled)
    for row, later in enumerate(rows):  # no row was begun that an earlier one had room for
        assert all(filled[earlier] + lengths[later[0]] > room for earlier in range(row))


def test_short_examples_share_rows_as_long_as_the_longest() -> None:
    x = IGNORED
    assert {name: value.tolist() for name, value in packed(EXAMPLES).items()} == {
        "input_ids": [[7, 7, 7, 7, 7, 7, 9, 9, 9], [0, 7, 7, 8, 8, 7, 7, 7, 10]],
        "attention_mask": [[1, 1, 1, 1, 1, 1, 1, 1, 1], [0, 1, 1, 1, 1, 1, 1, 1, 1]],
        "position_ids": [[0, 1, 2, 3, 4, 5, 6, 7, 8], [0, 0, 1, 2, 3, 0, 1, 2, 3]],
        "labels": [[x, x, x, x, x, x, 9, 9, 9], [x, x, x, 8, 8, x, x, x, 10]],
    }


def test_one_row_is_without_padding() -> None:
    batch = packed(EXAMPLES, one_row=True)
    assert batch["input_ids"].shape == (1, sum(len(example["input_ids"]) for example in EXAMPLES))
    assert batch["attention_mask"].all()


@pytest.mark.parametrize("one_row", [False, True], ids=["rows", "one-row"])
@pytest.mark.parametrize("kind", ["nano_checkpoint", "qwen2_checkpoint"])
def test_loss_and_gradients_are_those_of_an_example_a_row(
    kind: str, one_row: bool, traces: list[Trace], request: pytest.FixtureRequest
) -> None:
    lm = LanguageModel.load(request.getfixturevalue(kind), LoadOptions("float32"))
    prompts = lm.encode([trace.prompt for trace in traces[:12]])
    completions = lm.encode_completions([trace.completion for trace in traces[:12]])
    batch = [{"input_ids": p + c, "prompt_length": len(p)} for p, c in zip(prompts, completions, strict=True)]

    def gradients(loss: torch.Tensor) -> dict[str, torch.Tensor]:
        lm.model.zero_grad()
        loss.backward()
        return {name: weight.grad for name, weight in lm.model.named_parameters() if weight.grad is not None}

    inputs = collate(batch)
    plain = completion_loss(lm.model, inputs, inputs.pop("labels"), None)
    expected = gradients(plain)
    dense = packed(batch, one_row=one_row)
    assert len(dense["input_ids"]) < len(batch)
    logits = lm.model(input_ids=dense["input_ids"], position_ids=dense["position_ids"], use_cache=False).logits
    loss = cross_entropy(logits[:, :-1].flatten(0, 1), dense["labels"][:, 1:].flatten(), ignore_index=IGNORED)
    assert loss.item() == pytest.approx(plain.item(), rel=TOLERANCE)
    for name, gradient in gradients(loss).items():
        torch.testing.assert_close(gradient, expected[name], rtol=0, atol=TOLERANCE)
    assert max(float(gradient.abs().max()) for gradient in expected.values()) > 100 * TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["nano", *(pytest.param(kind, marks=pytest.mark.long) for kind in ("qwen2", "adapter"))]
)
def test_updates_are_those_of_an_example_a_row(
    kind: str,
    nano_checkpoint: Checkpoint,
    qwen2_checkpoint: Checkpoint,
    traces: list[Trace],
    train: Train,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start, backbone = nano_checkpoint, None
    if kind != "nano":
        adapter = Lora(rank=2) if kind == "adapter" else None
        start = qwen2_checkpoint
        backbone = HuggingFace(HfConfig(path=str(start.path), dtype="float32", adapter=adapter))
    rows: list[int] = []

    def spy(batch: Batch, *, one_row: bool) -> dict[str, torch.Tensor]:
        found = packed(batch, one_row=one_row)
        rows.append(len(found["input_ids"]))
        return found

    monkeypatch.setattr(supervised, "packed", spy)
    padded = train(Sft(SftConfig(**SETTINGS)), start, traces, tmp_path / "padded", backbone)
    shared = train(Sft(SftConfig(**SETTINGS, packing=True)), start, traces, tmp_path / "shared", backbone)
    assert len(rows) == 5  # passes of six examples, two of them an update
    assert max(rows) < 6
    assert shared.tokens == padded.tokens
    assert len(shared.log) == 3
    for figure in ("loss", "grad_norm", "lr"):
        assert [row[figure] for row in shared.log] == pytest.approx([row[figure] for row in padded.log], rel=TOLERANCE)
    folders = (start.path, tmp_path / "padded", tmp_path / "shared")
    before, alone, together = (load_file(folder / "model.safetensors") for folder in folders)
    for name, value in alone.items():
        torch.testing.assert_close(together[name], value, rtol=0, atol=TOLERANCE)
    assert max(float((alone[name] - before[name]).abs().max()) for name in alone) > 1e-3


def test_a_model_that_reads_on_from_one_example_to_the_next_is_refused(
    qwen2_checkpoint: Checkpoint, codes: list[Trace], train: Train, tmp_path: Path
) -> None:
    from transformers import MambaConfig, MambaForCausalLM

    tokenizer = load_tokenizer(qwen2_checkpoint, LoadOptions())
    recurrent = MambaForCausalLM(
        MambaConfig(vocab_size=len(tokenizer), hidden_size=16, state_size=4, num_hidden_layers=1)
    )
    assert not reads_apart(recurrent, one_row=False)
    recurrent.save_pretrained(tmp_path / "mamba")
    tokenizer.save_pretrained(tmp_path / "mamba")
    backbone = HuggingFace(HfConfig(path=str(tmp_path / "mamba"), adapter=None, attention="eager"))
    told = (
        r"sft\.packing: MambaForCausalLM with eager attention does not read the examples of a row apart\. Set packing"
    )
    with pytest.raises(InputError, match=told):
        train(Sft(SftConfig(packing=True)), Checkpoint(tmp_path / "mamba"), codes, tmp_path / "out", backbone)
