"""Work that is done on halves where memory is too short for all of it."""

import pytest
import torch

from r2rec_bench.llm.shortage import in_parts

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
