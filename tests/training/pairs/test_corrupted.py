"""What a corrupted completion is, and is not."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r2rec_bench.core.config import validate
from r2rec_bench.core.errors import ConfigError
from r2rec_bench.llm.base import LoadOptions
from r2rec_bench.llm.hf import HfConfig, HuggingFace
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.llm.nano import Nano
from r2rec_bench.prompts.direct import Direct
from r2rec_bench.prompts.zero_shot_cot import ZeroShotCot
from r2rec_bench.training.pairs.corrupted import Corrupted, CorruptedConfig


def maker(**settings: object) -> Corrupted:
    return Corrupted(CorruptedConfig.model_validate(settings))


def spoilt(traces, context, **settings):
    """(trace, the worse completion, how it reads)"""
    texts = maker(**settings).spoil(traces, context)
    read = context.strategy.read
    return [(trace, text, read(text, trace.prompt, context.wording)) for trace, text in zip(traces, texts, strict=True)]


@given(seed=st.integers(0, 2**32), thoughts=st.sampled_from(["opposed", "foreign", "kept"]))
def test_the_form_is_kept_and_the_answer_is_far_off(codes, context, seed, thoughts):
    for trace, _, reading in spoilt(codes, context(Nano(), seed), thoughts=thoughts):
        assert reading.valid
        assert abs(reading.answer - trace.answer) >= 2


@given(seed=st.integers(0, 2**32))
def test_not_interacting_is_the_wrong_answer_to_a_rating_and_the_other_way(touches, context, seed):
    answers = {trace.answer for trace in touches}
    for trace, _, reading in spoilt(touches, context(Nano(), seed, tuple(range(6)))):
        assert reading.valid
        assert (reading.answer == 0) == (trace.answer != 0)
        assert reading.answer in answers


def test_a_wrong_rating_is_drawn_as_the_traces_give_it(touches, context):
    asked = [replace(trace, answer=4 if trace.answer else 0) for trace in touches]
    said = {reading.answer for trace, _, reading in spoilt(asked, context(Nano())) if trace.answer == 0}
    assert said == {4}


def test_where_no_rating_is_far_another_will_do(codes, context):
    two = [replace(trace, answer=4, prompt=replace(trace.prompt, outcomes=(4, 5))) for trace in codes]
    two = [replace(trace, completion=trace.completion[:-1] + "4") for trace in two]
    assert {reading.answer for _, _, reading in spoilt(two, context(Nano()), thoughts="kept")} == {5}


@pytest.mark.parametrize("wording", ["compact", "verbose"])
def test_opposed_thoughts_weigh_the_other_way_and_forecast_wrongly(codes, sentences, context, wording):
    traces, asked = (
        (codes, context(Nano())) if wording == "compact" else (sentences, context(HuggingFace(HfConfig(path="x"))))
    )
    seen = 0
    for trace, text, reading in spoilt(traces, asked, answer="kept"):
        assert reading.valid
        assert reading.answer == trace.answer
        for before, after, true in zip(trace.thoughts, reading.thoughts, trace.outcomes, strict=True):
            assert after.weight == -before.weight or (before.weight == 0 and abs(after.weight) == 2)
            assert abs(after.forecast - true) >= 2
            assert after.step == before.step
            seen += 1
        if wording == "verbose":  # the evidence is told as before
            assert all(t.text.split(" Weight")[0] in text for t in trace.thoughts)
    assert seen > len(traces) // 2


def test_a_step_on_the_way_is_never_forecast_not_to_happen(touches, context):
    for trace, _, reading in spoilt(touches, context(Nano(), outcomes=tuple(range(6)))):
        for after, true in zip(reading.thoughts, trace.outcomes, strict=True):
            assert after.forecast != true
            if true != trace.answer:
                assert after.forecast != 0


def test_foreign_thoughts_are_those_of_another_trace(codes, context):
    own = {trace.target: tuple(thought.text for thought in trace.thoughts) for trace in codes}
    for trace, _, reading in spoilt(codes, context(Nano()), thoughts="foreign"):
        said = tuple(thought.text for thought in reading.thoughts)
        assert said != own[trace.target]
        assert said in own.values()


def test_what_is_drawn_for_a_trace_does_not_depend_on_the_others_order(touches, context):
    asked = context(Nano())
    forward = dict(zip([t.target for t in touches], maker().spoil(touches, asked), strict=True))
    backward = dict(zip([t.target for t in touches[::-1]], maker().spoil(touches[::-1], asked), strict=True))
    assert forward == backward
    assert maker().spoil(touches, asked) != maker().spoil(touches, context(Nano(), 1))


def test_without_thoughts_only_the_answer_can_be_wrong(codes, context):
    at_once = replace(context(Nano()), strategy=Direct())
    answered = [replace(t, completion=f"<answer> ={t.answer}", thoughts=()) for t in codes]
    assert maker(answer="kept").spoil(answered, at_once) == [""] * len(codes)
    for trace, text, reading in spoilt(answered, at_once):
        assert reading.valid
        assert reading.answer != trace.answer
        assert "<think>" not in text


def test_free_thoughts_without_any_still_have_a_wrong_answer(codes, context):
    free = replace(context(Nano()), strategy=ZeroShotCot())
    bare = [replace(trace, thoughts=(), outcomes=(), prompt=replace(trace.prompt, pieces=())) for trace in codes]
    silent = [replace(trace, completion=f"<think> </think> <answer> ={trace.answer}") for trace in bare]
    for trace, _, reading in spoilt(silent, free):
        assert reading.valid
        assert reading.answer != trace.answer


def test_pairs_are_the_ids_of_prompt_and_completions(tuned_nano, codes, context):
    lm = LanguageModel.load(tuned_nano, LoadOptions())
    paired = maker().pair(codes, lm, context(Nano()))
    assert paired.notes == {"without_pair": 0}
    assert [pair.prompt for pair in paired.pairs] == lm.encode([trace.prompt for trace in codes])
    assert [pair.chosen for pair in paired.pairs] == lm.encode_completions([trace.completion for trace in codes])
    assert [pair.rejected for pair in paired.pairs] == lm.encode_completions(maker().spoil(codes, context(Nano())))


def test_what_spoils_nothing_is_refused():
    with pytest.raises(ConfigError, match="answer and thoughts are both kept: nothing tells the two completions apart"):
        validate(CorruptedConfig, {"answer": "kept", "thoughts": "kept"}, "x.yaml")
