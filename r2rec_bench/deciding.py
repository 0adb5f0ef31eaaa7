"""Which source decides which artifact: it is part of the fingerprint, so that changed code makes anew what it decides.

Left out are modules that no result depends on, such as settings, errors, the registry and the store, and those that
read data: what they read is in the fingerprint itself.
"""

from __future__ import annotations

from r2rec_bench.core.config import Spec, components

_PACKAGE = __package__


def rooms(*names: str) -> tuple[str, ...]:
    """Modules and packages of ours, by full name, whose source decides a result."""
    return tuple(f"{_PACKAGE}.{name}" for name in names)


LIST_CODE = rooms("core.seeds", "core.types", "data.base", "data.candidates", "data.splits", "data.negatives")
ASKING_CODE = rooms(
    "core.seeds", "core.texts", "core.types", "data.base", "data.splits", "graph", "chains", "prompts", "llm", "traces",
    "asking",
)  # fmt: skip
"""Of questions, and of the thoughts of teachers, who may be models too."""
AUDIT_CODE = rooms("audit")
TRAINING_CODE = rooms("core.seeds", "core.texts", "core.types", "llm", "prompts", "training")
SCORING_CODE = rooms("core.types", "evaluation")
CONTAMINATION_CODE = rooms(
    "core.seeds", "core.types", "data.base", "data.movielens", "data.splits", "contamination", "llm"
)


def home(*specs: Spec) -> tuple[str, ...]:
    """The top-level packages of those components that are a plug-in's: its own code decides its results too."""
    return tuple({type(spec.build()).__module__.partition(".")[0] for spec in components(specs)} - {_PACKAGE})
