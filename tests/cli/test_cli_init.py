"""Experiments to start from: written, asked for, refused, copied. The tour in docs/ runs one, and a test the tour."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from r2rec_bench.cli import init as init_command
from r2rec_bench.cli.app import app
from r2rec_bench.cli.init import Budget
from r2rec_bench.core.errors import InputError
from r2rec_bench.core.loading import load
from r2rec_bench.experiment import Experiment

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("R2REC_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("R2REC_DATA", raising=False)


def invoke(*arguments: object, answers: str = "") -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=answers)


@pytest.mark.parametrize("budget", list(Budget))
@pytest.mark.parametrize("backbone", ["nano", "hf:some/model"])
def test_what_is_written_is_a_valid_experiment(backbone: str, budget: str):
    assert (
        invoke("init", "My study.yaml", "--data", "synthetic", "--backbone", backbone, "--budget", budget).exit_code
        == 0
    )
    written = load(Path("My study.yaml"), Experiment).value
    assert written.name == "my-study"
    assert written.data.use == "synthetic"
    assert written.backbone.use == backbone.partition(":")[0]
    assert [stage.use for stage in written.stages] == ["sft", "grpo"]


def test_a_larger_budget_is_more_of_everything():
    sizes = []
    for budget in Budget:
        invoke("init", f"{budget}.yaml", "--budget", budget)
        written = load(Path(f"{budget}.yaml"), Experiment).value
        grpo = written.stages[-1]
        sizes.append((written.candidates.users or 10**9, written.queries.n, grpo.settings.steps))
    assert sizes == sorted(sizes)
    assert all(len(set(column)) == len(Budget) for column in zip(*sizes, strict=True))


def test_the_small_one_is_of_the_size_of_the_quickstart():
    invoke("init", "mine.yaml")
    mine, theirs = (
        load(file, Experiment).value for file in (Path("mine.yaml"), ROOT / "experiments" / "quickstart.yaml")
    )
    for one in ("data", "split", "visibility", "candidates", "chains", "queries", "backbone", "ranker"):
        assert getattr(mine, one) == getattr(theirs, one)
    for own, other in zip(mine.stages, theirs.stages, strict=True):
        assert own.settings == other.settings


def test_every_part_has_its_comment():
    invoke("init", "mine.yaml")
    lines = Path("mine.yaml").read_text().splitlines()
    keys = yaml.safe_load("\n".join(lines)).keys()
    where = {key: next(k for k, line in enumerate(lines) if line.startswith(f"{key}:")) for key in keys}
    told = [key for key, k in where.items() if "#" in lines[k] or lines[k - 1].startswith("#")]
    assert keys - set(told) <= {"question", "metrics"}


def test_nothing_is_overwritten():
    Path("mine.yaml").write_text("dear: to me\n")
    refused = invoke("init", "mine.yaml")
    assert refused.exit_code == 2
    assert "mine.yaml exists" in refused.stderr
    assert "name another place" in refused.stderr
    assert Path("mine.yaml").read_text() == "dear: to me\n"


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--data", "sinthetic", "Did you mean 'synthetic'?"),
        ("--backbone", "nanu", "Did you mean 'nano'?"),
        ("--budget", "tiny", "trial"),
        ("--backbone", "hf", "path"),
    ],
)
def test_what_there_is_not_is_refused_and_nothing_written(option: str, value: str, said: str):
    refused = invoke("init", "mine.yaml", option, value)
    assert refused.exit_code == 2
    assert said in refused.stderr
    assert not Path("mine.yaml").exists()


def test_at_a_terminal_it_asks_for_what_no_option_says(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(init_command, "may_ask", lambda: True)
    done = invoke("init", "mine.yaml", "--backbone", "nano", answers="synthetic\nenormous\ntrial\n")
    assert done.exit_code == 0, done.output
    assert "Backbone" not in done.stderr
    assert "Error" in done.stderr  # `enormous` is no budget, so it was asked for again
    written = load(Path("mine.yaml"), Experiment).value
    assert (written.data.use, written.queries.n) == ("synthetic", 300)


def test_the_experiments_of_the_package_are_copied_once():
    assert invoke("init", "--examples", "here").exit_code == 0
    for name in ("experiments", "ablations"):
        theirs = {path.relative_to(ROOT): path.read_bytes() for path in (ROOT / name).rglob("*.yaml")}
        mine = {path.relative_to("here"): path.read_bytes() for path in Path("here", name).rglob("*.yaml")}
        assert mine == theirs
    assert invoke("init", "--examples", "here").exit_code == 2


def test_an_installed_package_has_them_inside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    inside = tmp_path / "site" / "r2rec_bench" / "shipped"
    for name in ("experiments", "ablations"):
        (inside / name).mkdir(parents=True)
        (inside / name / "one.yaml").write_text(name)
    monkeypatch.setattr(init_command, "__file__", str(inside.parent / "cli" / "init.py"))
    init_command.copy_examples(tmp_path)
    assert (tmp_path / "ablations" / "one.yaml").read_text() == "ablations"
    with pytest.raises(InputError, match="experiments exists"):
        init_command.copy_examples(tmp_path)
