"""What a report says of the artifacts behind it."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from r2rec_bench.core.store import Artifact, ArtifactStore
from r2rec_bench.files import AUDIT, CASES, COUNTS
from r2rec_bench.report.provenance import provenance_lines
from r2rec_bench.report.study import Study, lineage, seconds_alone

COUNTED = {
    "asked": 1200,
    "dropped": {"too long": 3, "does not parse: think": 7},
    "pieces_kept": 4000,
    "pieces_dropped": 12,
    "traces": 1190,
    "audited": 8,
    "usage": None,
}
USAGE = {
    "requests": 1500,
    "retries": 20,
    "remembered": 300,
    "prompt_tokens": 90_000,
    "completion_tokens": 12_000,
    "price": 1.25,
    "remembered_price": 0.5,
    "silent": {},
}


@pytest.fixture
def told(make_row, tmp_path):
    def tell(name, content):
        (tmp_path / name).write_text(json.dumps(content))
        artifact = Artifact(tmp_path, "ab" * 32, "traces", 1.0, 2**20, cached=True)
        return "\n".join(
            provenance_lines(Study("x", "Why?", (make_row("popularity", "baseline", [1, 2]),)), [artifact], 2.5)
        )

    return tell


def test_what_became_of_the_traces_and_that_they_were_audited(told):
    said = told(COUNTS, COUNTED)
    assert "Traces abababababab: 1,200 questions, 1,190 kept, 10 dropped (does not parse: think 7; too long 3)." in said
    assert "4,000 kept, 12 dropped for the token budget." in said
    assert said.count("8 questions were put again without all that they may not see: no leak.") == 1
    assert "teacher was asked" not in said


def test_what_a_teacher_that_is_a_model_took(told):
    said = told(COUNTS, {**COUNTED, "usage": USAGE})
    assert "asked 1,500 times (20 retries, 300 answers known from before), read 90,000 tokens and wrote 12,000" in said
    assert "all answers together cost 1.75." in said


def test_what_the_leakage_gate_looked_at(told):
    said = told(AUDIT, {"lists": 1000, "edges": 160_000, "rewritten": 160})
    assert "Leakage gate abababababab: 1,000 candidate lists and 160,000 edges" in said
    assert "160 questions were put again with every held-out interaction replaced: no leak." in said


def test_what_sharing_stages_saved(make_row, tmp_path):
    store = ArtifactStore(tmp_path / "store")

    def made(stage, *inputs, number=0):
        return store.get(stage, {"number": number}, inputs, (), lambda out: (out / "x").write_text(stage))

    traces = made("traces")
    runs = [made("evaluation", made("sft", traces), number=number) for number in range(3)]
    rows = tuple(make_row(f"R2Rec {number}", "r2rec", [1, 2], artifact=run) for number, run in enumerate(runs))
    shared = lineage(store, runs)
    assert [artifact.stage for artifact in shared] == ["traces", "sft", "evaluation", "evaluation", "evaluation"]
    alone = seconds_alone(store, rows)
    once = sum(artifact.seconds for artifact in shared[:2])
    assert alone == pytest.approx(sum(artifact.seconds for artifact in shared) + 2 * once)
    said = "\n".join(provenance_lines(Study("x", "Why?", rows), shared, 1234.56))
    assert f"5 artifacts took {sum(artifact.seconds for artifact in shared):,.1f} s in all" in said
    assert "every row by itself, from an empty cache, 1,234.6 s." in said


@pytest.mark.parametrize(("lost", "alarm"), [(0, False), (1, False), (2, True)])
def test_an_alarm_where_form_is_lost_on_the_items_taken(make_row, tmp_path, lost, alarm):
    """Twenty users with two candidates each; no valid answer about `lost` of the items taken and one other."""
    users = [f"u{k}" for k in range(20)]
    cases = {
        "user_id": users * 2,
        "item_id": ["i"] * 20 + ["other"] * 20,  # of every row made here, i is the item taken
        "valid": [k >= lost for k in range(20)] + [k != 5 for k in range(20)],
    }
    artifact = Artifact(tmp_path, "ab" * 32, "evaluation", 1.0, 2**20, cached=True)
    pq.write_table(pa.table(cases), tmp_path / CASES)
    row = make_row("R2Rec", "r2rec", [1] * 20, artifact=artifact)
    said = "\n".join(provenance_lines(Study("x", "Why?", (row,)), [], 1.0))
    assert (
        "10.0 % of the items taken, and 7.5 % of all candidates, got no valid answer and rank last" in said
    ) == alarm
    assert ("No alarms." in said) != alarm
