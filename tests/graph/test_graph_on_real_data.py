"""Bundles of real users against sets of users, counted the plain way."""

import numpy as np
import pytest

from r2rec_bench.core.paths import data_root
from r2rec_bench.core.types import Query, Visibility
from r2rec_bench.data.base import Fold, sources
from r2rec_bench.data.splits.leave_last_out import LeaveLastOut
from r2rec_bench.graph import InteractionGraph


@pytest.mark.realdata
@pytest.mark.parametrize("visibility", Visibility)
def test_bundles_of_movielens_100k(visibility):
    if data_root() is None or not (data_root() / "ml-100k").is_dir():
        pytest.skip("R2REC_DATA does not hold ml-100k")
    folds = LeaveLastOut().split(sources.get("movielens-100k")().load().log)
    log = folds.visible_log(Fold.TEST)
    graph = InteractionGraph(log, visibility)
    lengths = np.diff(log.offsets())
    rng = np.random.default_rng(5)
    for row in rng.choice(folds.asked[Fold.TEST], 20, replace=False):
        user, time = int(folds.log.user[row]), int(folds.log.time[row])
        visible = graph.visible(Query(user, time, int(lengths[user])))
        seen = (log.user != user) & ((log.time < time) | (visibility is Visibility.FOLD))
        target = int(rng.choice(np.setdiff1d(np.arange(log.n_items), visible.history_items())))
        there = set(log.user[seen & (log.item == target)])
        bundles = visible.bundles(range(int(lengths[user])), target, forward=False, window=1)
        for bundle in bundles:
            here = set(log.user[seen & (log.item == bundle.anchor.item)])
            assert (bundle.n_anchor, bundle.n_target, bundle.n_peers) == (len(here), len(there), len(here & there))
        assert len(visible.closures(target, forward=False)) == sum(bundle.n_peers for bundle in bundles)
