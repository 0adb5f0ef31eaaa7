"""Work that is done on halves where memory is too short for all of it."""

import numpy as np
import pytest
import torch

from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.llm.nano import NanoShape, new_model, new_tokenizer
from r2rec_bench.llm.shortage import in_parts
from tests.memory import twice

SHORT = "CUDA out of memory. Tried to allocate 1.00 GiB."


def test_each_row_is_done_once_and_no_part_is_larger_than_fits(caplog: pytest.LogCaptureFixture):
    done: list[list[int]] = []

    def work(rows):
        if len(rows) > 3:
            raise torch.OutOfMemoryError(SHORT)
        done.append(list(rows))

    in_parts(range(10), work)
    assert done == [[0, 1], [2, 3, 4], [5, 6], [7, 8, 9]]
    assert "memory is too short for a batch of 10; going on with 5" in caplog.text


@pytest.mark.parametrize("error", [torch.OutOfMemoryError(SHORT), RuntimeError("shapes do not fit")])
def test_what_smaller_parts_cannot_mend_is_raised(error: RuntimeError):
    tried: list[int] = []

    def work(rows):
        tried.append(len(rows))
        raise error

    with pytest.raises(RuntimeError, match=str(error)[:10]):
        in_parts(range(4), work)
    assert tried == ([4, 2, 1] if isinstance(error, torch.OutOfMemoryError) else [4])


def test_the_processor_s_words_for_it_are_known_too():
    with pytest.raises(RuntimeError, match="DefaultCPUAllocator"):
        in_parts([0], lambda rows: torch.empty(10**15))


def scored() -> np.ndarray:
    """What a new model says after 128 texts of 400 tokens, all in one batch if there is room, of some 170 MB."""
    model = LanguageModel(new_model(NanoShape(layers=1), seed=0), new_tokenizer(), batch_tokens=1_000_000)
    texts = np.random.default_rng(0).integers(10, 100, (128, 400)).tolist()
    return model.outcome_scores(texts, ["1", "2", "3", "4", "5"]).log_probabilities


@pytest.mark.slow
def test_where_the_system_gives_no_more_memory_the_scores_are_the_same():
    whole, parts, said = twice(scored)
    assert said[0] == "memory is too short for a batch of 128; going on with 64"
    np.testing.assert_allclose(parts, whole, atol=1e-4)
