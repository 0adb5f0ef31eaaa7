"""The probe from the command line to the report."""

import pytest

from r2rec_bench.testing.models import small_chat
from tests.worlds import Place, write_tiny


class Probed(Place):
    """A folder with an experiment whose backbone has read nothing."""

    def r2rec(self, command: str, *options: object):
        done = self.invoke(command, self.folder / "tiny.yaml", *options)
        assert done.exit_code == 0, done.output
        return done

    def report(self, *options: str) -> str:
        self.r2rec("run", "--out", self.folder, *options)
        return (self.folder / "tiny" / "report.md").read_text("utf-8")


@pytest.mark.slow
def test_from_the_command_line_to_the_report(tmp_path):
    chat = {"use": "hf", "path": str(small_chat().path)}
    data = {"items": 120, "interactions": 8}
    few = {"candidates": {"n": 4, "users": 10}, "prompts": {"budget": 512}, "queries": {"n": 10}}
    write_tiny(tmp_path, data=data, **few, backbone=chat, stages=[], untrained=False, metrics=["hr"])
    place = Probed(tmp_path)
    first = place.r2rec("probe")
    assert "✓ contamination" in first.stderr
    assert "Its rating and time" in first.stdout
    assert "no sign that the model has seen the data set" in " ".join(first.stdout.split())
    again = place.r2rec("probe", "--set", "contamination={titles: 200}")
    assert "= contamination: cached" in again.stderr
    assert again.stdout == first.stdout
    run = next((tmp_path / "cache" / "artifacts" / "contamination").iterdir()).name[:12]
    assert run in first.stdout

    assert "## Contamination" not in place.report()
    asked = place.report("--set", "contamination={}")
    section = asked.partition("## Contamination")[2].partition("## ")[0]
    assert "synthetic: no sign that the model has seen the data set." in section
    assert section.count(run) == 4
    assert asked == place.report("--set", "contamination={titles: 200}")
    assert "contamination" in asked.partition("## What was run")[2]
    other = place.report("--set", "contamination={seed: 1}")
    assert run not in other
