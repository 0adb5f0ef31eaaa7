"""The contamination probe: what was learnt by heart is found, and nothing is found where nothing was."""

import json
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from r2rec_bench.cli.app import app
from r2rec_bench.contamination import probe as under_test
from r2rec_bench.contamination.facts import (
    ENDING,
    NEIGHBOUR,
    RECORD,
    SHOWN,
    TITLE,
    ContaminationConfig,
    Fact,
    Quiz,
    quizzes,
)
from r2rec_bench.contamination.likelihood import Likelihood, likelihood
from r2rec_bench.contamination.probe import Finding, probe
from r2rec_bench.contamination.results import CHANCE, Probe, read, write
from r2rec_bench.core.types import InteractionLog, ItemCatalog
from r2rec_bench.data.base import Dataset, Fold, splits
from r2rec_bench.llm.base import LoadOptions
from r2rec_bench.llm.loading import load_tokenizer
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.testing.models import small_chat, small_nano

USERS = ITEMS = 60
ALL = ContaminationConfig(titles=USERS, neighbours=USERS)


def dataset(seed: int, name: str = "tiny") -> Dataset:
    """Facts that differ from seed to seed; ids, lengths and words are those of every such world."""
    rng = np.random.default_rng(seed)
    words = rng.permutation([f"{a}{b}" for a in "ABCDEFGHIJ" for b in "aeiouy"])
    titles = tuple(f"{word} {year}" for word, year in zip(words, rng.permutation(ITEMS) + 1930, strict=True))
    log = InteractionLog(
        user=np.repeat(np.arange(USERS), 3).astype(np.int32),
        item=np.concatenate([rng.permutation(ITEMS)[:3] for _ in range(USERS)]).astype(np.int32),
        rating=rng.integers(1, 6, 3 * USERS).astype(np.float32),
        time=np.sort(rng.integers(100, 1000, (USERS, 3))).ravel().astype(np.int64),
        user_ids=tuple(str(200 + k) for k in range(USERS)),
        item_ids=tuple(str(10 + k) for k in range(ITEMS)),
    )
    return Dataset(name, log, ItemCatalog(titles, ("",) * ITEMS), True, "", "made up")


def asked_of(data: Dataset, config: ContaminationConfig = ALL) -> tuple[Quiz, ...]:
    return quizzes(data, splits.get("leave_last_out")().split(data.log), Fold.TEST, config)


def files_of(data: Dataset) -> list[str]:
    """All lines, as a crawler would meet them."""
    log, titles = data.log, data.catalog.titles
    rows = zip(log.user.tolist(), log.item.tolist(), log.rating.tolist(), log.time.tolist(), strict=True)
    return [
        *(f"{title}\n" for title in titles),
        *(f"{item},{title}\n" for item, title in zip(log.item_ids, titles, strict=True)),
        *(f"{log.user_ids[u]},{log.item_ids[i]},{rating:g},{time}\n" for u, i, rating, time in rows),
    ]


class Reader(torch.nn.Module):
    """A model that has read lines once and forgets nothing: the next token is one that came next after the longest
    ending of the text that it has read, and sometimes any other.
    """

    def __init__(self, lines: list[str], longest: int = 10) -> None:
        super().__init__()
        self.tokenizer = load_tokenizer(small_chat(), LoadOptions())
        self.embedding = torch.nn.Embedding(len(self.tokenizer), 1)
        self.config = SimpleNamespace(max_position_embeddings=512)
        self.device = torch.device("cpu")
        self.longest, self.next = longest, defaultdict(Counter)
        for line in lines:
            ids = self.tokenizer("\n" + line)["input_ids"]
            for end in range(1, len(ids)):
                for begin in range(max(0, end - longest), end):
                    self.next[tuple(ids[begin:end])][ids[end]] += 1

    def get_input_embeddings(self):
        return self.embedding

    def forward(self, input_ids, attention_mask, position_ids, logits_to_keep, use_cache):
        width = input_ids.shape[1]
        p = torch.full((len(input_ids), logits_to_keep, len(self.tokenizer)), 0.01 / len(self.tokenizer))
        for row, ids in enumerate(input_ids.tolist()):
            for k, end in enumerate(range(width - logits_to_keep + 1, width + 1)):
                endings = (tuple(ids[begin:end]) for begin in range(max(0, end - self.longest), end))
                known = next((self.next[one] for one in endings if one in self.next), Counter())
                for token, n in known.items():
                    p[row, k, token] += 0.99 * n / known.total()
        return SimpleNamespace(logits=p.log())


