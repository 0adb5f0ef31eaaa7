"""`r2rec chains`: interaction chains by original ids, to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from r2rec_bench.cli.console import safe, stderr, stdout
from r2rec_bench.cli.data import NAME, dataset_named

if TYPE_CHECKING:
    from r2rec_bench.chains.base import ChainSampler
    from r2rec_bench.chains.lookup import NamedChain
    from r2rec_bench.data.base import Fold

app = typer.Typer(help="Interaction chains by original ids.", no_args_is_help=True)


@app.command()
def sample(
    dataset: NAME,
    user: Annotated[str, typer.Option(help="Original id of the user.")],
    item: Annotated[str, typer.Option(help="Original id of the item that chains lead to.")],
    sampler: Annotated[str, typer.Option(help="See `r2rec list chains`.")] = "closed_uniform",
    n: Annotated[int, typer.Option(min=1, help="At most so many chains.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same chains.")] = 0,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting of the sampler; order is `any` if not set."),
    ] = None,
    fold: Annotated[
        str | None, typer.Option(help="See only what this fold sees: train, validation or test; else the whole log.")
    ] = None,
    time: Annotated[
        int | None, typer.Option(min=0, max=2**32, help="See only what came before this second, UTC since 1970.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Draw closed chains from a user to an item."""
    from r2rec_bench.chains.lookup import sample_chains, to_json

    data = dataset_named(dataset)
    if data.synthetic:
        stderr().print(safe(f"SYNTHETIC DATA: {data.origin}"), style="bold yellow")
    chains = sample_chains(data, user, item, _sampler(sampler, set_ or []), n=n, seed=seed, fold=_fold(fold), time=time)
    if json:
        typer.echo(to_json(chains))
        return
    console = stdout()
    if not chains:
        console.print(f"No chain leads from user {safe(user)} to item {safe(item)}.")
    for number, chain in enumerate(chains, 1):
        console.print(f"[bold]{number}[/]  the last peer's gap: {chain.gap_steps} steps, {chain.gap_days:.1f} days")
        for line in _lines(chain):
            console.print(f"   {line}", soft_wrap=True)


def _sampler(name: str, settings: list[str]) -> ChainSampler:
    from r2rec_bench.chains.base import chain_samplers
    from r2rec_bench.cli.settings import parse_settings
    from r2rec_bench.core.config import validate
    from r2rec_bench.core.errors import InputError

    component = chain_samplers.get(name)
    given = parse_settings(settings)
    if "n" in given:
        raise InputError("--set n: given by --n; use that")
    if "evidence" in given:
        raise InputError("--set evidence: always 'single' here, since single chains are shown; leave it out")
    # What is shown are chains, and a valid chain has them in any order.
    given = {"evidence": "single", "order": "any", **given}
    return component(validate(component.config_type(), given, f"--sampler {name}"))


def _fold(name: str | None) -> Fold | None:
    from r2rec_bench.core.errors import unknown
    from r2rec_bench.data.base import Fold

    if name is None:
        return None
    known = {fold.name.lower(): fold for fold in Fold if fold is not Fold.UNUSED}
    if name not in known:
        raise unknown("fold", name, known)
    return known[name]


def _lines(chain: NamedChain) -> list[str]:
    ends = [*chain.edges, *([chain.closing] if chain.closing else [])]
    closing = {id(chain.closing): "  (the closing edge, hidden from the search)"}
    return [
        f"{safe(edge.user)} —{'' if edge.rating != edge.rating else f'{edge.rating:g}'}→ {safe(edge.item)} "
        f"{safe(chain.titles[edge.item])}{closing.get(id(edge), '')}"
        for edge in ends
    ]
