"""What a teaching model is told at each step, and what becomes of what it writes."""

import re
from dataclasses import replace
from itertools import product

import pytest

from r2rec_bench.core.config import validate
from r2rec_bench.core.errors import ConfigError
from r2rec_bench.core.texts import Thought
from r2rec_bench.prompts.compact import vocabulary
from r2rec_bench.traces.conversation import ConversationConfig, Reply, Silence, Talk

WORDS = set(vocabulary())


@pytest.fixture
def lesson(asker, training):
    """The first lesson with at least three steps."""

    def make(**ways):
        lessons = map(asker(**ways).lesson, training())
        return next(lesson for lesson in lessons if len(lesson.steps) >= 3)

    return make


def good_line(lesson, wording, step: int, forecast: int = 4) -> str:
    q = lesson.question
    return wording.thought(Thought(step, 1, forecast), lesson.steps[step - 1], q.target, q.catalog)


def talked(lesson, wording, reply, **settings) -> tuple[Talk, list[str]]:
    """The conversation with a model whose reply to the n-th question is `reply(n)`, and what it was asked."""
    talk, asked = Talk(lesson, wording, ConversationConfig(**settings)), []
    while talk.turn:
        asked.append(talk.turn.content)
        said = reply(len(asked))
        talk.hear(said if isinstance(said, Reply) else Reply(said))
    return talk, asked


@pytest.mark.parametrize(("evidence", "wording"), list(product(["single", "bundle"], ["compact", "verbose"])))
def test_each_step_is_asked_with_later_pieces_masked_and_earlier_thoughts(asker, lesson, evidence, wording):
    one, spoken = lesson(evidence=evidence, wording=wording), asker(wording=wording).wording
    lines = {k: good_line(one, spoken, k) for k in range(1, len(one.steps) + 1)}
    talk, asked = talked(one, spoken, lines.__getitem__)
    assert [thought.text for thought in talk.result] == list(lines.values())
    assert [thought.step for thought in talk.result] == [step.number for step in one.steps]
    for k, content in enumerate(asked, 1):
        assert content.startswith(one.prompt.view(k))
        shown = content.splitlines()
        assert [piece for piece in one.prompt.pieces if piece in shown] == list(one.prompt.pieces[:k])
        assert shown.count(one.prompt.mask) == len(one.steps) - k
        assert [line for line in lines.values() if line in shown] == [lines[j] for j in range(1, k)]


def test_the_answer_is_told_with_the_last_piece_alone_and_moves_no_earlier_question(asker, lesson):
    one, spoken = lesson(), asker().wording
    told = {
        answer: talked(replace(one, answer=answer), spoken, lambda k: good_line(one, spoken, k))[1]
        for answer in (0, 1, 5)
    }
    assert told[0][:-1] == told[1][:-1] == told[5][:-1]
    assert len({asked[-1] for asked in told.values()}) == 3
    assert "answer is known to be 5" in told[5][-1]
    _, asked = talked(one, spoken, lambda k: good_line(one, spoken, k), guidance="none")
    assert not any("known to be" in content for content in asked)


def test_a_teacher_of_codes_is_told_what_they_mean_and_one_of_words_is_not(asker, lesson):
    compact = Talk(lesson(), asker().wording, ConversationConfig()).turn.system
    verbose = Talk(lesson(wording="verbose"), asker(wording="verbose").wording, ConversationConfig()).turn.system
    # Every code that a prompt may begin a word with is explained.
    codes = {re.match(r"[a-zA-Z]+", word)[0] for word in WORDS if re.match(r"[a-zA-Z]+[-\d]", word)} - {"w", "f"}
    assert codes == {"r", "u", "m", "n", "L", "F", "g"}
    assert all(re.search(rf"\b{code},|\b{code};|, {code}\b", compact) for code in codes)
    assert "#k w<weight> f<digit>" in compact
    assert "codes" not in verbose
    assert "Step k. <what it says> Weight: <strongly against | " in verbose


def test_the_scale_told_is_the_one_allowed(asker, lesson):
    assert ", or 0 if" in Talk(lesson(), asker().wording, ConversationConfig()).turn.system
    ratings = Talk(lesson(interaction=False), asker().wording, ConversationConfig()).turn.system
    assert "from 1 (bad) to 5" in ratings
    assert ", or 0 if" not in ratings


@pytest.mark.parametrize(
    "dressed",
    [
        "{}",
        "  {}\n",
        "Here is the line:\n{}\nI hope that helps.",
        "<think>Let me see.\n#1 w-2 f1\n</think>\n\n{}",
        "<think> {} </think>",
        "<think>\n{}\n</think> <answer> =4",
    ],
)
def test_a_line_is_found_in_what_models_put_around_it(asker, lesson, dressed):
    one, spoken = lesson(), asker().wording
    talk, _ = talked(one, spoken, lambda k: dressed.format(f"#{k} w+1 f4"))
    assert [(t.step, t.weight, t.forecast) for t in talk.result] == [(k, 1, 4) for k in range(1, len(one.steps) + 1)]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("I cannot help with that.", "does not parse"),
        ("", "does not parse"),
        ("#2 w+1 f4", "does not parse"),
        ("#1 w+1 f4\n#1 w-1 f2", "does not parse"),
        ("#1 w+3 f4", "does not parse"),
        (Reply("<think> Hm, let me", cut=True), "cut off at max_tokens"),
    ],
)
def test_what_cannot_be_read_is_asked_again_and_then_given_up(asker, lesson, reply, reason):
    one, spoken = lesson(), asker().wording
    talk, asked = talked(one, spoken, lambda _: reply, attempts=3)
    assert talk.result == Silence(reason)
    assert talk.thoughts is None
    assert len(asked) == 3
    assert reason not in asked[0]
    assert f"could not be used: {reason}" in asked[1]


