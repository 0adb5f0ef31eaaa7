"""A stage in several processes, started by Accelerate; the rest of the pipeline stays in one.

The stage and what it reads are pickled into a folder, every process runs the same stage on them, and the first one
writes the checkpoint and the result. What a process learns from a batch is its share of it: an update is made from as
many examples as in one process, in the same order.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Any, Literal

from pydantic import model_validator

from r2rec_bench.core.config import Config
from r2rec_bench.core.errors import InputError, R2RecError
from r2rec_bench.core.texts import Trace
from r2rec_bench.llm.base import Checkpoint
from r2rec_bench.training.base import Report, Stage, StageContext, StageResult

if TYPE_CHECKING:
    from accelerate.commands.config.config_args import ClusterConfig

JOB, RESULT, FAILURE, ERRORS = "job.pickle", "result.pickle", "failure.pickle", "errors.txt"
PROGRESS = "r2rec-progress "
"""Begins the lines on which the first process says how far it is."""
_PROCESS = "r2rec_bench.training.process"
_KINDS = ("MULTI_CPU", "MULTI_GPU", "FSDP")
_SHOWN_LINES = 8
_ELSEWHERE = ("main_process_ip", "main_process_port", "debug")
"""Keys of a configuration that decide no result."""


class Launch(Config):
    """The processes that a stage is trained in; `accelerate:FILE` for short."""

    use: Literal["accelerate"]
    config: Path | None = None
    """As `accelerate config` writes it, e.g. one of experiments/launch; null for the user's own, which that command
    keeps."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        use, _, file = value.partition(":")
        return {"use": use, "config": file or None}

    def recipe(self) -> dict[str, Any]:
        """What decides a result: sums over several processes round otherwise, and rollouts are drawn otherwise."""
        settings = self.cluster().to_dict()
        return {key: value for key, value in settings.items() if key not in _ELSEWHERE}

    def cluster(self) -> ClusterConfig:
        """Accelerate's configuration.

        Raises:
            InputError: there is none, Accelerate does not read it, or it is not for processes of one machine.
        """
        try:
            from accelerate.commands.config import config_args
        except ImportError:
            raise InputError("launch: training needs torch and Accelerate: pip install 'r2rec-bench[train]'") from None

        path = self.config or Path(config_args.default_config_file)
        if not path.is_file():
            advice = (
                "see experiments/launch" if self.config else "name one (accelerate:FILE), or run `accelerate config`"
            )
            raise InputError(f"launch: no file {path}; {advice}")
        try:
            read = config_args.load_config_from_file(str(path))
        except Exception as error:  # YAML's, and whatever Accelerate raises for keys and values it does not know
            raise InputError(f"launch: Accelerate does not read {path}: {error}") from error
        kind = str(getattr(read.distributed_type, "value", read.distributed_type))
        if not isinstance(read, config_args.ClusterConfig) or kind not in _KINDS:
            raise InputError(f"launch: {path}: distributed_type is {kind}; expected one of {', '.join(_KINDS)}")
        if read.num_machines > 1:
            raise InputError(f"launch: {path}: num_machines is {read.num_machines}; a stage is trained on one machine")
        if read.num_processes < 2:
            raise InputError(f"launch: {path}: num_processes is {read.num_processes}; expected at least 2")
        return read


@dataclass(frozen=True, slots=True)
class LaunchedJob:
    """What every process is to do: run the stage on these."""

    stage: Stage
    start: Checkpoint
    traces: Sequence[Trace]
    out: Path
    context: StageContext


def launched(
    launch: Launch, stage: Stage, start: Checkpoint, traces: Sequence[Trace], out: Path, context: StageContext
) -> StageResult:
    """As `stage.run`, but in the processes that `launch` says.

    Raises:
        R2RecError: what the stage raised in any of them; or one of them was ended by the system.
    """
    with TemporaryDirectory(prefix="r2rec-launch-") as name:
        folder = Path(name)
        silent = replace(context, report=unheard)
        (folder / JOB).write_bytes(pickle.dumps(LaunchedJob(stage, start, traces, out.absolute(), silent)))
        with (folder / ERRORS).open("w", encoding="utf-8") as errors:
            code = _followed(*_command(launch, folder), errors, context.report)
        for file in (folder / FAILURE, folder / RESULT):
            if file.exists():
                found: R2RecError | StageResult = pickle.loads(file.read_bytes())  # noqa: S301 — written just now
                if isinstance(found, R2RecError):
                    raise found
                return found
        said = (folder / ERRORS).read_text("utf-8").strip().splitlines()
    raise R2RecError(
        "\n".join([f"launch: the processes ended with exit code {code}; the last they said:", *said[-_SHOWN_LINES:]])
    )


def unheard(step: int, steps: int, figures: Mapping[str, float]) -> None:
    """Progress that nobody is told of."""


def _command(launch: Launch, folder: Path) -> tuple[list[str], dict[str, str]]:
    """What to execute, and in which environment."""
    cluster = launch.cluster()
    # Plug-ins and the package are found where this process found them.
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "TOKENIZERS_PARALLELISM": "false",
    }
    work = ["-m", _PROCESS, str(folder)]
    if str(getattr(cluster.distributed_type, "value", "")) == "MULTI_CPU":
        # On processors Accelerate starts processes through MPI alone; torch does so by itself, and they meet by gloo.
        hidden = {"CUDA_VISIBLE_DEVICES": "", "ACCELERATE_USE_CPU": "true"}
        start = ["torch.distributed.run", "--standalone", f"--nproc-per-node={cluster.num_processes}"]
        return [sys.executable, "-m", *start, *work], environment | hidden
    named = ["--config_file", str(launch.config)] if launch.config else []
    return [sys.executable, "-m", "accelerate.commands.launch", *named, *work], environment


def _followed(command: Sequence[str], environment: Mapping[str, str], errors: IO[str], report: Report) -> int:
    """Executes a command, passes on the progress it prints, and gives its exit code."""
    with subprocess.Popen(  # noqa: S603 — our own interpreter
        command,
        env=environment,
        stdin=subprocess.PIPE,  # closed when we are no more, by which they see it
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        encoding="utf-8",
        start_new_session=True,  # a signal is ours to pass on, once
    ) as process:
        try:
            for line in process.stdout or ():
                if line.startswith(PROGRESS):
                    step, steps, figures = json.loads(line.removeprefix(PROGRESS))
                    report(step, steps, figures)
        except BaseException:
            process.terminate()  # it ends the processes that it has started, which first put away what they have
            for _ in process.stdout or ():
                pass  # said until then; to close either pipe before would end them at once
            raise
    return process.returncode
