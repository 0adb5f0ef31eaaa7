"""Jobs on a Ray cluster, or on one started here for the purpose.

The artifact store, and the folder that the command runs in, must be on storage that all machines of the cluster share,
with file locks that hold across them (NFS 4, Lustre with `flock`), and all must have the same packages installed. Each
worker looks before it begins.
"""

from __future__ import annotations

import math
import os
import socket
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

from filelock import FileLock, Timeout

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.fingerprint import code_digest
from r2rec_bench.core.registry import PLUGIN_GROUP
from r2rec_bench.executors.base import Ended, Job, done

ADDRESS = "RAY_ADDRESS"
_PREFIX = "R2REC_"
_STORE_BYTES = 100_000_000
"""Of Ray's own object store: results travel through the artifact store, so the least that Ray takes will do."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a worker must find as the command does.

    Attributes:
        folder: in which the command runs: paths in experiments are relative to it.
        path: where Python looks for modules.
        environment: the variables that are ours.
        lock: a file of the store, locked for as long as jobs are done.
        code: digest of the package and of all plug-ins.
    """

    folder: str
    path: tuple[str, ...]
    environment: Mapping[str, str]
    lock: Path
    code: str


class Ray:
    """So many at once, each with its share of the cluster's processors and GPUs.

    Args:
        root: the folder of the artifact store.
        workers: how many; without, one per GPU, or where there is none, one per machine. Where `RAY_ADDRESS` names no
            cluster, one is started here.
    """

    def __init__(self, root: Path, workers: int | None = None) -> None:
        self._root = root.absolute()
        self._workers = workers

    def run(self, jobs: Sequence[Job]) -> Iterator[Ended]:
        """As `Executor`; a job whose worker or machine dies fails alone, and is not tried again.

        Raises:
            InputError: Ray is not installed, the cluster is not there, or a worker does not find what it must.
        """
        with _connected() as ray, _place(self._root) as place:
            shares = shares_of([node["Resources"] for node in ray.nodes() if node["Alive"]], self._workers)
            task: Any = ray.remote(max_retries=0, **shares)(_do)
            pickled = [ray.cloudpickle.dumps(job.work) for job in jobs]  # what a plug-in is in can then be found first
            begun: dict[object, int] = {task.remote(place, index, work): index for index, work in enumerate(pickled)}
            open_ = list(begun)
            try:
                while open_:
                    (ready,), open_ = ray.wait(open_)
                    yield _ended(ready, begun[ready])
            finally:
                for reference in open_:
                    ray.cancel(reference, force=True)


def shares_of(machines: Sequence[Mapping[str, float]], workers: int | None) -> dict[str, float]:
    """What Ray is to reserve for each job: the most of which `workers` jobs, none spread over machines, fit at once.

    Args:
        machines: resources of each, by Ray's names.
        workers: how many; None for one per GPU, or where there is none, one per machine.
    """
    at_once = workers or int(sum(machine.get("GPU", 0.0) for machine in machines)) or len(machines)
    shares: dict[str, float] = {}
    for name in ("GPU", "CPU"):  # the processors beside its GPU
        parts = {_divided(machine.get(name, 0.0), count) for machine in machines for count in range(1, at_once + 1)}
        shares[name] = max(part for part in parts if _jobs({**shares, name: part}, machines) >= at_once)
    return {"num_cpus": shares["CPU"], "num_gpus": shares["GPU"]}


def _divided(amount: float, count: int) -> float:
    """Ray divides one processor or GPU, but gives several only whole."""
    share = amount / count
    return float(int(share)) if share > 1 else int(share * 1000) / 1000