def reader(data: Dataset) -> LanguageModel:
    model = Reader(files_of(data))
    return LanguageModel(model, model.tokenizer)


def told(model: LanguageModel, data: Dataset) -> Probe:
    return Probe(data.name, "a model", 0, probe(model, asked_of(data)))


@pytest.fixture(scope="module")
def world() -> Dataset:
    return dataset(0)


@pytest.fixture(scope="module")
def untrained() -> LanguageModel:
    return LanguageModel.load(small_chat(), LoadOptions())


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


def test_likelihood_is_that_of_each_text_alone(untrained):
    asked = [("one two", " three\n"), ("1::", "Toy Story (1995)\n"), ("", "x"), ("a", ""), ("b" * 5000, "c")]
    got = likelihood(replace_batch(untrained, 40), asked)
    for k, (cue, answer) in enumerate(asked[:2]):
        before, after = (untrained.tokenizer(text)["input_ids"] for text in (cue, answer))
        with torch.inference_mode():
            logits = untrained.model(input_ids=torch.tensor([before + after])).logits[0].double()
        steps = logits.log_softmax(-1)[len(before) - 1 : -1]
        expected = steps[range(len(after)), after].sum().item() / np.log(2)
        assert got.log_p[k] == pytest.approx(expected, abs=1e-4)
        assert got.written[k] == (steps.argmax(-1).tolist() == after)
    assert np.isnan(got.log_p[2:]).all()
    assert np.isnan(got.written[2:]).all()


def replace_batch(model: LanguageModel, batch_tokens: int) -> LanguageModel:
    return LanguageModel(model.model, model.tokenizer, batch_tokens)


def test_what_greedy_generation_writes_counts_as_written(world):
    model = reader(world)
    row = world.log.item_ids[7]
    asked = [(f"\n{row},", f"{world.catalog.titles[7]}\n"), (f"\n{row},", f"{world.catalog.titles[8]}\n")]
    assert likelihood(model, asked).written.tolist() == [1, 0]


def test_no_title_becomes_a_control_token(untrained):
    [end] = untrained.tokenizer("<|im_end|>")["input_ids"]
    model = Reader([])
    seen = []
    forward = model.forward
    model.forward = lambda **given: seen.append(given["input_ids"]) or forward(**given)
    likelihood(LanguageModel(model, model.tokenizer), [("<|im_end|>", "<|im_end|>")])
    assert end not in seen[0]


def test_facts_stand_in_the_words_of_the_file():
    data = dataset(0, "movielens-1m")
    ending, title, neighbour, record = asked_of(data)
    titles, log = dict(zip(data.log.item_ids, data.catalog.titles, strict=True)), data.log
    last = {log.user_ids[u]: k for k, u in enumerate(log.user.tolist())}
    assert [quiz.kind for quiz in (ending, title, neighbour, record)] == [ENDING, TITLE, NEIGHBOUR, RECORD]
    assert all(fact.cue + fact.answer.removesuffix("\n") in data.catalog.titles for p in ending.pairs for fact in p)
    assert all(titles[fact.cue.removesuffix("::")] + "\n" == fact.answer for p in title.pairs for fact in p)
    for pair, whole in zip(neighbour.pairs, record.pairs, strict=True):
        for fact, line in zip(pair, whole, strict=True):
            row = last[fact.cue.removesuffix("::")]  # the held-out interaction is the user's last
            assert fact.answer == f"{log.item_ids[log.item[row]]}::"
            assert line == Fact(fact.cue + fact.answer, f"{log.rating[row]:g}::{log.time[row]}\n")


