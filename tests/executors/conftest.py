"""A Ray cluster of this machine's own, for all tests of the folder."""

from collections.abc import Iterator

import pytest

_TRIALS = 5


@pytest.fixture(scope="session")
def cluster() -> Iterator[None]:
    """Two workers; Ray gives its parts half a minute to start, which a busy machine exceeds now and then."""
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'r2rec-bench[ray]'")
    with pytest.MonkeyPatch.context() as patch:
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
