"""Thoughts from a file: what fits is taught, and what does not is told, all of it, by line."""

import json
import re
from itertools import product

import pytest

from r2rec_bench.core.errors import ConfigError, InputError
from r2rec_bench.prompts.verbose import Verbose
from r2rec_bench.traces.collect import collect
from r2rec_bench.traces.file import File, FileConfig
from r2rec_bench.traces.lines import Line, append_line, in_words, key_of, line_of, read_lines
from r2rec_bench.traces.template import Template

WORDS = Verbose()
WAYS = ["single", "bundle"], ["compact", "verbose"], ["compact", "verbose"]


def silent(done: int, of: int) -> None:
    """Nobody listens."""


@pytest.fixture
def lines(asker, training):
    """What the template teacher would say, as lines; each question once."""

    def make(n=60, **ways) -> list[dict]:
        asking = asker(**ways)
        lessons = {key_of(lesson): lesson for lesson in map(asking.lesson, training(n))}
        thoughts = Template().explain(list(lessons.values()), asking.wording)
        pairs = zip(lessons.values(), thoughts, strict=True)
        return [line_of(lesson, said, asking.wording).model_dump(mode="json") for lesson, said in pairs]

    return make


@pytest.fixture
def taught(asker, training, tmp_path):
    """What becomes of the questions when lines are the teacher."""

    def teach(given, n=60, **ways):
        path = tmp_path / "human.jsonl"
        path.write_text("".join(one if isinstance(one, str) else json.dumps(one) + "\n" for one in given), "utf-8")
        return collect(asker(**ways), File(FileConfig(path=path)), training(n), silent)

    return teach


def problems(taught, given, **ways) -> list[str]:
    with pytest.raises(ConfigError) as refusal:
        taught(given, **ways)
    return [str(problem).partition("human.jsonl:")[2] for problem in refusal.value.problems]


@pytest.mark.parametrize(("evidence", "before", "after"), list(product(*WAYS)))
def test_a_file_of_what_the_template_says_teaches_as_it_does_in_any_wording(
    asker, training, lines, taught, evidence, before, after
):
    expected = collect(asker(evidence=evidence, wording=after), Template(), training(), silent)
    found = taught(lines(evidence=evidence, wording=before), evidence=evidence, wording=after)
    assert found.traces == expected.traces
    assert found.dropped == {}


@pytest.mark.parametrize("strategy", ["one_shot_mask", "rating_hidden", "no_mask"])
def test_other_strategies_have_lines_too(asker, training, lines, taught, strategy):
    expected = collect(asker(strategy=strategy), Template(), training(), silent)
    assert taught(lines(strategy=strategy), strategy=strategy).traces == expected.traces


def test_own_words_reach_a_student_who_reads_words(lines, taught):
    given = lines(wording="verbose")
    for said in given[0]["thoughts"]:
        said |= {"text": " They liked it, and so will the user. ", "weight": -1, "forecast": 2}
    [trace] = taught(given[:1], wording="verbose").traces[:1]
    assert trace.thoughts[0].text == "Step 1. They liked it, and so will the user. Weight: against. Forecast: 2."
    assert trace.thoughts[0].text in trace.completion
    [codes] = taught(given[:1], wording="compact").traces[:1]
    assert codes.thoughts[0].text == "#1 w-1 f2"


def test_questions_without_a_line_have_no_trace_and_lines_without_a_question_are_no_mistake(lines, taught):
    given = lines()
    some = taught(given[:5])
    left = 60 - len(some.traces)
    assert some.dropped == {"the teacher gave none: the file has no line about it": left}
    assert left >= 55
    few = taught(given, n=60)
    assert len(few.traces) == 60


def test_all_that_is_wrong_is_told_together_by_line_with_what_was_expected(asker, lines, taught):
    given = [one for one in lines() if len(one["thoughts"]) >= 3][:9]
    whole = json.dumps(given[0])
    given[1]["user"] = f"{given[1]['user']}x"
    given[2]["thoughts"].pop()
    given[3]["thoughts"][1]["weight"] = 3
    given[4]["thoughts"][0]["forecast"] = "high"
    given[5]["thoughs"] = given[5].pop("thoughts")
    given[6]["pieces"] = given[6]["pieces"][:-1]
    given[7]["pieces"][1] = 'Step 2: The user —rated 1→ "Nosferatu".'
    given[8]["position"] += 1
    told = problems(taught, [whole[:-2] + "\n", *given[1:], given[2] | {"item": "m61"}])
    user = given[1]["user"]
    places = [one.partition(":")[0] for one in told]
    assert places == ["1", "2", "3", "4", "5", "6", "6", "7", "8", "9", "10"]
    assert "Invalid JSON" in told[0]
    assert told[1] == f"2: user: the data have no user '{user}'. Did you mean '{user[:-1]}'?"
    n = len(given[2]["pieces"])
    assert told[2] == (f"3: thoughts: expected one for each of the steps 1 to {n}, in order; got {list(range(1, n))}")
    assert "thoughts.1.weight: Input should be less than or equal to 2; got 3" in told[3]
    assert "thoughts.0.forecast" in told[4]
    assert any("unknown key 'thoughs'" in one and "Did you mean 'thoughts'?" in one for one in told[5:7])
    assert f"first {len(given[6]['pieces'])} alike; compare chains.n and prompts.budget" in told[7]
    assert "piece 2 is 'Step 2: The user —rated 1→ \"Nosferatu\".', now 'Step 2: The user" in told[8]
    assert f"after {given[8]['position'] - 1} interactions; got {given[8]['position']}" in told[9]
    assert told[10].startswith("10: item: the data have no item 'm61'. Did you mean 'm")


