"""`r2rec explain`: why one recommendation came out as it did."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from r2rec_bench.cli.console import safe, safe_lines, stdout

if TYPE_CHECKING:
    from r2rec_bench.core.store import ArtifactStore
    from r2rec_bench.explain import Explanation


def explain(
    run: Annotated[str, typer.Argument(help="A run id, or its beginning, as tables give it.")],
    user: Annotated[str | None, typer.Option(help="Original id; without it, the run's users are listed.")] = None,
    item: Annotated[str | None, typer.Option(help="A candidate's original id; else the one ranked first.")] = None,
) -> None:
    """Show evidence, thoughts and verdict for one recommendation of a run."""
    from r2rec_bench.cli.studies import artifact_store
    from r2rec_bench.explain import explain as explained

    store = artifact_store()
    if user is None:
        _list_users(store, run)
        return
    _show(explained(store, run, user, item))


def _list_users(store: ArtifactStore, run: str) -> None:
    from r2rec_bench.evaluation.results import RunResult

    result = RunResult.load(store.find(run).path)
    console = stdout()
    console.print(f"[bold]{safe(result.system)}[/], run {result.run_id}: users, and the rank of what each took next")
    for user, rank in zip(result.users.user_ids, result.users.rank.tolist(), strict=True):
        console.print(f"{safe(user)}\t{rank}")


def _show(e: Explanation) -> None:
    from rich.panel import Panel
    from rich.table import Table

    from r2rec_bench.report.table import signed

    console = stdout()
    console.print(f"[bold]{safe(e.system)}[/], run {e.run_id}\n[dim]{safe(e.protocol)}[/]\n")
    console.print(Panel(safe_lines(e.background), title=f"User {safe(e.user_id)}", title_align="left"))
    steps = Table(show_lines=True)
    steps.add_column("Evidence, as revealed", ratio=3)
    steps.add_column("Weight", justify="right")
    steps.add_column("Forecast", justify="right")
    steps.add_column("As the model wrote it", ratio=2)
    for step in e.steps:
        thought = step.thought
        row = ("–", "–", "") if thought is None else (signed(thought.weight), str(thought.forecast), safe(thought.text))
        steps.add_row(safe(step.fact), *row)
    console.print(steps if e.steps else "No evidence: the sampler found none for this user and item.")
    if e.dropped:
        console.print(f"{e.dropped} more pieces did not fit the token budget.")
    console.print("Weight: -2 strongly against to +2 strongly for. Forecast: the next masked edge, 0 none or 1 to 5.")
    score = "no score" if math.isnan(e.score) else f"score {e.score:.4f} ({e.ranker})"
    verdict = [
        f"[bold]{safe(e.title)}[/] (item {safe(e.item_id)}): [bold]{e.verdict}[/], {score}",
        f"Ranked {e.rank} of {e.candidates}.",
        f"What the user took: {safe(e.positive_title)}, ranked {e.positive_rank}.",
    ]
    if e.reading.problems:
        verdict.append(f"[yellow]Not well-formed: {', '.join(e.reading.problems)}[/]; written: {safe(e.completion)}")
    console.print(Panel("\n".join(verdict), title="Verdict", title_align="left"))