def _jobs(shares: Mapping[str, float], machines: Sequence[Mapping[str, float]]) -> float:
    """How many jobs with these shares fit on the machines at once; as whole thousandths, which divide exactly."""
    asked = {name: round(share * 1000) for name, share in shares.items() if share}
    return sum(
        min((round(machine.get(name, 0.0) * 1000) // share for name, share in asked.items()), default=math.inf)
        for machine in machines
    )


def _ended(reference: object, index: int) -> Ended:
    ray, exceptions = _ray(), _ray("exceptions")
    try:
        return ray.get(reference)
    except exceptions.RayTaskError as error:
        # `done` tells what a job raises: this is from before it, and concerns all.
        cause = error.cause
        raise cause if isinstance(cause, InputError) else InputError(f"a worker of the cluster: {cause!r}") from error
    except exceptions.RayError as error:
        why = (str(error).strip().splitlines() or [""])[0]
        return Ended(index, 0.0, f"its worker ended, perhaps for want of memory; try fewer workers ({why})")


def _do(place: Place, index: int, work: bytes) -> Ended:
    """On the worker: looks whether all is there, then does the job."""
    _settle(place)
    job: Callable[[], None] = _ray("cloudpickle").loads(work)
    return done(index, job)


def _settle(place: Place) -> None:
    """Makes a worker like the command.

    Raises:
        InputError: it is not on shared storage, or its code is another.
    """
    here = f"the worker on {socket.gethostname()}"
    if not (Path(place.folder).is_dir() and place.lock.is_file()):
        missing = place.lock.parents[1] if Path(place.folder).is_dir() else place.folder
        raise InputError(
            f"{here} does not see {missing} of the machine that runs the command. On a cluster both the folder "
            "that it runs in and the artifact store (R2REC_CACHE) must be on storage that all machines share"
        )
    if _free(place.lock):
        raise InputError(
            f"{here} sees the artifact store {place.lock.parents[1]}, but not its file locks, and two machines could "
            "write the same artifact. Use a file system whose locks hold across machines (NFS 4, Lustre with flock)"
        )
    os.chdir(place.folder)
    sys.path += [entry for entry in place.path if entry not in sys.path]
    os.environ.update(place.environment)
    if _code() != place.code:
        raise InputError(
            f"{here} has other code than the machine that runs the command: r2rec_bench or a plug-in of another "
            "version. Install the same on all machines, or share one virtual environment"
        )


def _free(lock: Path) -> bool:
    """Whether somebody could have the lock, who must not."""
    try:
        with FileLock(lock, timeout=0):
            return True
    except Timeout:
        return False


def _code() -> str:
    plugins = {entry.value.partition(":")[0].partition(".")[0] for entry in entry_points(group=PLUGIN_GROUP)}
    return code_digest({"r2rec_bench", *plugins})


@contextmanager
def _place(root: Path) -> Generator[Place]:
    """This command's place, the store's lock held meanwhile."""
    lock = root / ".locks" / f"cluster-{uuid4().hex}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if name.startswith(_PREFIX)}
    try:
        with FileLock(lock):
            yield Place(str(Path.cwd()), tuple(sys.path), environment, lock, _code())
    finally:
        lock.unlink(missing_ok=True)


@contextmanager
def _connected() -> Generator[Any]:
    """Ray, connected to the cluster; to one of this machine's own where `RAY_ADDRESS` names none."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray = _ray()
    except ImportError:
        raise InputError("the executor 'ray' needs Ray: pip install 'r2rec-bench[ray]'") from None
    if ray.is_initialized():  # by whoever called, who also ends it
        yield ray
        return
    address = os.environ.get(ADDRESS)
    options: dict[str, Any] = {"logging_level": "error", "log_to_driver": False}
    if not address:
        options |= {"include_dashboard": False, "object_store_memory": _STORE_BYTES}
    try:
        ray.init(address or "local", **options)
    except Exception as error:  # of several kinds, plain ones among them
        ray.shutdown()
        where = f"the Ray cluster at {address} ({ADDRESS})" if address else "a Ray cluster on this machine"
        raise InputError(f"{where} cannot be had: {error}") from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _ray(part: str = "") -> ModuleType:
    # By name: where Ray is not installed, type checkers take `import ray` for this file.
    return import_module(f"ray.{part}" if part else "ray")
