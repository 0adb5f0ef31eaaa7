"""What a model was shown and what it thought of it, step by step, for the candidates worth looking at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from r2rec_bench.core.errors import R2RecError
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.core.types import Bundle
from r2rec_bench.evaluation.base import Told
from r2rec_bench.explain import Answers, Explainer, stored_answers
from r2rec_bench.explorer.lists import Lists, has_cases
from r2rec_bench.explorer.scripts import Value, rounded, write_script
from r2rec_bench.files import ASKING
from r2rec_bench.prompts.base import Asked
from r2rec_bench.prompts.steps import Step
from r2rec_bench.report.study import Row
from r2rec_bench.report.text import one_line


def thinking(lists: Lists) -> dict[int, Row]:
    """The systems that read and write texts, by place."""
    return {
        place: row for place, row in lists.rows.items() if (row.artifact.path / ASKING).is_file() and has_cases(row)
    }


def write_told(
    store: ArtifactStore,
    lists: Lists,
    besides: Row | None,
    first: int,
    folder: Path,
    progress: Callable[[int, int], None],
) -> dict[int, str]:
    """A file per system and so many users: evidence, thoughts and texts.

    Told are, of each user, the item taken, the `first` candidates of the system's own ranking, and the one that
    `besides` puts first. Systems that were asked the same questions have them put again once.

    Args:
        store: where the runs are.
        lists: who was asked what.
        besides: the baseline whose first choice is told too.
        first: how many.
        folder: of the data.
        progress: told how many users are done, of all systems together.

    Returns:
        Why a system's questions could not be put again, by place; only its texts are told then.
    """
    alike: dict[str, dict[int, Row]] = {}
    for place, row in thinking(lists).items():
        alike.setdefault((row.artifact.path / ASKING).read_text("utf-8"), {})[place] = row
    done, changed = 0, dict[int, str]()
    for rows in alike.values():
        explainers = {place: Explainer(store, row.artifact) for place, row in rows.items()}
        width = lists.candidates.items.shape[1]
        streams = {place: stored_answers(row.artifact.path, width) for place, row in rows.items()}
        asker = next(iter(explainers.values()))
        for number, users in enumerate(lists.files):
            chunks: dict[int, list[Value]] = {place: [] for place in rows}
            for user in users:
                asked = asker.questions(user)
                also = besides.result.users.top_ids[user][:1] if besides else ()
                for place, chunk in chunks.items():
                    answers = next(streams[place])
                    columns = _worth(answers, int(lists.candidates.positive[user]), also, first)
                    try:
                        chunk.append(_candidates(explainers[place], asked, answers, columns))
                    except R2RecError as error:
                        changed[place] = one_line(str(error))
                        chunk.append({str(column): _texts(answers, column) for column in columns})
            for place, chunk in chunks.items():
                write_script(folder, f"told/{place}/{number}", chunk)
            progress(done + users.stop * len(rows), len(thinking(lists)) * len(lists.candidates))
        done += len(lists.candidates) * len(rows)
    return changed


def _worth(answers: Answers, positive: int, also: Sequence[str], first: int) -> list[int]:
    """The columns of the candidates that are told."""
    best = np.argsort(answers.ranks, kind="stable")[:first].tolist()
    return sorted({positive, *best, *(answers.item_ids.index(item) for item in also)})


def _candidates(explainer: Explainer, asked: Sequence[Asked], answers: Answers, columns: Sequence[int]) -> Value:
    told = {column: explainer.told(asked, answers, column) for column in columns}
    return {str(column): {**_texts(answers, column), **_told(explainer, one)} for column, one in told.items()}


def _texts(answers: Answers, column: int) -> dict[str, Value]:
    return {"prompt": answers.prompts[column], "completion": answers.completions[column]}


def _told(explainer: Explainer, told: Told) -> dict[str, Value]:
    prompt, thoughts = told.asked.prompt, {thought.step: thought for thought in told.reading.thoughts}
    steps: list[Value] = []
    for step, fact in zip(told.asked.steps, explainer.facts(told), strict=True):
        thought = thoughts.get(step.number)
        steps.append(
            {
                "fact": _lines(fact),
                "weight": thought.weight if thought else None,
                "forecast": thought.forecast if thought else None,
                "truth": step.next_rating if thought else None,
                "links": list(_links(explainer, told.asked, step)),
            }
        )
    return {
        "verdict": told.verdict,
        "problems": list(told.reading.problems),
        "background": _lines(explainer.background(told)),
        "system": prompt.system,
        "masked": prompt.masked,
        "mask": prompt.mask,
        "dropped": prompt.dropped,
        "steps": steps,
    }


def _links(explainer: Explainer, asked: Asked, step: Step) -> Iterator[Value]:
    """The edges that a step reveals, or the bundle of them."""
    question, chains = asked.question, asked.question.evidence.chains
    for part in step.parts or (step,):
        edge = part.edge
        link: dict[str, Value] = {
            "item": one_line(question.catalog.titles[edge.item]),
            "rating": rounded(edge.rating),
        }
        if part.bundle is not None:
            yield link | _bundle(part.bundle)
        else:
            own = edge.user == question.visible.query.user
            number = next((place for place, chain in enumerate(chains) if chain is part.chain), 0)
            yield link | {
                "chain": number,
                "peer": None if own else one_line(explainer.user_id(edge.user)),
                "target": edge.item == question.target,
            }


def _bundle(bundle: Bundle) -> dict[str, Value]:
    return {
        "ago": bundle.steps_ago,
        "known": bundle.n_anchor,
        "peers": bundle.n_peers,
        "lift": rounded(bundle.lift, 3),
        "onward": bundle.n_forward,
        "onwardLift": rounded(bundle.forward_lift, 3),
        "mean": rounded(bundle.mean_rating, 3),
    }


def _lines(text: str) -> str:
    """Without characters that cannot be seen, line by line."""
    return "\n".join(map(one_line, text.splitlines()))
