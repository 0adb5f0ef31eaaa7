import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from scipy.stats import chisquare

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.types import InteractionLog, Query
from r2rec_bench.data.base import Fold, negative_samplers, splits
from r2rec_bench.data.candidates import draw, read, write


def drawn(log, *, fold=Fold.TEST, split="leave_last_out", sampler="uniform", n=9, n_users=None, seed=0):
    folds = splits.get(split)().split(log)
    return draw(folds, fold, negative_samplers.get(sampler)(), n_negatives=n, n_users=n_users, seed=seed)


def by_id(candidates, log):
    """A user's list and query under original ids."""
    return {
        log.user_ids[query.user]: (query.time, query.position, [log.item_ids[item] for item in items])
        for query, items in zip(candidates.queries, candidates.items, strict=True)
    }


def without_users(log, gone):
    """The same catalogue, fewer users, each with another index."""
    keep = ~np.isin(log.user, list(gone))
    left = [user for user in range(log.n_users) if user not in gone]
    index = {user: at for at, user in enumerate(left)}
    user = np.array([index[u] for u in log.user[keep].tolist()], dtype=np.int32)
    ids = tuple(log.user_ids[u] for u in left)
    return InteractionLog(user, log.item[keep], log.rating[keep], log.time[keep], ids, log.item_ids)


@pytest.mark.parametrize("sampler", ["uniform", "popularity"])
@pytest.mark.parametrize("split", ["leave_last_out", "temporal"])
@pytest.mark.parametrize("fold", [Fold.VALIDATION, Fold.TEST])
def test_a_list_is_the_positive_among_items_never_touched(world, sampler, split, fold):
    candidates = drawn(world, fold=fold, split=split, sampler=sampler)
    asked = splits.get(split)().split(world).asked[fold]
    assert [query.user for query in candidates.queries] == world.user[asked].tolist()
    assert candidates.items.shape == (len(asked), 10)
    for row, query, items, at in zip(asked, candidates.queries, candidates.items, candidates.positive, strict=True):
        touched = set(world.item[world.user == query.user].tolist())
        assert items[at] == world.item[row]
        assert set(items.tolist()) & touched == {items[at]}
        assert len(set(items.tolist())) == 10
    np.testing.assert_array_equal(candidates.rating, world.rating[asked])


def test_a_query_is_the_moment_before_the_positive(make_log):
    rows = [("a", f"i{at}", 3, 100 + at) for at in range(5)] + [("b", f"i{at}", 3, 7) for at in range(9)]
    candidates = drawn(make_log([*rows, ("c", "x", 1, 1), ("c", "y", 1, 1)]), n=2)
    assert candidates.queries == (Query(0, 104, 4), Query(1, 7, 8))
    validation = drawn(make_log([*rows, ("c", "x", 1, 1), ("c", "y", 1, 1)]), n=2, fold=Fold.VALIDATION)
    assert validation.queries == (Query(0, 103, 3), Query(1, 7, 7))


def test_under_a_temporal_split_the_position_counts_what_is_visible(world):
    folds = splits.get("temporal")().split(world)
    candidates = drawn(world, split="temporal")
    visible = folds.visible_log(Fold.TEST)
    for query in candidates.queries:
        assert query.position == (visible.user == query.user).sum()
        assert (visible.time[visible.user == query.user] < query.time).all()


def test_the_seed_decides_everything(world):
    assert drawn(world).digest == drawn(world).digest
    assert drawn(world).digest != drawn(world, seed=1).digest
    assert drawn(world).digest != drawn(world, fold=Fold.VALIDATION).digest


def test_a_users_list_does_not_depend_on_other_users(world):
    gone = {0, 7, 13, 40}
    fewer = without_users(world, gone)
    all_lists, lists = by_id(drawn(world), world), by_id(drawn(fewer), fewer)
    assert lists
    assert lists == {user: all_lists[user] for user in lists}


