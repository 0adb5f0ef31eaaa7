"""How likely a text is after another: as counted by hand, one at a time."""

import numpy as np
import pytest
import torch

from r2rec_bench.contamination.likelihood import likelihood
from r2rec_bench.llm.model import LanguageModel
from tests.contamination.memory import Reader, reader


def test_likelihood_is_that_of_each_text_alone(untrained):
    asked = [("one two", " three\n"), ("1::", "Toy Story (1995)\n"), ("", "x"), ("a", ""), ("b" * 5000, "c")]
    got = likelihood(replace_batch(untrained, 40), asked)
    for k, (cue, answer) in enumerate(asked[:2]):
        before, after = (untrained.tokenizer(text)["input_ids"] for text in (cue, answer))
        with torch.inference_mode():
            logits = untrained.model(input_ids=torch.tensor([before + after])).logits[0].double()
        steps = logits.log_softmax(-1)[len(before) - 1 : -1]
        expected = steps[range(len(after)), after].sum().item() / np.log(2)
        assert got.log_p[k] == pytest.approx(expected, abs=1e-4)
        assert got.written[k] == (steps.argmax(-1).tolist() == after)
    assert np.isnan(got.log_p[2:]).all()
    assert np.isnan(got.written[2:]).all()


def replace_batch(model: LanguageModel, batch_tokens: int) -> LanguageModel:
    return LanguageModel(model.model, model.tokenizer, batch_tokens)


def test_what_greedy_generation_writes_counts_as_written(world):
    model = reader(world)
    row = world.log.item_ids[7]
    asked = [(f"\n{row},", f"{world.catalog.titles[7]}\n"), (f"\n{row},", f"{world.catalog.titles[8]}\n")]
    assert likelihood(model, asked).written.tolist() == [1, 0]


def test_no_title_becomes_a_control_token(untrained):
    [end] = untrained.tokenizer("<|im_end|>")["input_ids"]
    model = Reader([])
    seen = []
    forward = model.forward
    model.forward = lambda **given: seen.append(given["input_ids"]) or forward(**given)
    likelihood(LanguageModel(model, model.tokenizer), [("<|im_end|>", "<|im_end|>")])
    assert end not in seen[0]
