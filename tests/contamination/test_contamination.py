"""The contamination probe: what was learnt by heart is found, and nothing is found where nothing was."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from r2rec_bench.contamination import probe as under_test
from r2rec_bench.contamination.facts import ENDING, NEIGHBOUR, RECORD, TITLE, ContaminationConfig, Fact, Quiz
from r2rec_bench.contamination.likelihood import Likelihood
from r2rec_bench.contamination.probe import Finding, probe
from r2rec_bench.contamination.results import CHANCE, Probe, read, write
from r2rec_bench.data.base import Dataset
from r2rec_bench.llm.base import LoadOptions
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.testing.models import small_nano
from tests.contamination.memory import Reader, asked_of, dataset, reader


def told(model: LanguageModel, data: Dataset) -> Probe:
    return Probe(data.name, "a model", 0, probe(model, asked_of(data)))


def test_a_planted_memory_is_caught_in_each_of_its_parts(world):
    found = told(reader(world), world)
    for finding in found.findings:
        assert found.interval(finding).low > 0.5, finding.kind
        assert finding.written.mean() > finding.exchanged.mean() or finding.kind == NEIGHBOUR  # a user has three
    assert found.verdict.startswith("CONTAMINATED: a model and tiny.")


def test_a_memory_of_another_data_set_in_the_same_form_is_none(world):
    found = told(reader(dataset(1)), world)
    assert all(found.interval(finding).low <= 0.5 <= found.interval(finding).high for finding in found.findings)
    assert found.verdict == "a model and tiny: no sign that the model has seen the data set."


def test_an_untrained_model_is_right_by_chance_and_writes_nothing(untrained, world):
    found = told(untrained, world)
    assert all(found.interval(finding).low <= 0.5 <= found.interval(finding).high for finding in found.findings)
    assert all(not finding.written.any() for finding in found.findings)
    assert "no sign" in found.verdict


def test_knowing_titles_alone_is_no_contamination(world):
    model = Reader([f"{title}\n" for title in world.catalog.titles])
    found = told(LanguageModel(model, model.tokenizer), world)
    assert found.interval(found.findings[0]).low > 0.5
    assert "knows these items, as general knowledge can" in found.verdict


def test_what_a_vocabulary_cannot_spell_is_left_out_and_counted(world):
    found = told(LanguageModel.load(small_nano(), LoadOptions()), world)
    intervals = [found.interval(finding) for finding in found.findings]
    assert [(interval.n, interval.missing) for interval in intervals] == [(0, 30)] * 4
    assert "has no tokens for what is asked" in found.verdict


def test_too_few_pairs_are_no_ground_for_a_verdict(world):
    few = Probe(
        "tiny", "a model", 0, probe(reader(world), asked_of(world, ContaminationConfig(titles=3, neighbours=3)))
    )
    assert "fewer than 20 pairs" in few.verdict


@given(st.lists(st.tuples(*[st.integers(-50, 0)] * 4), min_size=1, max_size=5), st.data())
def test_whatever_cues_and_answers_are_worth_by_themselves_decides_nothing(worths, data):
    """However easy a cue and however likely an answer: where they do not bear on each other, both ways are equal."""
    pairs = tuple(
        (Fact(f"a{k}", f"{data.draw(st.text(max_size=3))}x{k}"), Fact(f"b{k}", f"y{k}")) for k in range(len(worths))
    )
    worth = {}
    for (first, second), (a, b, c, d) in zip(pairs, worths, strict=True):
        worth |= {first.cue: a, second.cue: b, first.answer: c, second.answer: d}

    def additive(model, asked, told):
        log_p = np.array([worth[cue] + worth[answer] for cue, answer in asked], np.float64)
        return Likelihood(log_p, np.zeros(len(asked)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(under_test, "likelihood", additive)
        [finding] = probe(None, [Quiz(TITLE, "", pairs)])
    assert finding.right.tolist() == [0.5] * len(pairs)
    assert finding.gain.tolist() == [0.0] * len(pairs)


def test_figures_by_hand(monkeypatch):
    """Bits as they are: -2 - 3, exchanged: -4 - 5; so 4 more over 2 + 6 characters; one of the two is written."""
    bits = {("o1", "a\n"): -2, ("o2", "bcdef\n"): -3, ("o1", "bcdef\n"): -4, ("o2", "a\n"): -5}
    wrote = {("o1", "a\n"): 1, ("o2", "bcdef\n"): 0, ("o1", "bcdef\n"): 0, ("o2", "a\n"): 0}

    def given_figures(model, asked, told):
        return Likelihood(*(np.array([of[one] for one in asked], np.float64) for of in (bits, wrote)))

    monkeypatch.setattr(under_test, "likelihood", given_figures)
    [finding] = probe(None, [Quiz(TITLE, "o", ((Fact("1", "a\n"), Fact("2", "bcdef\n")),))])
    assert (finding.right[0], finding.written[0], finding.exchanged[0], finding.gain[0]) == (1, 0.5, 0, 0.5)


def test_a_probe_is_stored_as_it_was(tmp_path):
    finding = Finding(TITLE, np.array([1, np.nan]), np.array([0.5, np.nan]), np.zeros(2), np.array([0.25, np.nan]))
    write(Probe("tiny", "nano", 3, (finding,)), tmp_path / "probe.json")
    json.loads((tmp_path / "probe.json").read_text(), parse_constant=pytest.fail)
    back = read(tmp_path / "probe.json")
    assert (back.data, back.backbone, back.seed) == ("tiny", "nano", 3)
    for name in ("right", "written", "exchanged", "gain"):
        np.testing.assert_array_equal(getattr(back.findings[0], name), getattr(finding, name))


@pytest.mark.parametrize(("right", "contaminated"), [(22, False), (26, True)])
def test_few_pairs_are_judged_by_a_test_that_keeps_its_word(right: int, contaminated: bool):
    """22 of 30: the interval, one of four, is above chance; an exact binomial test says p = 0.016, with Holm 0.065."""
    n, none = 30, np.zeros(30)
    kinds = [ENDING, TITLE, NEIGHBOUR, RECORD]
    chance = np.array([0.0, 1.0] * 15)
    answers = dict.fromkeys(kinds, chance) | {kinds[-1]: np.array([1.0] * right + [0.0] * (n - right))}
    found = Probe("tiny", "a model", 0, tuple(Finding(kind, answers[kind], none, none, none) for kind in kinds))
    assert found.interval(found.findings[-1]).low > CHANCE
    assert found.verdict.startswith("CONTAMINATED") == contaminated
