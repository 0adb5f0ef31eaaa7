"""One of the processes that a stage is trained in: `python -m r2rec_bench.training.process FOLDER`.

Started by `r2rec_bench.training.launch`, never by hand.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from r2rec_bench.core.errors import R2RecError
from r2rec_bench.core.signals import leave_quietly
from r2rec_bench.training.launch import FAILURE, JOB, PROGRESS, RESULT, LaunchedJob


def main(folder: Path) -> int:
    """Runs the job in `folder` with the others; the first process writes its result there."""
    import torch

    _end_with_parent()
    first = os.environ["RANK"] == "0"
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))  # where models are loaded to
    job: LaunchedJob = pickle.loads((folder / JOB).read_bytes())  # noqa: S301 — written by the process that started us
    context = replace(job.context, report=_tell) if first else job.context
    try:
        result = job.stage.run(job.start, job.traces, job.out, context)
    except Exception as error:
        told = error if isinstance(error, R2RecError) else R2RecError(f"{type(error).__name__}: {error}")
        _write(folder / FAILURE, told)
        raise
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
    if first:
        _write(folder / RESULT, result)
    return 0


def _end_with_parent() -> None:
    """Told to end by whoever started all, each puts away what it has; it does not outlive one that was killed."""
    leave_quietly()

    def watch() -> None:
        os.read(sys.stdin.fileno(), 1)  # nothing ever comes but the end
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _tell(step: int, steps: int, figures: Mapping[str, float]) -> None:
    sys.stdout.write(f"{PROGRESS}{json.dumps([step, steps, dict(figures)])}\n")
    sys.stdout.flush()


def _write(path: Path, value: object) -> None:
    """Whole or not at all; of several failures the first, from which the others follow."""
    partial = path.with_name(f"{path.name}.{os.environ['RANK']}")
    partial.write_bytes(pickle.dumps(value))
    with suppress(FileExistsError):
        path.hardlink_to(partial)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
