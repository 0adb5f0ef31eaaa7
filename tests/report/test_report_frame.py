"""Stored results as a data frame: what notebooks get is what results.csv holds."""

import io
import math

import pandas as pd
import pytest

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.report.exports import to_csv
from r2rec_bench.report.frame import frame, study_of
from r2rec_bench.report.study import Study, system_of


def test_the_csv_is_the_frame(make_row):
    rows = (make_row('a, "b"', "baseline", [1, 2, 1]), make_row("R2Rec", "r2rec", [1, 1, 1], [2, 1, 1], mae=0.1))
    found = frame(study := Study("x", "", rows))
    read = pd.read_csv(io.StringIO(to_csv(study)), dtype={"seed": str})
    pd.testing.assert_frame_equal(read, found, check_dtype=False)
    [line] = found[(found.system == "R2Rec") & (found.metric == "hr@1") & (found.group == "all")].itertuples()
    assert (line.mean, line.n, line.missing, line.seed) == (pytest.approx(5 / 6), 3, 0, "0 1")
    assert line.run_id.split() == [run.result.run_id for run in rows[1].runs]


def test_a_line_of_the_csv_is_written_in_full_precision_and_nan_in_words(make_row):
    row = make_row("ease", "baseline", [1, 2, 1], tokens=(0, 0))
    head, first, *_ = to_csv(Study("x", "", (row,))).splitlines()
    assert head == (
        "run_id,system,kind,seed,group,metric,mean,low,high,n,missing,"
        "prompt_tokens,completion_tokens,training_seconds,evaluation_seconds,tokens_per_second"
    )
    cells = first.split(",")
    assert cells[1:6] == ["ease", "baseline", "0", "all", "hr@1"]
    assert float(cells[6]) == 2 / 3
    assert cells[9:] == ["3", "0", "0", "0", "nan", "1.5", "nan"]


def test_a_study_of_stored_runs_keeps_the_seeds_of_a_system_together(make_row, tmp_path):
    store = ArtifactStore(tmp_path / "store")
    rows = (make_row("ease", "baseline", [1, 2]), make_row("R2Rec", "r2rec", [1, 2], [1, 1]))
    runs = [
        [store.get(run.result.kind, {"of": run.result.run_id}, (), (), run.result.save) for run in row.runs]
        for row in rows
    ]
    ids = [" ".join(artifact.fingerprint[:12] for artifact in one) for one in runs]
    study = study_of(store, ids, name="mine")
    assert [row.label for row in study.rows] == ["ease", "R2Rec"]
    assert study.reference is study.rows[1]
    assert study.rows[1].mean("hr@1") == 0.75
    assert math.isclose(frame(study).query("system == 'R2Rec' and metric == 'hr@1'")["mean"].iloc[0], 0.75)
    with pytest.raises(InputError, match="no artifact 'abcdef'"):
        study_of(store, ["abcdef"])


def test_a_system_is_the_same_whatever_the_order_of_its_seeds(make_row, tmp_path):
    store = ArtifactStore(tmp_path / "store")
    row = make_row("R2Rec", "r2rec", [1, 2], [1, 1])
    ids = [store.get("r2rec", {"of": run.result.run_id}, (), (), run.result.save).fingerprint for run in row.runs]
    assert [run.result.seed for run in system_of(store, " ".join(reversed(ids))).runs] == [0, 1]


def test_the_seeds_of_a_system_are_asked_alike(make_row, tmp_path):
    store = ArtifactStore(tmp_path / "store")
    runs = [make_row("R2Rec", "r2rec", [1, 2], protocol="4 negatives.").runs[0]]
    runs += make_row("R2Rec", "r2rec", [1, 2], [1, 1]).runs[1:]
    ids = [store.get("r2rec", {"of": run.result.run_id}, (), (), run.result.save).fingerprint for run in runs]
    with pytest.raises(InputError, match=r"system are asked alike; got '4 negatives\.' and 'the protocol\.'"):
        system_of(store, " ".join(ids))
