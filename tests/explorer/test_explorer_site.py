"""The files of the site, without a browser."""

import hashlib
import json
import re
import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.evaluation.results import RunResult
from r2rec_bench.explain import explain
from r2rec_bench.explorer.scripts import rounded, write_script

ASSETS = Path(str(files("r2rec_bench.explorer"))) / "assets"
VENDOR = ASSETS.parent / "vendor"


def run_ids(site: Any) -> dict[str, str]:
    return {system["label"]: system["runs"][0] for system in site.read("study")["systems"]}


@settings(max_examples=30)
@given(st.text() | st.sampled_from(["</script>", "<!--", "\u2028", "\ud800", "]]>"]))
def test_no_text_leaves_its_script(tmp_path_factory: pytest.TempPathFactory, words: str) -> None:
    folder = tmp_path_factory.getbasetemp()
    write_script(folder, "some/words", {"words": words})
    script = (folder / "some" / "words.js").read_bytes()
    assert b"<" not in script
    assert script.isascii()
    assert script.count(b"\n") == 1
    assert json.loads(script[len(b'explorer.give("some/words", ') : -len(b");\n")]) == {"words": words}


def test_numbers_that_are_none_are_null(tmp_path: Path) -> None:
    write_script(tmp_path, "n", [float("nan"), float("inf"), 0.1, [float("-inf")]])
    assert (tmp_path / "n.js").read_text() == 'explorer.give("n", [null,null,0.1,[null]]);\n'
    assert rounded(1234567.0) == 1_234_570
    assert rounded(float("nan")) is None


def test_the_tables_say_what_the_runs_say(site: Any) -> None:
    study = site.read("study")
    store = ArtifactStore(site.folder / "cache" / "artifacts", frozen=True)
    assert [one["label"] for one in study["systems"]] == ["popularity", "ease", "R2Rec (nano): sft", "single"]
    assert study["reference"] == 2
    for system in study["systems"]:
        stored = RunResult.load(store.find(system["runs"][0]).path)
        mean, low, high, n = system["values"]["hr@1"]
        assert mean == pytest.approx(stored.mean("hr@1"), rel=1e-5)
        assert low <= mean <= high
        assert n == 56
    difference = study["systems"][0]["against"]["difference"][0]
    assert difference == pytest.approx(values(study, 2) - values(study, 0), abs=1e-5)
    assert study["pairs"]["0-2"][0] == pytest.approx(-difference, abs=1e-5)
    assert "n = 56 users" in study["captions"]["means"]
    assert "leave_last_out" in study["protocol"]


def values(study: Any, place: int) -> float:
    return study["systems"][place]["values"]["hr@1"][0]


def test_every_user_has_candidates_with_everybodys_scores(site: Any) -> None:
    study, users = site.read("study"), site.read("users")
    cases = study["cases"]
    assert cases["systems"] == cases["scored"] == [0, 1, 2, 3]
    found = [case for number in range(3) for case in site.read(f"lists/{number}")]
    assert len(found) == cases["users"] == 56
    for user, case in enumerate(found):
        assert len(case["ids"]) == cases["width"] == 6
        assert case["titles"][case["positive"]] == users["taken"][user]
        for place in "0123":
            assert case["ranks"][place][case["positive"]] == users["ranks"][place][user]
            known = [-np.inf if score is None else score for score in case["scores"][place]]
            best = int(np.argmax(known))
            assert case["ranks"][place][best] == sum(score == known[best] for score in known)
    assert set(users["invalid"]) == {"3"}, "of the system that has no room to think"


