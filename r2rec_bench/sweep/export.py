"""The search space as a sweep of Weights & Biases, and a trial as its agent asks for it.

The agent calls `r2rec sweep FILE --track wandb PATH=VALUE ...`, which runs one trial with these values and logs the
objective under the name that the exported file gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from r2rec_bench.core.errors import InputError, unknown
from r2rec_bench.core.search import Knob
from r2rec_bench.sweep.definition import Choice, Searched
from r2rec_bench.tracking.wandb import metric_name


def write_wandb(searched: Searched, file: Path, path: Path) -> None:
    """The sweep in `file` as W&B's own YAML."""
    head = (
        f"# {file} for Weights & Biases; written by `r2rec sweep`. Trials are not ended early.\n"
        f"# wandb sweep {path}; then `wandb agent`, where {file} is found.\n"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(head + yaml.safe_dump(wandb_sweep(searched, file), sort_keys=False, width=120), encoding="utf-8")


def wandb_sweep(searched: Searched, file: Path) -> dict[str, Any]:
    """W&B's sweep configuration: as many trials, by its own Bayesian search."""
    sweep = searched.sweep
    space = {
        _ascii(name): _range(wanted) if isinstance(wanted, Knob) else {"values": list(wanted)}
        for name, wanted in _wanted(searched).items()
    }
    return {
        "name": sweep.name,
        "description": sweep.question,
        "program": "r2rec",
        "command": ["${env}", "${program}", "sweep", str(file), "--track", "wandb", "${args_no_hyphens}"],
        "method": "bayes",
        "metric": {"name": metric_name(sweep.objective), "goal": sweep.direction},
        "run_cap": sweep.trials,
        "parameters": space,
    }


def parameters(searched: Searched, given: Sequence[str]) -> dict[str, Any]:
    """What Optuna would have suggested, from `PATH=VALUE` for each of the searched settings.

    Raises:
        InputError: one is missing, unknown, or has no such value.
    """
    told: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"expected PATH=VALUE; got '{text}'")
        told[name] = value
    wanted = _wanted(searched)
    names = {_ascii(name): name for name in wanted}
    for name in told:
        if name not in names:
            raise unknown("searched setting", name, names)
    missing = [name for name in names if name not in told]
    if missing:
        raise InputError(f"a trial needs a value for every searched setting; missing: {', '.join(missing)}")
    return {names[name]: _value(name, wanted[names[name]], text) for name, text in told.items()}


def _wanted(searched: Searched) -> dict[str, Knob | tuple[Choice, ...]]:
    """What a trial chooses, by Optuna's names."""
    wanted: dict[str, Knob | tuple[Choice, ...]] = dict(searched.choices)
    for knob in searched.knobs:
        wanted[knob.name] = knob
        if knob.optional:
            wanted[knob.given] = (True, False)
    return wanted


def _value(name: str, wanted: Knob | tuple[Choice, ...], text: str) -> Choice:
    if isinstance(wanted, tuple):
        # As W&B writes them, which is as Python does.
        known = {str(choice): choice for choice in wanted}
        if text not in known:
            raise InputError(f"{name}: expected one of {', '.join(known)}; got '{text}'")
        return known[text]
    low, high = wanted.tune.low, wanted.tune.high
    try:
        value = float(text)
    except ValueError:
        value = None
    if value is None or not low <= value <= high:
        raise InputError(f"{name}: expected a number from {low:g} to {high:g}; got '{text}'")
    return int(value) if wanted.whole else value


def _range(knob: Knob) -> dict[str, Any]:
    low, high, log = knob.tune.low, knob.tune.high, knob.tune.log
    if knob.whole:
        kind = {"distribution": "q_log_uniform_values", "q": 1} if log else {"distribution": "int_uniform"}
        return {**kind, "min": int(low), "max": int(high)}
    return {"distribution": "log_uniform_values" if log else "uniform", "min": low, "max": high}


def _ascii(name: str) -> str:
    """A name without spaces."""
    return name.replace(" ", ".")
