"""Beyond accuracy: what is recommended over all users, whether the reasoning holds, and what evaluation costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from r2rec_bench.report.study import Study
from r2rec_bench.report.table import Cell, Column, Table, count, metrics_table, seconds
from r2rec_bench.report.values import (
    SPREAD_AT,
    completion_tokens,
    evaluation_seconds,
    metrics_of,
    peak_bytes,
    prompt_tokens,
    tokens_per_second,
)


def quality_lines(study: Study) -> Iterator[str]:
    """The sections in Markdown; those of which nothing was measured are left out."""
    yield from _section("What is recommended", metrics_table(study, _spread(study)), _about_spread(study))
    yield from _section("Reasoning quality", metrics_table(study, _REASONING), _ABOUT_REASONING)
    yield from _section("Choosing from a list", metrics_table(study, _LISTS), _ABOUT_LISTS)
    yield from _section("Cost of evaluation", cost_table(study), ABOUT_COSTS)


def _section(title: str, table: Table | None, about: str) -> Iterator[str]:
    if table is not None:
        yield from ("", f"## {title}", "", table.markdown(), "", about)


def _spread(study: Study) -> Sequence[Column]:
    popularity = dict.fromkeys(
        metric for row in study.rows for metric in metrics_of(row) if metric.startswith("popularity@")
    )
    return (
        *(Column(f"Coverage@{k}", f"coverage@{k}", None, interval=True) for k in SPREAD_AT),
        *(Column(f"Gini@{k}", f"gini@{k}", None, interval=True) for k in SPREAD_AT),
        *(Column(name.capitalize(), name, None, interval=True, digits=0) for name in popularity),
    )


def _about_spread(study: Study) -> str:
    tables = [row.result.users for row in study.rows]
    offered = " / ".join(dict.fromkeys(f"{users.offered:,}" for users in tables))
    taken = " / ".join(dict.fromkeys(f"{np.mean(users.item_seen):,.0f}" for users in tables))
    return (
        f"Of the first 1 or 5 of each user's list, with 95 % intervals. Coverage: the share of the {offered} items in "
        "any list that anybody is recommended. Gini: how unequally recommendations fall on these items, 0 for equally, "
        f"near 1 for all on a few. Both are bounded by the number of users: {_most(study)}; their intervals are the "
        "jackknife's over users. Popularity: mean visible interactions of what is recommended; of what users took it "
        f"is {taken}. Neither end is good."
    )


def _most(study: Study) -> str:
    """The highest coverage that so many lists of k items can have, and with it the lowest Gini index."""
    tables = [row.result.users for row in study.rows]
    most = [(k, max(min(1.0, len(users) * k / users.offered) for users in tables)) for k in SPREAD_AT]
    return ", ".join(f"at {k} no coverage above {share:.3f}, no Gini below {1 - share:.3f}" for k, share in most)


_REASONING = (
    Column("Grounding", "grounding", interval=True),
    Column("Step forecast", "step_forecast", interval=True),
    Column("Within 1 star", "step_forecast_near", interval=True),
    Column("Counterfactual", "counterfactual", interval=True),
    Column("Shift", "counterfactual_shift", None, interval=True),
    Column("Control", "counterfactual_control", None, interval=True),
    Column("Control's shift", "counterfactual_control_shift", None, interval=True),
)
_ABOUT_REASONING = (
    "Systems whose thoughts can be read; a dash where there is nothing to judge. Grounding: thoughts that name only "
    "what was revealed by their step; a wording whose thoughts quote nothing leaves nothing to check. Step forecast: "
    "forecasts of the next masked edge that came true, of edges within the evidence and of what the user gave the item "
    "taken. Counterfactual: of the recommendations tested, those whose score moved as the thoughts claim when the "
    "piece with the largest weight was replaced by its opposite; shift: how far, in the ranker's scores. Control: the "
    "same for a piece that the thoughts call neutral."
)
_LISTS = (
    Column("Valid orders", "list_valid", None, interval=True),
    Column("Mean place", "list_place", None, interval=True),
    Column("Distance from uniform", "list_place_tv", None, interval=True),
    Column("Same choice", "list_consistency", None, interval=True),
)
_ABOUT_LISTS = (
    "Systems that read all candidates at once, asked in several random orders. Mean place of the choice: 0 the first, "
    "1 the last, 0.5 without bias. Distance from uniform: of the choice by place, total variation; compare it at equal "
    "numbers of orders. Same choice: pairs of orders in which the same candidate was chosen."
)


def cost_table(study: Study) -> Table | None:
    """What evaluation took, for every system that reads and writes tokens; none where none does."""
    rows = [row for row in study.rows if prompt_tokens(row)]
    if not rows:
        return None
    heads = ("System", "Tokens read", "Tokens written", "Seconds", "Tokens / s", "Peak memory, MiB", "Run")
    cells: list[tuple[Cell, ...]] = []
    for row in rows:
        figures = (
            count(prompt_tokens(row)),
            count(completion_tokens(row)),
            seconds(evaluation_seconds(row)),
            count(tokens_per_second(row)),
            count(peak_bytes(row) / 2**20),
        )
        cells.append((Cell(row.label), *map(Cell, figures), Cell(row.short_id)))
    return Table(heads, tuple(cells))


ABOUT_COSTS = (
    "Asking about all candidates, making the prompts included: tokens as the model counts them, and the peak of the "
    "whole process up to then."
)
