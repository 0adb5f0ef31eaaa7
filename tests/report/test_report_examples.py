"""A worked example in Markdown: hostile titles and completions stay text."""

import pytest

from r2rec_bench.core.texts import Reading, Thought
from r2rec_bench.explain import ExplainedStep, Explanation
from r2rec_bench.report import examples
from r2rec_bench.report.examples import Example, example_lines, worked_examples
from r2rec_bench.report.study import Study


def explanation(completion: str = "done") -> Explanation:
    return Explanation(
        run_id="0" * 16,
        system="R2Rec",
        protocol="",
        ranker="rating_expectation",
        user_id="7",
        item_id="9",
        title="<img src=x>|`a`\nb",
        background='Latest: "[x](y)".',
        steps=(
            ExplainedStep("Step 1: liked *it*.", Thought(1, 2, 5)),
            ExplainedStep("Step 2: unread.", None),
        ),
        dropped=3,
        reading=Reading((), 4),
        verdict="rating 4",
        completion=completion,
        score=3.5,
        rank=1,
        positive_title="A_B",
        positive_rank=2,
        candidates=20,
    )


@pytest.fixture
def explained(monkeypatch):
    """Of whom explanations are asked for."""
    users: list[str] = []

    class Recorder:
        def __init__(self, store, artifact):
            pass

        def explain(self, user):
            users.append(user)
            return explanation()

    monkeypatch.setattr(examples, "Explainer", Recorder)
    return users


def test_each_kind_of_user_is_drawn_and_told_with_how_many_there_are_and_under_which_seed(make_row, explained):
    baseline = make_row("ease", "baseline", [2, 1, 1, 1])
    one, several = make_row("R2Rec", "r2rec", [1, 1, 3, 2]), make_row("R2Rec", "r2rec", [1, 1, 3, 2], [1] * 4)
    found = list(worked_examples(None, Study("x", "", (baseline, one))))
    assert [example.heading for example in found] == ["Better than the best baseline", "A hit", "A miss"]
    assert explained[:2] == ["u0", "u1"]
    assert explained[2] in {"u2", "u3"}
    assert found[0].why == "One of 1 such users of 4, drawn by the seed. ease ranks what the user took 2."
    first, *_ = worked_examples(None, Study("x", "", (baseline, several)))
    assert first.why.startswith("One of 1 such users of 4 under seed 0, drawn by the seed.")


def test_a_baseline_asked_otherwise_is_no_other_opinion(make_row, explained):
    baseline = make_row("ease", "baseline", [2, 2], protocol="4 negatives.")
    found = list(worked_examples(None, Study("x", "", (baseline, make_row("R2Rec", "r2rec", [1, 2])))))
    assert [example.heading for example in found] == ["A hit", "A miss"]
    assert "ease" not in found[0].why


def lines(e: Explanation) -> list[str]:
    return list(example_lines(Example("A miss", "Drawn.", e)))


def test_evidence_thoughts_verdict_and_ranks():
    text = lines(explanation())
    assert text[0] == r"### A miss: user 7, “\<img src=x\>\|\`a\` b”"
    assert r"- Step 1: liked \*it\*." in text
    assert text[text.index(r"- Step 1: liked \*it\*.") + 1] == "  - Thought: weight +2, forecast 5."
    assert text[text.index("- Step 2: unread.") + 1] == "- 3 more did not fit the token budget."
    verdict = next(line for line in text if line.startswith("**Verdict"))
    assert verdict == (
        "**Verdict: rating 4**, score 3.5000 (`rating_expectation`), ranked 1 of 20. "
        r"What the user took: “A\_B”, ranked 2."
    )


def test_backticks_in_a_completion_do_not_end_its_code_span():
    assert lines(explanation(completion="a `` b\n` c"))[-1] == "As written by the model: ``` a `` b ` c ```"
