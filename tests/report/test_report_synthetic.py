"""What is said loudly where data were generated: of everything, or of those rows alone."""

import json

import pytest

from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.data.store import META
from r2rec_bench.report.study import Study
from r2rec_bench.report.synthetic import synthetic_cells, synthetic_note

REAL, MADE = "ml, fold test.", "synthetic, fold test. SYNTHETIC DATA."


@pytest.fixture
def store(tmp_path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "store")


@pytest.fixture
def asked(make_row, store):
    """A row that was asked about a world, by its seed, or about real data."""

    def make(name: str, world: int | None, best: float | None = None):
        meta = {"synthetic": world is not None, "origin": f"generated (seed {world})", "bayes_hr1": best}
        data = store.get("data", {"world": world}, (), (), lambda out: (out / META).write_text(json.dumps(meta)))
        run = store.get("evaluation", {"name": name}, (data,), (), lambda out: (out / "x").write_text("x"))
        protocol = REAL if world is None else MADE
        return make_row(name, "baseline", [1, 2], group=name, artifact=run, protocol=protocol)

    return make


def test_of_real_data_nothing_is_said(asked, store):
    assert synthetic_note(store, Study("x", "", (asked("ease", None),))) == ""
    assert synthetic_cells({"ease": REAL}) == synthetic_cells({}) == ""


def test_of_one_world_its_origin_and_how_well_it_can_be_foreseen_are_told(asked, store):
    rows = (asked("ease", 0, 0.75), asked("als", 0, 0.75))
    assert synthetic_note(store, Study("x", "", rows)) == (
        "SYNTHETIC DATA. Everything here was measured in a world generated (seed 0), and says nothing about real "
        "users. The best possible HR@1 there is 0.750, among 19 uniform negatives."
    )
    assert synthetic_note(store, Study("x", "", (asked("bpr", 1),))).endswith("nothing about real users.")


def test_of_several_worlds_it_is_everything_all_the_same(asked, store):
    told = synthetic_note(store, Study("x", "", (asked("ease", 0, 0.5), asked("als", 1, 0.25))))
    assert told == (
        "SYNTHETIC DATA. Everything here was measured in generated worlds and says nothing about real users."
    )


def test_beside_real_data_it_is_told_of_which_rows(asked, store):
    told = synthetic_note(store, Study("x", "", (asked("ease", None), asked("als", 0, 0.5))))
    assert told == "SYNTHETIC DATA. als: als was measured in generated worlds and says nothing about real users."
    assert synthetic_cells({"a": MADE, "b": REAL, "c": MADE}).startswith("SYNTHETIC DATA. a, c was measured in")
