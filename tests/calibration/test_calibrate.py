"""`r2rec calibrate` from file to report, again from the store, and with somebody else doing the runs."""

import csv

import pytest

from r2rec_bench.calibration.definition import read_calibration
from r2rec_bench.calibration.report import to_csv
from r2rec_bench.calibration.run import run
from r2rec_bench.core.errors import R2RecError
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.core.watch import Silent
from r2rec_bench.executors.base import Ended, done
from r2rec_bench.report import drawing

pytestmark = pytest.mark.slow


class Here:
    """An executor without processes, in the reverse order."""

    def __init__(self, failing: str = "") -> None:
        self.failing, self.titles = failing, []

    def run(self, jobs):
        for index, job in reversed(list(enumerate(jobs))):
            self.titles.append(job.title)
            if self.failing:
                yield Ended(index, 0.0, "no room" if job.title == self.failing else "")
            else:
                yield done(index, job.work)


def numbers(place) -> list[dict[str, str]]:
    with (place.folder / "first" / "known" / "results.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_report_names_its_runs_and_gives_every_verdict(carried_out):
    files = carried_out.report("first")
    report = files["report.md"].decode()
    assert set(files) == {"report.md", "results.csv", "planted.svg"}
    store = ArtifactStore(carried_out.folder / "cache" / "artifacts")
    section = report.partition("## ")[0]
    assert section.count("| holds ") + section.count("| **DOES NOT HOLD** ") == 5
    assert section.count("> **DOES NOT HOLD: ") == section.count("| **DOES NOT HOLD** ")
    for row in numbers(carried_out):
        assert all(store.find(run_id).fingerprint.startswith(run_id) for run_id in row["run_ids"].split())
        assert row["run_ids"] or row["part"] == "simulated" or row["system"] == "best possible"


def test_a_system_without_chance_is_never_told_from_itself(carried_out):
    shares = {(row["system"], row["seeds"]): row for row in numbers(carried_out) if row["part"] == "again"}
    assert set(shares) == {("bpr", "1"), ("ease", "1")}
    assert shares["ease", "1"]["value"] == "0.0"
    assert [shares[system, "1"]["n"] for system in ("bpr", "ease")] == ["2", "2"]


def test_a_second_time_makes_nothing_and_writes_the_same(carried_out):
    before = carried_out.artifacts
    result = carried_out.calibrate("second")
    assert result.exit_code == 0, result.output
    assert "SYNTHETIC DATA" in result.stderr
    assert carried_out.artifacts == before
    assert carried_out.report("second") == carried_out.report("first")


def test_without_matplotlib_an_earlier_figure_does_not_stay(carried_out, monkeypatch):
    left = carried_out.folder / "plain" / "known" / "planted.svg"
    left.parent.mkdir(parents=True)
    left.write_text("of another calibration")
    monkeypatch.setattr(drawing, "find_spec", lambda _: None)
    assert carried_out.calibrate("plain").exit_code == 0
    assert set(carried_out.report("plain")) == {"report.md", "results.csv"}
    assert b"matplotlib is not installed" in carried_out.report("plain")["report.md"]


def test_it_does_not_matter_who_does_the_runs(carried_out):
    executor, store = Here(), ArtifactStore(carried_out.folder / "cache" / "artifacts")
    planned = read_calibration(carried_out.file, seeds=1)
    found = run(planned, store, Silent(), executor)
    assert to_csv(found).encode() == carried_out.report("first")["results.csv"]
    assert executor.titles[-1] == "bpr on world, seeds 0 to 4"
    assert len(executor.titles) == len(planned.cells)


def test_a_run_that_fails_ends_it_after_the_others(carried_out):
    store = ArtifactStore(carried_out.folder / "cache" / "artifacts")
    planned = read_calibration(carried_out.file, seeds=1)
    executor = Here("ease on world, seeds 0 to 3")
    with pytest.raises(R2RecError, match="ease on world, seeds 0 to 3: no room"):
        run(planned, store, Silent(), executor)
    assert len(executor.titles) == len(planned.cells)
