"""What is done where memory is short: the same work on fewer rows at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

_logger = logging.getLogger(__name__)


def in_parts(rows: Sequence[int], work: Callable[[Sequence[int]], None]) -> None:
    """Has `work` done on all rows at once; where memory is too short for them, on each half, and so on.

    Args:
        rows: of a batch.
        work: on some of them; what it leaves behind it leaves at its end.

    Raises:
        RuntimeError: as `work` raises it; that memory is short only for a single row.
    """
    try:
        work(rows)
    except RuntimeError as error:
        if len(rows) == 1 or not is_short_of_memory(error):
            raise
    else:
        return
    # Here, not in the handler: the error would hold on to all that was computed.
    free_memory()
    middle = len(rows) // 2
    _logger.warning("memory is too short for a batch of %d; going on with %d", len(rows), middle)
    in_parts(rows[:middle], work)
    in_parts(rows[middle:], work)


def is_short_of_memory(error: RuntimeError) -> bool:
    """Whether that is what PyTorch says, of a GPU or of the processor."""
    from accelerate.utils.memory import should_reduce_batch_size

    return should_reduce_batch_size(error)


def free_memory() -> None:
    """Gives back what nobody holds any more."""
    from accelerate.utils.memory import clear_device_cache

    clear_device_cache(garbage_collection=True)
