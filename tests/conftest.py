"""Checkpoints small enough to train in a test, and a Ray cluster of this machine's own."""

from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from string import ascii_uppercase

import pytest
from hypothesis import settings

from r2rec_bench.llm.base import Checkpoint
from r2rec_bench.testing.models import small_nano, write_chat

# Machines are shared and kernels compile on first use: no example is too slow.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

_CORPUS = [
    'The user rated "Alien (1979)" 5, 3 steps ago. Of 310 others, 120 also rated "Aliens (1986)".',
    "<think>\nStep 1. They rated it 4.2 on average. Weight: strongly for. Forecast: 4.\n</think>\n<answer>4</answer>",
    "How would the user rate it? The user —[MASK]→ Weight: strongly against, against, neutral, for, strongly for.",
    # Often enough that each letter, Yes and No, with the space before them, become tokens.
    *[" ".join(["", *ascii_uppercase, "Yes", "No"])] * 40,
]

_TRIALS = 5


@pytest.fixture
def nano_checkpoint(tmp_path: Path) -> Checkpoint:
    """A copy of `small_nano` of the test's own."""
    return Checkpoint(copytree(small_nano().path, tmp_path / "nano"))


@pytest.fixture
def qwen2_checkpoint(shared_qwen2: Checkpoint, tmp_path: Path) -> Checkpoint:
    """A copy of `shared_qwen2` of the test's own."""
    return Checkpoint(copytree(shared_qwen2.path, tmp_path / "qwen2"))


@pytest.fixture(scope="session")
def shared_qwen2(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """Random weights in the shape of Qwen2, two layers, with a byte-level BPE tokenizer and a ChatML template.

    Not to be written to.
    """
    folder = tmp_path_factory.mktemp("chat") / "qwen2"
    return write_chat(folder, _CORPUS, vocabulary=440, layers=2, heads=4, positions=1024)


@pytest.fixture(scope="session")
def cluster() -> Iterator[None]:
    """Two workers with a thread each; Ray gives its parts half a minute to start, which a busy machine exceeds now and
    then."""
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'r2rec-bench[ray]'")
    with pytest.MonkeyPatch.context() as patch:  # what is set now is the workers' for good
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_worker_niceness", "0")  # else whoever is at work beside makes the workers wait
        for trial in range(1, _TRIALS + 1):
            try:
                ray.init("local", num_cpus=2, include_dashboard=False, object_store_memory=100_000_000)
                break
            except Exception:
                ray.shutdown()
                if trial == _TRIALS:
                    raise
    yield
    ray.shutdown()
