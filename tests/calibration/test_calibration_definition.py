"""What a calibration's file may hold, and what is made of it."""

import shutil
from pathlib import Path

import pytest

from r2rec_bench.calibration.definition import read_calibration
from r2rec_bench.core.errors import ConfigError


def test_a_system_is_the_experiment_or_a_baseline_alone(written):
    planned = read_calibration(written.file)
    assert [(cell.title, cell.runs) for cell in planned.again] == [("bpr on world", 5), ("ease on world", 4)]
    bpr = planned.again[0].experiment
    assert ([spec.use for spec in bpr.baselines], bpr.stages, bpr.untrained) == (["bpr"], (), False)
    assert [e.seed for e in planned.again[0].experiments] == [0, 1, 2, 3, 4]
    assert {e.list_seed for e in planned.again[0].experiments} == {0}


def test_planted_worlds_differ_by_their_effect_alone(written):
    none, strong = read_calibration(written.file).worlds
    assert (none.effect, strong.effect) == (0, 100)
    settings = [world.full.experiment.data.to_dict() for world in (none, strong)]
    assert {key for key in settings[0] if settings[0][key] != settings[1][key]} == {"peer_effect"}
    assert settings[1]["peer_effect"] == 100
    for world in (none, strong):
        [ablation] = world.ablations
        assert (ablation.system, ablation.experiment.chains.use) == ("no-chains", "none")
        assert ablation.experiment.data == world.full.experiment.data
        assert ablation.experiment.queries.n == world.full.experiment.queries.n == 64


def test_nothing_stands_in_for_data_that_cannot_be_had(written):
    assert all(cell.experiment.otherwise is None for cell in read_calibration(written.file).cells)


def test_seeds_may_be_asked_for(written):
    planned = read_calibration(written.file, seeds=1)
    assert planned.calibration.seeds == 1
    assert {cell.runs for world in planned.worlds for cell in (world.full, *world.ablations)} == {1}
    with pytest.raises(ConfigError, match=r"again\.systems\.ease\.runs: 4 make no two groups of 3 seeds; .* least 6"):
        read_calibration(written.file, seeds=3)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("rounds: 3", "ruonds: 3", r"again\.ruonds: unknown key .* Did you mean 'rounds'"),
        ("seeds: 2", "seed: 2", r"known\.yaml:5: seed: unknown key 'seed'.* Did you mean 'seeds'"),
        ("users: 50, seeds: 1}", "users: 50, sedes: 1}", r"simulated\.worlds\.0\.sedes: unknown key.*'seeds'"),
        ("use: bpr", "use: bpx", r"again\.systems\.bpr\.baseline: .*Did you mean 'bpr'"),
        ("[0, 100]", "[5, 100]", r"planted: peer_effect: expected ascending numbers from 0"),
        ("taste: 0, skew: 0", "peer_effect: 3", r"planted: data\.peer_effect is what varies; state it once"),
        ("{queries.n: 64,", "{queries.m: 64,", r"change|queries\.m.*Did you mean 'queries.n'"),
        ("untrained: false, baselines: []}", "stages: [], baselines: []}", r"stages: expected at least one"),
        ("baselines: []}", "baselines: [], metrics: [mrr]}", r"metrics: expected hr at 1"),
    ],
)
def test_a_wrong_file_is_refused_with_the_nearest_fix(written, tmp_path, old, new, message):
    for file in written.folder.glob("*.yaml"):
        shutil.copy(file, tmp_path)
    file = tmp_path / "known.yaml"
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))
    with pytest.raises(ConfigError, match=message):
        read_calibration(file)


def test_the_committed_calibration_compares_on_real_and_generated_data_and_plants_from_nothing():
    planned = read_calibration(Path(__file__).parents[2] / "experiments" / "calibration.yaml")
    assert {cell.experiment.data.use for cell in planned.again} == {"synthetic", "movielens-1m"}
    assert planned.worlds[0].effect == 0
    for world in planned.worlds:
        assert world.full.experiment.data.settings.taste == 0  # which chains would tell, with no peer effect at all
        assert [cell.experiment.chains.use for cell in world.ablations] == ["none", "shuffled"]
