"""A study's file: what it makes of the experiment, and what is refused before any work."""

import re
from pathlib import Path

import pytest

from r2rec_bench.core.errors import ConfigError, InputError
from r2rec_bench.transfer.cells import Way, cells, rows
from r2rec_bench.transfer.definition import read_transfer


def test_domains_differ_in_their_data_alone(files):
    planned = files.planned()
    assert planned.domains == ("movies", "shop", "electronics")
    written = [one.model_dump(mode="json") for one in planned.experiments.values()]
    assert [one.pop("data")["use"] for one in written] == ["synthetic", "folder", "synthetic"]
    assert [one.pop("name") for one in written] == ["worlds-movies", "worlds-shop", "worlds-electronics"]
    assert written[0] == written[1] == written[2]
    assert written[0]["queries"]["n"] == 100
    assert written[0]["otherwise"] is None  # a stand-in would be another domain


def test_what_is_set_lies_on_top_of_the_file(files):
    planned = files.planned("queries.n=64", "stages.sft.lr=0.5", "few_shot.users=[2, 7]", "multi_source=false")
    for experiment in planned.experiments.values():
        assert experiment.queries.n == 64
        assert experiment.stages[0].to_dict()["lr"] == 0.5
    assert planned.transfer.few_shot.users == (2, 7)
    assert not planned.transfer.multi_source
    assert planned.transfer.few_shot.stage.to_dict()["lr"] == 1e-3


def test_the_study_may_be_called_and_asked_otherwise(files):
    planned = files.planned("name=other", "question=Why not?")
    assert (planned.transfer.name, planned.transfer.question) == ("other", "Why not?")
    assert planned.experiment.name == "other-movies"


def test_every_way_has_its_cells(files):
    found = [(cell.way, cell.sources, cell.users) for cell in cells(files.planned()) if cell.target == "shop"]
    assert found == [
        (Way.UNTRAINED, (), 0),
        (Way.ZERO_SHOT, ("movies",), 0),
        (Way.IN_DOMAIN, ("shop",), 0),
        (Way.ZERO_SHOT, ("electronics",), 0),
        (Way.MULTI_SOURCE, ("movies", "electronics"), 0),
        (Way.FEW_SHOT, (), 5),
        (Way.FEW_SHOT, ("movies",), 5),
        (Way.FEW_SHOT, ("electronics",), 5),
        (Way.BASELINE, ("shop",), 0),
    ]


def test_rows_go_from_no_training_to_the_contrast(files):
    planned = files.planned("few_shot.users=[1, 5]", "baselines=[popularity, {use: ease, l2: 5}, {use: ease, l2: 9}]")
    few = [[f"{source}{told}" for source in ("", "movies, then ", "shop, then ", "electronics, then ")] for told in
           ("1 user of the target", "5 users of the target")]  # fmt: skip
    assert rows(planned) == (
        "no training",
        "movies",
        "shop",
        "electronics",
        "all others",
        f"{few[0][0]} alone",
        *few[0][1:],
        f"{few[1][0]} alone",
        *few[1][1:],
        "popularity",
        "{use: ease, l2: 5.0}",
        "{use: ease, l2: 9.0}",
    )