def test_choosing_fewer_users_takes_from_the_same_lists(world):
    everyone, some = drawn(world), drawn(world, n_users=12)
    assert len(some) == 12
    everyones = by_id(everyone, world)
    assert all(everyones[user] == chosen for user, chosen in by_id(some, world).items())
    users = [query.user for query in some.queries]
    assert users == sorted(users)
    assert users != [query.user for query in drawn(world, n_users=12, seed=1).queries]
    assert len(drawn(world, n_users=10_000)) == len(everyone)


def test_the_choice_of_users_hardly_moves_when_somebody_leaves(world):
    chosen = set(by_id(drawn(world, n_users=20), world))
    fewer = without_users(world, {int(world.user_ids.index(next(iter(chosen))))})
    assert len(chosen & set(by_id(drawn(fewer, n_users=20), fewer))) == 19


def test_positives_stand_everywhere_alike_and_negatives_are_uniform(world):
    columns, negatives = np.zeros(5), np.zeros(world.n_items)
    expected = np.zeros(world.n_items)
    for seed in range(60):
        candidates = drawn(world, n=4, seed=seed)
        np.add.at(columns, candidates.positive, 1)
        np.add.at(negatives, candidates.items, 1)
        np.subtract.at(negatives, candidates.items[np.arange(len(candidates)), candidates.positive], 1)
        for query in candidates.queries:
            free = np.ones(world.n_items)
            free[world.item[world.user == query.user]] = 0
            expected += 4 * free / free.sum()
    assert chisquare(columns).pvalue > 0.001
    assert chisquare(negatives, expected).pvalue > 0.001


def test_too_few_items_is_an_error(world):
    said = r"candidates.n: user '\d+': \d+ of 80 items are touched; 79 negatives need \d+ more. Lower candidates.n$"
    with pytest.raises(InputError, match=said):
        drawn(world, n=79)


def test_what_is_written_is_read_back(world, tmp_path):
    ratings = world.rating.copy()
    ratings[::2] = np.nan
    log = InteractionLog(world.user, world.item, ratings, world.time, world.user_ids, world.item_ids)
    candidates = drawn(log)
    write(candidates, log, tmp_path / "c.parquet")
    back = read(tmp_path / "c.parquet", log)
    assert back.queries == candidates.queries
    assert back.digest == candidates.digest
    for name in ("items", "positive", "rating"):
        np.testing.assert_array_equal(getattr(back, name), getattr(candidates, name))
        assert getattr(back, name).dtype == getattr(candidates, name).dtype


def test_the_file_is_read_by_ids_not_by_index(world, tmp_path):
    fewer = without_users(world, {0, 1})
    write(drawn(fewer), fewer, tmp_path / "c.parquet")
    assert by_id(read(tmp_path / "c.parquet", world), world) == by_id(drawn(fewer), fewer)


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("time", lambda v: v + 1),
        ("positive", lambda v: (v + 1) % 10),
        ("items", lambda v: v[::-1]),
        ("rating", lambda v: v / 2),
    ],
)
def test_a_changed_file_is_refused_by_name(world, tmp_path, column, change):
    file = tmp_path / "c.parquet"
    write(drawn(world), world, file)
    table = pq.read_table(file)
    frame = table.to_pandas()
    frame.at[0, column] = change(frame.at[0, column])
    changed = table.from_pandas(frame, schema=table.schema, preserve_index=False)
    pq.write_table(changed.replace_schema_metadata(table.schema.metadata), file)
    with pytest.raises(
        InputError, match=r"c.parquet: the content has digest \w{64}, the file says \w{64}: it was changed"
    ):
        read(file, world)


def test_a_file_without_digest_or_of_another_data_set_is_refused(world, make_log, tmp_path):
    file = tmp_path / "c.parquet"
    write(drawn(world), world, file)
    other = make_log([("0", "x", 1, 1)])
    with pytest.raises(InputError, match=r"c.parquet: '\w+' is not in this data set; the candidates were drawn for"):
        read(file, other)
    pd.read_parquet(file).to_parquet(file)
    with pytest.raises(InputError, match="the file says none"):
        read(file, world)
    with pytest.raises(InputError, match=r"gone.parquet: cannot be read as parquet"):
        read(tmp_path / "gone.parquet", world)