def test_no_more_than_twenty_problems_are_told(lines, taught):
    given = [one | {"user": "nobody"} for one in lines()][:30]
    with pytest.raises(ConfigError) as refusal:
        taught(given)
    assert len(refusal.value.problems) == 21
    assert str(refusal.value).endswith("... and 10 more")


def test_the_same_question_twice_is_told(lines, taught):
    given = lines()[:2]
    assert problems(taught, [*given, given[0]]) == ["3: the same question as line 1; keep one"]


def test_evidence_in_another_order_is_told_as_that(lines, taught):
    [given] = [one for one in lines() if len(one["pieces"]) >= 2][:1]
    facts = [piece.partition(": ")[2] for piece in given["pieces"]][::-1]
    given["pieces"] = [f"Step {k}: {fact}" for k, fact in enumerate(facts, 1)]
    assert "same evidence in another order; use the seed" in problems(taught, [given])[0]


@pytest.mark.parametrize("wording", ["compact", "verbose"])
def test_a_thought_that_names_what_is_not_revealed_is_told(lines, taught, wording):
    [given] = [one for one in lines(wording=wording) if len(one["pieces"]) >= 2][:1]
    given["thoughts"][0]["text"] = 'Like "Nosferatu", which 987654 people know.'
    told = problems(taught, [given], wording=wording)
    assert told[0] == "1: thoughts.0.text: names '\"Nosferatu\"', which step 1 does not know: no piece says it"
    assert told[1] == "1: thoughts.0.text: names '987654', which step 1 does not know: no piece says it"


def test_a_thought_that_names_a_later_number_is_told_where_it_comes_from(asker, training, taught):
    asking = asker()
    lessons = (lesson for lesson in map(asking.lesson, training()) if len(lesson.steps) >= 2)
    lesson, number = next(
        (lesson, number)
        for lesson in lessons
        for number in re.findall(r"[0-9]+\.[0-9]", in_words(lesson).pieces[1])
        if number not in in_words(lesson).view(1)
    )
    [thoughts] = Template().explain([lesson], asking.wording)
    given = line_of(lesson, thoughts, asking.wording).model_dump(mode="json")
    given["thoughts"][0]["text"] = f"They liked it {number} times."
    [told] = problems(taught, [given])
    assert told.endswith(f"names '{number}', which step 1 does not know: piece 2 is the first to say it")


@pytest.mark.parametrize(
    "text", ["So. </think> <answer>5</answer>", "two\nlines", "Done. Weight: for. Forecast: 4.\nStep 2. x"]
)
def test_words_that_would_break_the_form_are_told(lines, taught, text):
    given = next(one for one in lines(wording="verbose") if one["thoughts"])
    given["thoughts"][0]["text"] = text
    assert any("expected plain words on one line" in one for one in problems(taught, [given], wording="verbose"))


def test_a_forecast_that_is_no_answer_is_told(lines, taught):
    given = next(one for one in lines(interaction=False) if one["thoughts"])
    given["thoughts"][0]["forecast"] = 0
    told = problems(taught, [given], interaction=False)
    assert told == ["1: thoughts.0.forecast: no answer of this experiment: 0; allowed: 1, 2, 3, 4, 5"]


def test_a_file_about_nothing_that_is_asked_is_an_error(lines, taught):
    given = [one for one in lines(60) if one["item"] != lines(1)[0]["item"]][:3]
    with pytest.raises(InputError, match="none of its 3 lines is about a question that this experiment asks"):
        taught(given, n=1)


def test_a_missing_file_is_named_with_the_nearest(tmp_path):
    (tmp_path / "human.jsonl").touch()
    with pytest.raises(InputError, match=r"humans\.jsonl: no such file\. Did you mean '.*human\.jsonl'\?"):
        File(FileConfig(path=tmp_path / "humans.jsonl")).identity()


def test_the_content_of_the_file_is_what_the_teacher_is(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("{}")
    before = File(FileConfig(path=path)).identity()
    path.rename(tmp_path / "b.jsonl")
    assert File(FileConfig(path=tmp_path / "b.jsonl")).identity() == before
    (tmp_path / "b.jsonl").write_text("{} ")
    assert File(FileConfig(path=tmp_path / "b.jsonl")).identity() != before


def test_a_strategy_without_thoughts_asks_no_file(asker, training, tmp_path):
    path = tmp_path / "none.jsonl"
    assert len(collect(asker(strategy="direct"), File(FileConfig(path=path)), training(), silent).traces) == 60


def test_lines_are_added_whatever_ends_the_file(lines, tmp_path):
    path = tmp_path / "sub" / "a.jsonl"
    first, second = (Line.model_validate(one) for one in lines()[:2])
    append_line(path, first)
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    append_line(path, second)
    read, wrong = read_lines(path)
    assert [one.line for one in read] == [first, second]
    assert wrong == []
