"""The Hugging Face libraries kept silent, and away from the network."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Generator
from contextlib import contextmanager

_NOISY = ("transformers", "ContinuousBatchingLogger", "trl", "peft", "accelerate", "datasets", "huggingface_hub")


@contextmanager
def quiet() -> Generator[None]:
    """Inside, they show no progress bars, log errors alone, and read what is on disk."""
    import datasets
    from huggingface_hub import constants
    from transformers.utils import logging as transformers_logging

    loggers = [logging.getLogger(name) for name in _NOISY]
    levels = [logger.level for logger in loggers]
    bars = [library for library in (datasets, transformers_logging) if library.is_progress_bar_enabled()]
    offline = constants.HF_HUB_OFFLINE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        constants.HF_HUB_OFFLINE = True
        for library in bars:
            library.disable_progress_bar()
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
            for library in bars:
                library.enable_progress_bar()
            constants.HF_HUB_OFFLINE = offline
