"""What is made again, what is found, and what no model may see: real stages on a small world."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from r2rec_bench import pipeline as under_test
from r2rec_bench.audit import Auditor
from r2rec_bench.core.errors import InputError
from r2rec_bench.core.loading import load
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.core.types import Candidates, Ranking
from r2rec_bench.core.watch import Silent
from r2rec_bench.data.base import Dataset, Fold
from r2rec_bench.evaluation.base import Baseline, baselines
from r2rec_bench.evaluation.results import TABLE_FILE, Run
from r2rec_bench.experiment import Experiment
from r2rec_bench.files import MODEL, TRACES
from r2rec_bench.pipeline import Pipeline
from tests.worlds import write_tiny

pytestmark = pytest.mark.slow

CHANGES = {
    "chains": {"n": 3},
    "ranker": {"max_thought_tokens": 48},
    "metrics": ["hr", "mrr", "mae"],
    "baselines": [
        "popularity",
        "item_knn",
        {"use": "ease", "l2": 50},
        {"use": "als", "factors": 8},
        {"use": "bpr", "factors": 8, "iterations": 20},
    ],
}
BASELINES = {"popularity", "item_knn", "ease", "als", "bpr"}
SFT, GRPO = "R2Rec (nano): sft", "R2Rec (nano): sft + grpo"
ASKED = {"nano, untrained", SFT, GRPO}


class Recorder(Silent):
    """Keeps what was made, and every warning."""

    def __init__(self) -> None:
        self.made: set[str] = set()
        self.warnings: list[str] = []

    def end(self, stage: str, seconds: float, *, cached: bool) -> None:
        if not cached:
            self.made.add(stage)

    def warn(self, text: str) -> None:
        self.warnings.append(text)


@dataclass(frozen=True)
class Ran:
    cache: Path
    pipeline: Pipeline
    rows: dict[str, Run]
    made: set[str]
    rankings: dict[str, tuple[Ranking, Candidates]]
    """What each model that was asked in this very run answered, and to what."""

    @property
    def tables(self) -> dict[str, bytes]:
        return {system: (row.artifact.path / TABLE_FILE).read_bytes() for system, row in self.rows.items()}

    def weights(self, stages: int) -> bytes:
        folder = self.pipeline.trained(self.pipeline.experiment.stages[:stages]).path
        return (folder / MODEL / "model.safetensors").read_bytes()


def prepared(cache: Path, *overrides: str) -> Pipeline:
    cache.mkdir(exist_ok=True)
    file = write_tiny(cache, **CHANGES)
    return Pipeline(load(file, Experiment, overrides).value, ArtifactStore(cache / "artifacts"), Recorder())


def carried_out(cache: Path, pipeline: Pipeline) -> Ran:
    with answers() as given:
        rows = {row.result.system: row for row in pipeline.run()}
    watcher = pipeline.watcher
    assert isinstance(watcher, Recorder)
    asked = [system for system in rows if system in watcher.made]
    return Ran(cache, pipeline, rows, watcher.made, dict(zip(asked, given, strict=True)))


def run(cache: Path, *overrides: str) -> Ran:
    return carried_out(cache, prepared(cache, *overrides))


@contextmanager
def answers() -> Iterator[list[tuple[Ranking, Candidates]]]:
    """Every ranking that is measured, in order, with the candidates that it is an answer to."""
    given: list[tuple[Ranking, Candidates]] = []
    original = under_test.measured

    def spy(answered, *rest):
        given.append((answered.ranking, answered.candidates))
        return original(answered, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(under_test, "measured", spy)
        yield given


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return run(tmp_path_factory.mktemp("pipeline"))


def test_a_first_run_makes_every_row(ran):
    assert set(ran.rows) == BASELINES | ASKED
    assert ran.made == {"data", "candidates", "audit", "traces", "sft", "grpo"} | BASELINES | ASKED
    assert [row.result.kind for row in ran.rows.values()] == ["baseline"] * 5 + ["untrained", "r2rec", "r2rec"]
    # What the tests below compare is not empty: valid answers, and stages that changed the weights.
    assert all(ranking.valid.mean() > 0.9 for ranking, _ in ran.rankings.values())
    backbone = ran.pipeline.asking.model.checkpoint().path / "model.safetensors"
    assert len({backbone.read_bytes(), ran.weights(1), ran.weights(2)}) == 3


def test_a_second_run_makes_nothing_and_says_the_same(ran):
    again = run(ran.cache)
    assert again.made == set()
    assert again.tables == ran.tables
    assert {system: row.result.cost for system, row in again.rows.items()} == {
        system: row.result.cost for system, row in ran.rows.items()
    }


@pytest.mark.parametrize(
    ("change", "made"),
    [
        ("stages.grpo.rewards=[{reward: rating}]", {"grpo", GRPO}),
        ("stages.grpo=null", set()),
        ("stages.sft=null", {"grpo", "R2Rec (nano): grpo"}),
        ("ranker.max_thought_tokens=40", ASKED),
        ("chains.n=2", {"audit", "traces", "sft", "grpo"} | ASKED),
        ("teacher={use: template, trust: 0.9}", {"traces", "sft", "grpo", SFT, GRPO}),
        ("baselines.ease.l2=60", {"ease"}),
        ("metrics=[hr]", BASELINES | ASKED),
        ("candidates.n=8", {"candidates", "audit"} | BASELINES | ASKED),
    ],
)
def test_a_change_makes_again_only_what_it_decides(ran, change, made):
    assert run(ran.cache, change).made == made


def test_another_seed_makes_all_but_the_data_again(ran):
    other = run(ran.cache, "seed=1")
    assert other.made == ran.made - {"data"}
    assert other.pipeline.candidate_lists.digest != ran.pipeline.candidate_lists.digest
    assert not set(other.tables.values()) & set(ran.tables.values())


def test_a_damaged_stage_alone_is_made_again(ran, tmp_path):
    cache = tmp_path / "copy"
    shutil.copytree(ran.cache, cache)
    folder = cache / "artifacts" / "sft" / ran.pipeline.trained(ran.pipeline.experiment.stages[:1]).path.name
    file = folder / MODEL / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    mended = run(cache)
    assert mended.made == {"sft"}
    assert file.read_bytes() == ran.weights(1)
    assert mended.tables == ran.tables


def test_two_caches_agree_to_the_last_bit(ran, tmp_path):
    """All of it again, from nothing: the same tables of all models, the same weights."""
    twin = run(tmp_path / "twin")
    assert twin.made == ran.made
    assert twin.tables == ran.tables
    assert [twin.weights(stages) for stages in (1, 2)] == [ran.weights(stages) for stages in (1, 2)]


def test_every_model_answers_the_same_candidates(ran):
    assert set(ran.rankings) == set(ran.rows)
    assert {lists.digest for _, lists in ran.rankings.values()} == {ran.pipeline.candidate_lists.digest}
    store = ran.pipeline.store
    inputs = [[artifact.stage for artifact in store.inputs(row.artifact)] for row in ran.rows.values()]
    trained = [["data", "candidates", "audit", stage] for stage in ("sft", "grpo")]
    assert inputs == [["data", "candidates"]] * 5 + [["data", "candidates", "audit"], *trained]
    assert {store.inputs(row.artifact)[1].fingerprint for row in ran.rows.values()} == {
        ran.pipeline.candidates.fingerprint
    }


@pytest.mark.parametrize(("fold", "seen"), [(Fold.TEST, False), (Fold.TRAIN, True)])
def test_nothing_shows_what_happened_in_the_test_fold(ran, tmp_path, monkeypatch, fold, seen):
    """Other items in one fold, the same questions: the test fold's move no score, prompt or trace, others all."""
    monkeypatch.setattr(Auditor, "check_lists", lambda *_: None)  # on purpose they are another log's
    pipeline = prepared(tmp_path)
    pipeline.dataset = changed(ran.pipeline.dataset, np.flatnonzero(ran.pipeline.folds.fold == fold))
    pipeline.candidate_lists = ran.pipeline.candidate_lists
    other = carried_out(tmp_path, pipeline)
    moved = {
        system
        for system, (ranking, _) in other.rankings.items()
        if not np.array_equal(ranking.scores, ran.rankings[system][0].scores)
        or ranking.cases != ran.rankings[system][0].cases
    }
    assert moved == (set(ran.rows) if seen else set())
    traces = [(one.pipeline.traces.path / TRACES).read_bytes() for one in (ran, other)]
    assert (traces[0] != traces[1]) == seen
    assert (other.weights(2) != ran.weights(2)) == seen


