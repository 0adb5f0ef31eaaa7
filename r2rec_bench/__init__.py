"""R2Rec, open and measurable: chains, progressive masking, SFT, RL, and honest tables.

Source: Reason-to-Recommend (arXiv 2506.05069). Importing this package loads no deep-learning library.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("r2rec-bench")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"