def test_two_domains_have_no_others_to_train_on_together(files):
    path = files.folder / "two.yaml"
    path.write_text((files.folder / "worlds.yaml").read_text().replace("  electronics:", "  #"))
    assert Way.MULTI_SOURCE not in {cell.way for cell in cells(read_transfer(path))}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  shop:", "  movies:", "domains.movies: given twice; first at"),
        ("{use: folder, name: shop}", "{use: synthetic, users: 60, items: 40, interactions: 8, seed: 1}",
         "domains: 'movies' and 'shop' are the same data; name each domain once"),
        ("few_shot:", "few_shots:", "Did you mean 'few_shot'?"),
        ("users: [5]", "users: [5, 2]", "expected ascending numbers, each once; got [5, 2]"),
        ("users: [5]", "users: []", "few_shot.users"),
        ("use: folder", "use: foldr", "Did you mean 'folder'?"),
        ("change: {queries.n: 100}", "change: {querys.n: 100}", "Did you mean 'queries.n'?"),
        ("change: {queries.n: 100}", "change: {queries.n: 0}", "worlds.yaml:10: queries.n"),
        ("change: {queries.n: 100}", "change: {data: synthetic}", "is changed as well"),
        ("change: {queries.n: 100}", "change: {stages: []}", "a model that is not trained carries nothing over"),
        ("change: {queries.n: 100}", "change: {metrics: [mrr]}", "expected hr at 1"),
        ("change: {queries.n: 100}", "change: {metrics: [{use: hr, at: [5]}]}", "expected hr at 1"),
        ("batch_size: 16}", "handoff: merge}", "few_shot: "),
        ("extends: tiny.yaml", "extends: tiney.yaml", "Did you mean '"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_the_nearest_fix(files, tmp_path, old, new, said):
    (tmp_path / "tiny.yaml").write_bytes((files.folder / "tiny.yaml").read_bytes())
    text = (files.folder / "worlds.yaml").read_text()
    assert old in text
    path = tmp_path / "worlds.yaml"
    path.write_text(text.replace(old, new))
    with pytest.raises((ConfigError, InputError), match=re.escape(said)):
        read_transfer(path)


def test_one_domain_is_none_to_carry_to(files, tmp_path):
    (tmp_path / "tiny.yaml").write_bytes((files.folder / "tiny.yaml").read_bytes())
    path = tmp_path / "one.yaml"
    path.write_text("extends: tiny.yaml\nname: one\nquestion: Why?\ndomains: {movies: {data: synthetic}}\n")
    with pytest.raises(ConfigError, match=r"domains: .*at least 2 items"):
        read_transfer(path)


def test_data_that_cannot_be_had_are_named_with_their_domain_before_any_work(files, tmp_path):
    nowhere = ("--set", "domains.shop.data={use: folder, name: nowhere}")
    result = files.invoke("transfer", files.folder / "worlds.yaml", *nowhere, R2REC_CACHE=str(tmp_path))
    assert result.exit_code == 2
    assert "domain 'shop': data set 'nowhere': no " in result.stderr.replace("\n", " ")
    assert not list(tmp_path.rglob("*.json"))


def test_a_domain_without_ratings_is_not_asked_for_ratings_alone(files, tmp_path):
    rated = ("--set", "ranker=rating_expectation", "--set", "queries.touched=1")
    result = files.invoke("transfer", files.folder / "worlds.yaml", *rated, R2REC_CACHE=str(tmp_path))
    assert result.exit_code == 2
    assert "domain 'shop' has no ratings, but the ranker 'rating_expectation' asks for nothing else." in " ".join(
        result.stderr.split()
    )
    assert not list(tmp_path.rglob("model.safetensors"))


def test_too_few_users_to_learn_from_are_told_before_any_training(files, tmp_path):
    many = ("--set", "few_shot.users=[30]")
    result = files.invoke("transfer", files.folder / "worlds.yaml", *many, R2REC_CACHE=str(tmp_path))
    assert result.exit_code == 2
    said = " ".join(result.stderr.split())
    assert "domain 'movies': few_shot.users: 30 users to learn from, but 20 have two visible interactions" in said
    assert "not among the 40 asked about" in said
    assert not list(tmp_path.rglob("model.safetensors"))


def test_the_study_in_the_repository_is_sound_and_says_what_stands_in_for_what():
    planned = read_transfer(Path(__file__).parents[2] / "experiments" / "transfer" / "nano.yaml")
    assert planned.domains == ("movies", "books", "electronics")
    assert "Amazon Office of 2018 stands in for Electronics" in planned.transfer.domains["electronics"].note
    for experiment in planned.experiments.values():
        assert experiment.ranker.use == "rating_interaction"
        assert [stage.use for stage in experiment.stages] == ["sft", "grpo"]
    asked = [cell for cell in cells(planned) if cell.baseline is None]
    assert len(asked) == 24
