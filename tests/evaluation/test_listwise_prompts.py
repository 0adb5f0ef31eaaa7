"""What a list of candidates says: the history once, evidence under each candidate, and never more than the budget."""

from __future__ import annotations

import re

import pytest

from r2rec_bench.core.errors import InputError
from r2rec_bench.evaluation.base import Reader
from r2rec_bench.prompts.base import StrategyConfig
from r2rec_bench.prompts.compact import Compact
from r2rec_bench.prompts.direct import Direct
from r2rec_bench.prompts.lists import listed
from r2rec_bench.prompts.one_shot_mask import OneShotMask
from r2rec_bench.prompts.verbose import Verbose
from r2rec_bench.prompts.verbose_list import VerboseList
from tests.evaluation.scripted import DIRECT, LIST, Scripted, bundled, listwise, silent, words


def test_a_wording_without_letters_and_a_list_with_too_many_are_refused(ask):
    compact = Reader(Direct(), Compact())
    with pytest.raises(InputError, match=r"listwise .* the wording 'compact' has no words.*prompts\.wording: verbose"):
        listwise().rank(Scripted(), [ask(LIST)], compact, silent)
    with pytest.raises(InputError, match=r"27 candidates, but only 26 letters\. Set candidates\.n to 25 or less"):
        listwise().rank(Scripted(), [ask(range(27))], DIRECT, silent)
    assert not listwise().problem(DIRECT, 26)


def test_a_list_says_the_history_once_and_the_evidence_under_each_candidate(ask):
    asked = ask(LIST, sampler=bundled())
    content = listed(asked, Direct(), Verbose(), VerboseList(), words).prompt([2, 0, 1]).content
    lines = content.splitlines()
    assert content.count("Latest items of the user") == 1
    assert lines[0].startswith("Latest items of the user")
    assert lines[-1].startswith("Which candidate, A to C, does the user interact with next?")
    begins = [lines.index(next(line for line in lines if line.startswith(f'{letter}. "Film'))) for letter in "ABC"]
    told = [lines[begin + 1 : end] for begin, end in zip(begins, [*begins[1:], -1], strict=True)]
    assert [len(pieces) for pieces in told] == [len(asked[column].steps) for column in (2, 0, 1)]
    assert told[0] == list(asked[2].prompt.pieces)


def test_the_latest_item_is_named_once_more_on_request(ask):
    asked = ask(LIST)
    latest = int(asked[0].question.visible.history_items()[-1])
    said = f'The very latest of them is "Film {latest}".'
    for recency in (True, False):
        model = Scripted()
        listwise(1, recency=recency).rank(model, [asked], DIRECT, silent)
        assert (said in model.prompts[0].content) == recency


@pytest.mark.parametrize("strategy", [Direct, OneShotMask])
@pytest.mark.parametrize("evidence", ["bundle", "single"])
def test_every_candidate_keeps_as_much_evidence_as_the_budget_has_for_all(ask, strategy, evidence):
    sampler = bundled(evidence=evidence)
    asked = ask(LIST, strategy=strategy(), sampler=sampler)
    units = 1 if evidence == "bundle" else 3
    pieces = [sum(len(step.parts) or 1 for step in one.steps) for one in asked]
    assert min(pieces) >= 3 * units
    whole = listed(asked, strategy(), Verbose(), VerboseList(), words)
    assert [entry.dropped for entry in whole.entries] == [0, 0, 0]
    kept: list[tuple[int, ...]] = []
    for budget in range(whole.frame.tokens, 0, -1):
        try:
            listing = listed(asked, strategy(StrategyConfig(budget=budget)), Verbose(), VerboseList(), words)
        except InputError as error:
            least = next(int(number) for number in re.findall(r"alone takes (\d+)", str(error)))
            assert least == budget + 1
            assert kept[-1] == (0, 0, 0)
            break
        assert listing.frame.tokens <= budget
        assert words(listing.prompt([0, 1, 2]).system + " " + listing.prompt([1, 0, 2]).content) <= budget
        told = tuple(sum(len(step.parts) or 1 for step in entry.steps) for entry in listing.entries)
        assert told == tuple(min(one, max(told)) for one in pieces)
        assert all(count % units == 0 for count in told)
        assert [entry.dropped for entry in listing.entries] == [a - b for a, b in zip(pieces, told, strict=True)]
        kept.append(told)
    assert len(set(kept)) == max(pieces) // units + 1


def test_a_list_that_cannot_fit_names_the_settings_that_make_it_shorter(ask):
    with pytest.raises(InputError, match=r"prompts\.budget: 20 tokens, but the list of 3 candidates .* candidates\.n"):
        listed(ask(LIST), Direct(StrategyConfig(budget=20)), Verbose(), VerboseList(), words)


def test_what_was_read_and_chosen_can_be_told_again(ask):
    asked = ask(LIST, strategy=Direct(), sampler=bundled())
    reader = Reader(Direct(StrategyConfig(budget=250)), Verbose())
    model = Scripted(lambda films: [0.8 if film == 7 else 0.1 for film in films])
    ranking = listwise().rank(model, [asked], reader, silent)
    verdicts: list[str] = []
    for column, case in enumerate(ranking.cases[0]):
        told = listwise().retold(asked, column, case.completion, reader, words)
        assert told.asked.prompt.content == case.prompt
        assert told.asked.prompt.dropped == len(asked[column].steps) - len(told.asked.steps) > 0
        verdicts.append(told.verdict.split()[0])
    assert verdicts == ["not", "chosen", "not"]
    unread = listwise().retold(asked, 0, "A it is", reader, words)
    assert unread.verdict == "no answer that could be read"
    assert unread.reading.problems == ("answer",)
