import numpy as np

from r2rec_bench.core.types import InteractionLog, ItemCatalog
from r2rec_bench.data.base import Dataset
from r2rec_bench.data.stats import stats


def test_counts_by_hand():
    log = InteractionLog(
        np.array([0, 0, 0, 2], dtype=np.int32),
        np.array([0, 1, 3, 1], dtype=np.int32),
        np.array([5, np.nan, 1, 5], dtype=np.float32),
        np.array([10, 20, 30, 5], dtype=np.int64),
        ("a", "idle", "c"),
        ("w", "x", "never", "z"),
    )
    dataset = Dataset("d", log, ItemCatalog(("",) * 4, ("",) * 4), False, "free", "here", {"why": 2})
    counts = stats(dataset)
    assert (counts.users, counts.items, counts.interactions) == (2, 3, 4)
    assert counts.density == 4 / 6
    assert counts.ratings == {1.0: 1, 5.0: 2}
    assert counts.missing_ratings == 1
    assert (counts.first_time, counts.last_time) == (5, 30)
    assert (counts.fewest, counts.median, counts.most) == (1, 2.0, 3)
    assert (counts.name, counts.licence, counts.origin, counts.drops) == ("d", "free", "here", {"why": 2})
    assert counts.synthetic is False
