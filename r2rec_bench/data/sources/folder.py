"""A user's own data: any folder under `R2REC_DATA` in the parquet form."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from r2rec_bench.core.config import Config
from r2rec_bench.core.errors import NoDataError
from r2rec_bench.core.paths import DATA_VARIABLE, data_root
from r2rec_bench.data.assemble import assemble
from r2rec_bench.data.base import Dataset, Source, sources
from r2rec_bench.data.parquet import INTERACTIONS, is_parquet_form, read_interactions, read_items

LICENCE = "not stated with the folder: ask its owner before passing anything on"


class FolderConfig(Config):
    """Which folder."""

    name: Annotated[str, Field(pattern=r"^\w[\w.-]*$")]
    """Name of a folder directly under `R2REC_DATA`."""


@sources.register("folder")
class Folder(Source):
    """The folder `name` under R2REC_DATA, in the parquet form."""

    config: FolderConfig

    def load(self) -> Dataset:
        return _load(self.config.name)


class NamedFolder(Source):
    """A folder under R2REC_DATA, in the parquet form, as a data set of its own name."""

    folder: ClassVar[str]

    def load(self) -> Dataset:
        return _load(self.folder)


def named_folder(name: str) -> type[NamedFolder]:
    """The source that stands for the folder `name`."""
    return type("NamedFolder", (NamedFolder,), {"folder": name, "__doc__": NamedFolder.__doc__})


def _load(name: str) -> Dataset:
    root = data_root()
    if root is None:
        raise NoDataError(f"data set '{name}': {DATA_VARIABLE} is not set; set it to the folder that contains {name}/")
    folder = root / name
    if not is_parquet_form(folder):
        raise NoDataError(f"data set '{name}': no {folder / INTERACTIONS}; expected the parquet form there")
    return assemble(name, read_interactions(folder), read_items(folder), licence=LICENCE, origin=str(folder))