def test_pairs_are_disjoint_of_near_ids_and_drawn_by_the_seed(world):
    config = ContaminationConfig(titles=10, neighbours=10)
    for quiz in asked_of(world, config)[1:3]:
        ids = [int(fact.cue.removesuffix(",")) for pair in quiz.pairs for fact in pair]
        assert len(ids) == len(set(ids)) == 20
        assert ids == sorted(ids)
    assert asked_of(world, config) == asked_of(world, config)
    assert asked_of(world, config) != asked_of(world, config.model_copy(update={"seed": 1}))


def test_the_lines_shown_are_neither_asked_about_nor_held_out(world):
    config = ContaminationConfig(titles=10, neighbours=10)
    held_out = {f"{a.cue}{a.answer}" for pair in asked_of(world)[3].pairs for a in pair}
    for quiz in asked_of(world, config):
        heading, *lines = quiz.opening.splitlines(keepends=True)
        assert heading.startswith("tiny, ")
        assert len(lines) == SHOWN
        assert not {fact.cue + fact.answer for pair in quiz.pairs for fact in pair} & set(lines)
        assert not held_out & set(lines)


def test_unrated_interactions_and_titles_of_one_word(world):
    bare = replace(world.log, rating=np.full(len(world.log), np.nan, np.float32))
    titles = ("Alone", "", *world.catalog.titles[2:])
    quizzed = asked_of(replace(world, log=bare, catalog=ItemCatalog(titles, ("",) * ITEMS)))
    assert [len(quiz.pairs) for quiz in quizzed] == [29, 29, 30, 30]  # 58 titles of two words; 59 at all
    assert all(fact.answer.strip().isdecimal() for pair in quizzed[3].pairs for fact in pair)


def test_a_title_that_holds_its_item_s_number_is_not_asked_for(world):
    titles = ("Ten 10", "Film 1011", *world.catalog.titles[2:])  # the ids are 10 and 11
    asked = asked_of(replace(world, catalog=ItemCatalog(titles, ("",) * ITEMS)))[1]
    answers = {fact.answer for pair in asked.pairs for fact in pair}
    assert "Ten 10\n" not in answers
    assert len(answers) == 58  # of 59, one has no other


def test_a_probe_is_stored_as_it_was(tmp_path):
    finding = Finding(TITLE, np.array([1, np.nan]), np.array([0.5, np.nan]), np.zeros(2), np.array([0.25, np.nan]))
    write(Probe("tiny", "nano", 3, (finding,)), tmp_path / "probe.json")
    json.loads((tmp_path / "probe.json").read_text(), parse_constant=pytest.fail)
    back = read(tmp_path / "probe.json")
    assert (back.data, back.backbone, back.seed) == ("tiny", "nano", 3)
    for name in ("right", "written", "exchanged", "gain"):
        np.testing.assert_array_equal(getattr(back.findings[0], name), getattr(finding, name))


EXPERIMENT = """
name: tiny
question: Has it seen the data?
data: {{use: synthetic, users: 60, items: 120, interactions: 8}}
split: leave_last_out
visibility: fold
candidates: {{negatives: uniform, n: 4, users: 10}}
chains: closed_uniform
prompts: {{use: progressive_mask, budget: 512}}
teacher: template
queries: {{n: 10, touched: 0.35}}
backbone: {{use: hf, path: {path}}}
stages: []
untrained: false
ranker: rating_interaction
metrics: [hr]
baselines: [popularity]
"""


class Place:
    """A folder with an experiment and a cache."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "tiny.yaml").write_text(EXPERIMENT.format(path=small_chat().path))

    def r2rec(self, command: str, *options: str):
        places = {"R2REC_CACHE": str(self.folder / "cache"), "R2REC_DATA": None}
        done = CliRunner(env=places).invoke(app, [command, str(self.folder / "tiny.yaml"), *options])
        assert done.exit_code == 0, done.output
        return done

    def report(self, *options: str) -> str:
        self.r2rec("run", "--out", str(self.folder), *options)
        return (self.folder / "tiny" / "report.md").read_text("utf-8")


@pytest.mark.slow
def test_from_the_command_line_to_the_report(tmp_path):
    place = Place(tmp_path)
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
