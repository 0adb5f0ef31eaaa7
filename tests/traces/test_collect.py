from dataclasses import replace
from itertools import product

import pytest

from r2rec_bench.prompts.base import Question
from r2rec_bench.traces.base import Lesson, Teacher
from r2rec_bench.traces.collect import collect
from r2rec_bench.traces.store import read_traces, write_traces
from r2rec_bench.traces.template import Template

WAYS = pytest.mark.parametrize(
    ("evidence", "wording", "strategy"),
    list(product(["single", "bundle"], ["compact", "verbose"], ["progressive_mask", "direct"])),
)


def silent(done: int, of: int) -> None:
    """Nobody listens."""


class Moody(Template):
    """Falls silent on every third lesson, forgets the last thought on the next, and makes things up on the third."""

    def explain(self, lessons, wording):
        written = super().explain(lessons, wording)
        for k in range(0, len(written) - 2, 3):
            written[k] = None
            written[k + 1] = written[k + 1][:-1]
            made_up = replace(written[k + 2][0], text=written[k + 2][0].text.replace("—", '"Nosferatu" —', 1))
            written[k + 2] = (made_up, *written[k + 2][1:])
        return written


class Forbidden(Teacher):
    def explain(self, lessons, wording):
        raise AssertionError("asked though the strategy has no thoughts")


@WAYS
def test_every_template_trace_is_sound_and_every_question_accounted_for(asker, training, evidence, wording, strategy):
    asking = asker(evidence=evidence, wording=wording, strategy=strategy)
    told = []
    found = collect(asking, Template(), training(), lambda done, of: told.append((done, of)))
    assert (found.asked, len(found.traces), found.dropped) == (60, 60, {})
    assert found.pieces_dropped == 0
    assert found.pieces_kept == sum(len(trace.prompt.pieces) for trace in found.traces) > 0
    assert told[-1] == (60, 60)
    for trace, asked in zip(found.traces, training(), strict=True):
        assert (trace.query, trace.target, trace.answer) == (asked.query, asked.target, asked.answer)
        assert len(trace.outcomes) == len(trace.prompt.pieces)
        if strategy == "progressive_mask":
            assert len(trace.thoughts) == len(trace.prompt.pieces)
            if trace.outcomes:
                assert trace.outcomes[-1] == trace.answer
        else:
            assert trace.thoughts == ()
            assert "think" not in trace.completion


def test_in_rating_only_tasks_untouched_items_have_no_place(asker, training):
    found = collect(asker(interaction=False), Template(), training(touched=0.5), silent)
    untouched = sum(query.answer == 0 for query in training(touched=0.5))
    assert found.dropped == {"does not parse: answer": untouched}
    assert all(trace.answer > 0 for trace in found.traces)


def test_implicit_feedback_makes_sound_traces_too(asker, training, unrated):
    for evidence, wording in product(["single", "bundle"], ["compact", "verbose"]):
        asking = asker(evidence=evidence, wording=wording, log=unrated)
        found = collect(asking, Template(), training(log=unrated), silent)
        assert len(found.traces) == 60
        assert {trace.answer for trace in found.traces} == {0, 5}


def test_what_a_teacher_spoils_is_dropped_and_counted(asker, training):
    found = collect(asker(wording="verbose"), Moody(), training(), silent)
    assert found.dropped == {
        "the teacher gave none": 20,
        "does not parse: steps": 20,
        "names what was not revealed": 20,
    }
    assert found.traces == ()
    assert found.asked == 60


def test_a_strategy_without_thoughts_asks_no_teacher(asker, training):
    assert len(collect(asker(strategy="direct"), Forbidden(), training(), silent).traces) == 60


def test_evidence_beyond_the_budget_is_counted(asker, training):
    # A question takes 6 words and a bundle 5.
    narrow = collect(asker(budget=17), Template(), training(), silent)
    wide = collect(asker(), Template(), training(), silent)
    assert narrow.pieces_kept + narrow.pieces_dropped == wide.pieces_kept
    assert {len(trace.prompt.pieces) for trace in narrow.traces} <= {0, 1, 2}
    assert narrow.dropped == {}


def test_traces_are_the_same_however_the_questions_are_ordered(asker, training):
    queries = training()
    forth = collect(asker(evidence="single"), Template(), queries, silent).traces
    back = collect(asker(evidence="single"), Template(), queries[::-1], silent).traces
    assert forth == back[::-1]


def test_prompts_for_ranking_have_the_evidence_that_training_would(asker, training):
    asked = training()[0]
    asking = asker(evidence="single")
    lesson = asking.lesson(asked)
    (unknown,) = asking.prompts(asked.query, [asked.target])
    assert not isinstance(unknown, Lesson)
    assert (unknown.prompt, unknown.steps) == (lesson.prompt, lesson.steps)
    assert isinstance(lesson.question, Question)


@WAYS
def test_traces_survive_their_file(asker, training, tmp_path, evidence, wording, strategy):
    found = collect(asker(evidence=evidence, wording=wording, strategy=strategy), Template(), training(), silent)
    write_traces(found.traces, tmp_path / "t.parquet")
    assert read_traces(tmp_path / "t.parquet") == list(found.traces)


def test_no_traces_are_a_file_too(tmp_path):
    write_traces((), tmp_path / "t.parquet")
    assert read_traces(tmp_path / "t.parquet") == []


def test_traces_about_users_without_any_evidence_survive_their_file(asker, training, tmp_path):
    """All lists of the file are empty, which leaves parquet without a type for them."""
    found = collect(asker(budget=16), Template(), training(1), silent).traces
    bare = [replace(trace, prompt=replace(trace.prompt, pieces=()), thoughts=(), outcomes=()) for trace in found]
    write_traces(bare, tmp_path / "t.parquet")
    assert read_traces(tmp_path / "t.parquet") == bare