def test_a_case_tells_what_explain_tells(site: Any) -> None:
    users, store = site.read("users"), ArtifactStore(site.folder / "cache" / "artifacts", frozen=True)
    lists, told = site.read("lists/0")[4], site.read("told/2/0")[4]
    column = lists["positive"]
    expected = explain(store, run_ids(site)["R2Rec (nano): sft"], users["ids"][4], lists["ids"][column])
    found = told[str(column)]
    assert found["verdict"] == expected.verdict
    assert found["completion"] == expected.completion
    assert [step["fact"] for step in found["steps"]] == [step.fact for step in expected.steps]
    weights = [step.thought.weight if step.thought else None for step in expected.steps]
    assert [step["weight"] for step in found["steps"]] == weights
    assert weights.count(None) < len(weights)
    assert lists["ranks"]["2"][column] == expected.rank
    assert lists["scores"]["2"][column] == pytest.approx(expected.score, rel=1e-4)


def test_told_are_the_item_taken_the_first_and_the_baselines_first(site: Any) -> None:
    study, lists, told = site.read("study"), site.read("lists/1"), site.read("told/2/1")
    baselines = [place for place in (0, 1) if values(study, place) == max(values(study, 0), values(study, 1))]
    for case, found in zip(lists, told, strict=True):
        columns = set(map(int, found))
        assert case["positive"] in columns
        assert columns >= {column for column, rank in enumerate(case["ranks"]["2"]) if rank <= 2}
        best = np.argmin(case["ranks"][str(baselines[0])])
        assert int(best) in columns
        assert len(columns) <= 4


def test_chains_go_from_the_user_over_an_item_and_a_peer_to_the_candidate(site: Any) -> None:
    told = [one for case in site.read("told/3/0") for one in case.values() if one["steps"]]
    assert told
    for one in told:
        links = [link for step in one["steps"] for link in step["links"]]
        for number in {link["chain"] for link in links}:
            own, shared, onward = (link for link in links if link["chain"] == number)
            assert own["peer"] is None
            assert shared["peer"] == onward["peer"]
            assert shared["peer"].startswith("u")
            assert own["item"] == shared["item"]
            assert onward["target"]
            assert not own["target"]


def test_runs_by_their_ids_make_the_same_cases(site: Any, tmp_path: Path) -> None:
    ids = run_ids(site)
    result = site.invoke("explorer", ids["ease"][:12], ids["R2Rec (nano): sft"], "-o", tmp_path / "again", "--first", 0)
    assert result.exit_code == 0, result.output
    study = json.loads((tmp_path / "again" / "data" / "study.js").read_text().partition(", ")[2].rstrip(");\n"))
    assert [one["label"] for one in study["systems"]] == ["ease", "R2Rec (nano): sft"]
    assert (tmp_path / "again/data/lists/0.js").stat().st_size < (site.page.parent / "data/lists/0.js").stat().st_size


def test_a_baseline_asked_other_lists_tells_no_first_choice(site: Any, tmp_path: Path) -> None:
    few = ["candidates.n=3", "candidates.users=4", "stages=[]", "baselines=[]", "untrained=true"]
    changes = [word for change in few for word in ("--set", change)]
    assert site.invoke("run", site.folder / "tiny.yaml", *changes, "--out", tmp_path, "--quiet").exit_code == 0
    head = (tmp_path / "tiny" / "results.csv").read_text().splitlines()[1]
    untrained = head.partition(",")[0]
    result = site.invoke("explorer", untrained, run_ids(site)["ease"], "-o", tmp_path / "site")
    assert result.exit_code == 0, result.output
    assert type(site)(tmp_path, tmp_path / "site" / "index.html").read("study")["cases"]["systems"] == [0]


