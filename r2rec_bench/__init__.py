"""R2Rec, open and measurable: chains, progressive masking, SFT, RL, and honest tables.

Source: Reason-to-Recommend (arXiv 2506.05069). Importing this package loads no deep-learning library.
"""

from __future__ import annotations


def __getattr__(name: str) -> str:
    """`__version__`, looked up when asked for: reading package metadata takes as long as the rest of `r2rec --help`."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("r2rec-bench")
    except PackageNotFoundError:  # a source tree that was never installed
        return "0+unknown"