def changed(dataset: Dataset, rows: np.ndarray) -> Dataset:
    """`dataset` with another item, new to the user, and the opposite rating in each of `rows`."""
    log, rng = dataset.log, np.random.default_rng(0)
    item, rating = log.item.copy(), log.rating.copy()
    for row in rows:
        item[row] = rng.choice(np.setdiff1d(np.arange(log.n_items), item[log.user == log.user[row]]))
    rating[rows] = 6 - rating[rows]
    return replace(dataset, log=replace(log, item=item, rating=rating))


@pytest.mark.parametrize("value", [None, ""])
def test_without_data_its_stand_in_is_used_and_a_warning_given(value, tmp_path, monkeypatch):
    if value is None:
        monkeypatch.delenv("R2REC_DATA", raising=False)
    else:
        monkeypatch.setenv("R2REC_DATA", value)
    monkeypatch.setenv("R2REC_CACHE", str(tmp_path))
    monkeypatch.setenv("R2REC_OFFLINE", "1")
    stand_in = "otherwise={use: synthetic, users: 10, items: 40, interactions: 10}"
    pipeline = prepared(tmp_path, "data=movielens-1m", stand_in)
    assert pipeline.dataset.synthetic
    assert pipeline.dataset.log.n_users == 10
    assert pipeline.protocol.endswith("seed 0. SYNTHETIC DATA.")
    [warning] = pipeline.watcher.warnings
    assert warning.startswith("NO REAL DATA: data set 'movielens-1m' is nowhere to be had.")
    assert "Using 'synthetic' instead. Nothing that follows says anything about movielens-1m." in warning
    with pytest.raises(InputError, match="'movielens-1m' is nowhere to be had"):
        _ = prepared(tmp_path, "data=movielens-1m").dataset