def test_runs_without_stored_cases_give_the_tables_alone(site: Any, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    shutil.copytree(site.folder / "cache", cache)
    for ours in ("baseline", "evaluation"):
        for manifest in (cache / "artifacts" / ours).glob("*/manifest.json"):
            forget(manifest, "cases.parquet")
    ids = run_ids(site)
    old = type(site)(tmp_path, tmp_path / "site" / "index.html")
    result = old.invoke("explorer", ids["ease"], ids["R2Rec (nano): sft"], "-o", tmp_path / "site")
    assert result.exit_code == 0, result.output
    cases = old.read("study")["cases"]
    assert cases["scored"] == cases["told"] == []
    assert not (tmp_path / "site/data/told").exists()
    ranks = old.read("lists/0")[0]["ranks"]["0"]
    assert sorted(rank for rank in ranks if rank is not None)[0] == 1, "the first ten are known all the same"


def forget(manifest: Path, name: str) -> None:
    """Makes an artifact one of a version that did not keep a file."""
    kept = json.loads(manifest.read_text())
    del kept["files"][name]
    kept.pop("checksum", None)  # versions that did not keep it wrote none
    manifest.write_text(json.dumps(kept))
    (manifest.parent / name).unlink()


def test_the_page_allows_only_its_own_scripts_and_no_network(site: Any) -> None:
    page = site.page.read_text()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy[1].split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == "'self'"
    assert "unsafe" not in policy[1]
    assert "connect-src" not in rules
    named = re.findall(r'(?:src|href)="([^"#:]+)"', page)
    assert all((site.page.parent / name).is_file() for name in named)
    here = {f"assets/{script.name}" for script in ASSETS.glob("*.js")}
    assert here == {name for name in named if name.startswith("assets/") and name.endswith(".js")}
    assert not re.search(r"https?://", page)


def test_no_script_of_ours_makes_html_of_a_text() -> None:
    for script in ASSETS.glob("*.js"):
        assert not re.search(
            r"(inner|outer|Adjacent)HTML|document\.write|eval\(|new Function|fetch\(", script.read_text()
        )


def test_the_libraries_are_those_that_the_list_names() -> None:
    listed = dict(
        re.findall(r"^\| `([\w.]+\.js)` .* `([0-9a-f]{64})` \|$", (VENDOR / "README.md").read_text(), re.MULTILINE)
    )
    assert {path.name for path in VENDOR.glob("*.js")} == set(listed)
    for name, expected in listed.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == expected


def test_a_folder_with_something_else_is_left_alone(site: Any, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.csv").write_text("precious")
    result = site.invoke("explorer", run_ids(site)["ease"], "-o", tmp_path)
    assert result.exit_code == 2
    assert "holds something else than an explorer, e.g. data" in result.output
    assert (tmp_path / "data" / "mine.csv").read_text() == "precious"


def test_what_cannot_be_asked_is_said(site: Any) -> None:
    run = run_ids(site)["ease"]
    both = site.invoke("explorer", run, site.folder / "tiny.yaml")
    assert both.exit_code == 2
    assert "run ids and files together" in both.output
    seeds = site.invoke("explorer", run, "--seeds", 2)
    assert seeds.exit_code == 2
    assert "belong to an experiment's file" in seeds.output
    unknown = site.invoke("explorer", "ffff0000")
    assert unknown.exit_code == 2
    assert "no artifact 'ffff0000'" in unknown.output


def test_a_transfer_study_gives_a_heat_map(site: Any, tmp_path: Path) -> None:
    study = site.folder / "worlds.yaml"
    study.write_text(
        "extends: tiny.yaml\nname: worlds\nquestion: Does it <carry>?\n"
        "domains:\n  shop: {data: shop, note: one}\n"
        "  gone: {data: {use: synthetic, users: 60, items: 40, interactions: 8}}\n"
    )
    result = site.invoke("explorer", run_ids(site)["ease"], "--transfer", study, "-o", tmp_path / "site")
    assert result.exit_code == 0, result.output
    script = (tmp_path / "site" / "data" / "study.js").read_text()
    [found] = json.loads(script[script.index(", ") + 2 : script.rindex(")")])["transfer"]
    cells = {(cell["row"], cell["column"]): cell for cell in found["cells"]}
    assert found["question"] == "Does it <carry>?"
    assert found["notes"] == ["shop: one."]
    own = cells["shop", "shop"]
    assert own["own"]
    assert own["value"][0] == pytest.approx(values(site.read("study"), 2))
    assert cells["gone", "gone"]["value"][0] is None
    assert cells["gone", "gone"]["failure"]