def test_a_second_attempt_that_can_be_read_counts(asker, lesson):
    one, spoken = lesson(), asker().wording
    replies = iter(["nonsense", *(f"#{k} w+1 f4" for k in range(1, 20))])
    talk, asked = talked(one, spoken, lambda _: next(replies))
    assert len(talk.result) == len(one.steps)
    assert len(asked) == len(one.steps) + 1


def test_a_thought_that_names_a_later_piece_is_not_taken(asker, lesson):
    one, spoken = lesson(wording="verbose"), asker(wording="verbose").wording
    one = replace(one, prompt=replace(one.prompt, head="A user."))  # whose history would tell all titles
    title = next(
        title
        for title in re.findall(r'"[^"]*"', one.prompt.pieces[2])
        if title not in one.prompt.view(2) and title in one.prompt.view(3)
    )
    early = f"Step 1. They will like {title}. Weight: for. Forecast: 4."
    assert talked(one, spoken, lambda _: early)[0].result == Silence("names what was not revealed")
    allowed = [early.replace("Step 1", f"Step {k}") for k in (1, 2, 3)]
    late = talked(one, spoken, lambda k: allowed[2] if k == 3 else good_line(one, spoken, k))[0]
    assert late.result[2].text == allowed[2]


def test_a_line_with_a_tag_among_its_words_is_not_taken(asker, lesson):
    one, spoken = lesson(wording="verbose"), asker(wording="verbose").wording
    sly = "Step 1. It is <answer>5</answer> surely. Weight: for. Forecast: 4."
    assert talked(one, spoken, lambda _: sly)[0].result == Silence("does not parse: a tag among the words")


def test_a_forecast_of_the_answer_is_one_of_the_answers_allowed(asker, lesson):
    one, spoken = lesson(interaction=False), asker().wording
    assert talked(one, spoken, lambda _: "#1 w0 f0")[0].result == Silence("forecasts what is no answer")
    # In a chain only the last edge is followed by the answer; an unrated edge is forecast as 0.
    chain = lesson(interaction=False, evidence="single")
    _, asked = talked(chain, spoken, lambda k: f"#{k} w0 f0")
    assert len(asked) == 2 + ConversationConfig().attempts


def test_whole_puts_the_prompt_of_the_student_and_takes_all_thoughts(asker, lesson):
    one, spoken = lesson(), asker().wording
    block = " ".join(f"#{k} w-1 f2" for k in range(1, len(one.steps) + 1))
    talk, asked = talked(one, spoken, lambda _: f"<think> {block} </think> <answer> =2", masking="whole")
    assert asked == [one.prompt.content]
    assert [thought.forecast for thought in talk.result] == [2] * len(one.steps)
    cut = talked(one, spoken, lambda _: f"<think> {block} </think> <answer>", masking="whole")[0]
    assert cut.result == talk.result
    short = talked(one, spoken, lambda _: "<think> #1 w-1 f2 </think> <answer> =2", masking="whole")[0]
    assert short.result == Silence("does not parse: steps")
    none = talked(one, spoken, lambda _: "=2", masking="whole")[0]
    assert none.result == Silence("does not parse: think")


def test_whole_asks_again_only_where_chance_has_a_part(asker, lesson):
    one, spoken = lesson(), asker().wording
    assert len(talked(one, spoken, lambda _: "", masking="whole", attempts=4)[1]) == 1
    assert len(talked(one, spoken, lambda _: "", masking="whole", attempts=4, temperature=0.7)[1]) == 4


@pytest.mark.parametrize("masking", ["progressive", "whole"])
def test_agreeing_takes_only_thoughts_that_end_in_the_true_answer(asker, lesson, masking):
    one, spoken = lesson(), asker().wording
    n, other = len(one.steps), 5 - one.answer

    def reply(last: int):
        lines = [f"#{k} w0 f{last if k == n else 3}" for k in range(1, n + 1)]
        return (
            (lambda k: lines[min(k, n) - 1])
            if masking == "progressive"
            else (lambda _: f"<think> {' '.join(lines)} </think>")
        )

    settings = {"masking": masking, "agreeing": True}
    assert len(talked(one, spoken, reply(one.answer), **settings)[0].result) == n
    wrong = talked(one, spoken, reply(other), **settings)[0].result
    assert wrong == Silence("concludes something else than the true answer")
    assert len(talked(one, spoken, reply(other), masking=masking)[0].result) == n


@pytest.mark.parametrize("masking", ["progressive", "whole"])
def test_where_there_is_no_evidence_nothing_is_asked(asker, training, masking):
    bare = asker(budget=16).lesson(training(1)[0])
    if bare.steps:
        bare = type(bare)(bare.question, bare.prompt, (), bare.answer)
    talk = Talk(bare, asker().wording, ConversationConfig(masking=masking))
    assert (talk.turn, talk.thoughts) == (None, ())


def test_giving_up_ends_a_conversation(asker, lesson):
    talk = Talk(lesson(), asker().wording, ConversationConfig())
    talk.give_up("out of luck")
    assert (talk.turn, talk.result, talk.thoughts) == (None, Silence("out of luck"), None)


def test_the_settings_are_strict():
    with pytest.raises(ConfigError, match=r"masking.*got 'progresive'.*Did you mean 'progressive'"):
        validate(ConversationConfig, {"masking": "progresive"}, "x.yaml")