def test_data_that_are_there_but_broken_get_no_stand_in(tmp_path, monkeypatch):
    folder = tmp_path / "data" / "my-shop"
    folder.mkdir(parents=True)
    (folder / "interactions.parquet").write_text("not parquet")
    monkeypatch.setenv("R2REC_DATA", str(tmp_path / "data"))
    pipeline = prepared(tmp_path, "data=my-shop", "otherwise=synthetic")
    with pytest.raises(InputError, match=r"interactions.parquet: cannot be read as parquet"):
        _ = pipeline.dataset
    assert pipeline.watcher.warnings == []


def test_baselines_of_one_name_are_told_apart_by_what_differs(ran):
    twice = "baselines=[{use: ease, l2: 50}, {use: ease, l2: 5}, popularity]"
    pipeline = prepared(ran.cache, twice, "stages=[]", "untrained=false")
    assert [row.result.system for row in pipeline.run()] == ["ease (l2=50.0)", "ease (l2=5.0)", "popularity"]


class Diverged(Baseline):
    """Knows nothing but where its numbers have broken: of the first candidates, and among them of some positives."""

    def fit(self, log, seed):
        """Learns nothing."""

    def score(self, candidates):
        scores = np.zeros(candidates.items.shape)
        scores[:, :3] = np.inf, -np.inf, np.nan
        return scores


def test_a_score_that_is_not_finite_is_no_answer_whoever_gave_it(tmp_path, monkeypatch):
    monkeypatch.setitem(baselines._classes, "diverged", Diverged)
    pipeline = prepared(tmp_path, "baselines=[diverged]", "stages=[]", "untrained=false")
    ran = carried_out(tmp_path, pipeline)
    ranking, lists = ran.rankings["diverged"]
    assert np.isnan(ranking.scores[:, :3]).all()
    assert (ranking.valid == np.isfinite(ranking.scores)).all()
    assert (lists.positive < 3).any()
    assert (ran.rows["diverged"].result.users.rank[lists.positive < 3] == lists.items.shape[1]).all()
