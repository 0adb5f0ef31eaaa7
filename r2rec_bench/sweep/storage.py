"""Where a study is kept: SQLite for one machine, PostgreSQL for many."""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from r2rec_bench.core.errors import InputError

if TYPE_CHECKING:
    from optuna import Study
    from optuna.pruners import BasePruner
    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial

HEARTBEAT_SECONDS = 60
"""A worker that has not been heard of for twice as long is dead."""
_ATTEMPTS, _PAUSE_SECONDS = 20, 0.25
"""To find the tables of an empty database made, when several workers start at once."""


def opened(
    name: str,
    storage: str,
    direction: Literal["maximize", "minimize"],
    pruner: BasePruner,
    stale: Callable[[Study, FrozenTrial], None],
) -> Study:
    """The study of this name, new if there is none.

    Args:
        name: of the study.
        storage: an SQLAlchemy address.
        direction: of its objective.
        pruner: ends trials early.
        stale: called with a trial, by then failed, whose worker has not been heard of.

    Raises:
        InputError: the storage cannot be used.
    """
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        kept = _kept(storage, stale)
        return optuna.create_study(
            study_name=name, storage=kept, direction=direction, pruner=pruner, load_if_exists=True
        )
    except (SQLAlchemyError, ImportError) as error:
        told = str(error).splitlines()[0]
        raise InputError(
            f"storage {shown(storage)}: {told}. Expected an address like sqlite:///sweep.sqlite or "
            "postgresql://user@host/database"
        ) from None


def _kept(storage: str, stale: Callable[[Study, FrozenTrial], None]) -> RDBStorage:
    from optuna.storages import RDBStorage
    from sqlalchemy.exc import IntegrityError, ProgrammingError

    address = storage.replace("postgresql://", "postgresql+psycopg://", 1)  # the driver that comes with us
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with calm():
                return RDBStorage(address, heartbeat_interval=HEARTBEAT_SECONDS, heartbeat_stale_trial_callback=stale)
        except (IntegrityError, ProgrammingError):  # another worker makes the tables at this moment
            if attempt == _ATTEMPTS:
                raise
            time.sleep(_PAUSE_SECONDS)
    raise AssertionError("the last attempt returns or raises")


def shown(storage: str) -> str:
    """A storage's address without its password."""
    return re.sub(r"(://[^:/@]*):[^@/]*@", r"\1:***@", storage)


@contextmanager
def calm() -> Generator[None]:
    """Without the warning that heartbeats are new, which Optuna gives since its version 2."""
    from optuna.exceptions import ExperimentalWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        yield
