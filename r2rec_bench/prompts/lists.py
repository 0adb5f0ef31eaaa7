"""All candidates of a query in one question, within one token budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.texts import Prompt
from r2rec_bench.prompts.base import Asked, PromptStrategy
from r2rec_bench.prompts.list_wording import LETTERS, ListWording
from r2rec_bench.prompts.steps import Step, ends_of
from r2rec_bench.prompts.wording import Wording


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """What a list tells of one candidate.

    Attributes:
        asked: the question about it alone.
        line: what is said of it, for the letter that it will stand behind.
        pieces: the evidence kept, in words.
        steps: the same as steps.
        dropped: pieces of evidence left out, those included that its own prompt had no room for.
    """

    asked: Asked
    line: Callable[[str], str]
    pieces: tuple[str, ...]
    steps: tuple[Step, ...]
    dropped: int


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """The candidates of one query, before it is settled in which order they stand.

    Attributes:
        entries: (c,).
        frame: the question about them, still without its candidates.
    """

    entries: tuple[Entry, ...]
    frame: Prompt

    def prompt(self, order: Sequence[int]) -> Prompt:
        """The question with the entries `order` behind the letters from A on."""
        chosen = zip(LETTERS, (self.entries[column] for column in order), strict=False)
        blocks = tuple("\n".join([entry.line(letter), *entry.pieces]) for letter, entry in chosen)
        frame = self.frame
        return Prompt(frame.system, frame.head, blocks, frame.ask, "", frame.dropped, frame.tokens, masked=False)


def listed(
    asked: Sequence[Asked],
    strategy: PromptStrategy,
    wording: Wording,
    words: ListWording,
    count: Callable[[str], int],
    *,
    recency: bool = False,
) -> Listing:
    """All candidates of a query in one question within the strategy's budget, the history said once.

    Of the evidence, every candidate keeps its first k bundles or whole chains, or all it has if these are fewer: the
    largest k for which the list fits, so that none is told more of because of where it stands. Tokens are counted
    line by line, so that the order does not change what fits.

    Args:
        asked: (c,), the question about each candidate; at most as many as there are letters.
        strategy: how evidence is said, and the budget.
        wording: of the evidence.
        words: of the list.
        count: length of a text in the model's tokens.
        recency: whether the user's very latest item is named once more.

    Raises:
        InputError: not even the list without evidence fits the budget.
    """
    question, config = asked[0].question, strategy.config
    visible, catalog = question.visible, question.catalog
    evidence = [tuple(part for step in one.steps for part in step.parts or (step,)) for one in asked]
    ends = [ends_of(steps) for steps in evidence]

    @cache
    def entry(column: int, rounds: int) -> Entry:
        one, own = asked[column], ends[column]
        end = own[min(rounds, len(own) - 1)]
        steps = strategy.revealed(evidence[column][:end])
        return Entry(
            one,
            lambda letter: words.candidate(letter, visible, one.question.target, catalog, rated=strategy.rated),
            tuple(strategy.piece(step, one.question, wording) for step in steps),
            steps,
            one.prompt.dropped + len(evidence[column]) - end,
        )

    @cache
    def length(text: str) -> int:
        return count(f"{text}\n")

    system = words.system(thinks=strategy.thinks)
    head = words.head(visible, catalog, config.history, rated=strategy.rated, recency=recency)
    ask = words.ask(LETTERS[: len(asked)])
    bare = count(system) + (length(head) if head else 0) + count(ask)

    def tokens(rounds: int) -> int:
        told = (entry(column, rounds) for column in range(len(asked)))
        return bare + sum(length(line) for one in told for line in (one.line(LETTERS[0]), *one.pieces))

    if tokens(0) > config.budget:
        raise InputError(
            f"prompts.budget: {config.budget} tokens, but the list of {len(asked)} candidates alone takes {tokens(0)}; "
            f"raise the budget to {tokens(0)} or more, or lower prompts.history ({config.history}) or candidates.n"
        )
    rounds = 0
    while rounds + 1 < max(map(len, ends)) and tokens(rounds + 1) <= config.budget:
        rounds += 1
    entries = tuple(entry(column, rounds) for column in range(len(asked)))
    dropped = sum(one.dropped for one in entries)
    return Listing(entries, Prompt(system, head, (), ask, "", dropped, tokens(rounds), masked=False))
