"""The parquet form: a folder with `interactions.parquet` and `items.parquet`.

Interactions: `user_id`, `item_id`, `timestamp` (seconds since 1970 UTC); `rating` (1 to 5) and `user_seq_pos` (the
true order within a user) where the source has them. Items: `item_id`, `title`; `genres` and `brand` where known.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.types import Float32Array, Int64Array
from r2rec_bench.data.catalog import RawItems
from r2rec_bench.data.log import RawLog, refuse

# pandas and pyarrow are imported where a file is read: a listing of sources does not need them.
if TYPE_CHECKING:
    import pandas as pd

INTERACTIONS = "interactions.parquet"
ITEMS = "items.parquet"
ATTRIBUTES = ("genres", "brand")


def is_parquet_form(folder: Path) -> bool:
    """Whether `folder` has interactions in the parquet form."""
    return (folder / INTERACTIONS).is_file()


def parquet_folders(root: Path) -> list[str]:
    """Names of the folders directly under `root` that are in the parquet form."""
    return sorted(folder.name for folder in root.iterdir() if is_parquet_form(folder)) if root.is_dir() else []


def read_interactions(folder: Path, *, ratings_required: bool = False) -> RawLog:
    """The interactions of `folder`, in file order.

    Raises:
        InputError: the file cannot be read, a column is missing or of another type, or a value is missing.
    """
    file = folder / INTERACTIONS
    frame = read_frame(file, ("user_id", "item_id", "timestamp", *(("rating",) if ratings_required else ())))
    return RawLog(
        file=str(file),
        user_id=_ids(file, frame, "user_id"),
        item_id=_ids(file, frame, "item_id"),
        rating=_ratings(file, frame) if "rating" in frame else np.full(len(frame), np.nan, dtype=np.float32),
        time=_integers(file, frame, "timestamp"),
        order=_integers(file, frame, "user_seq_pos") if "user_seq_pos" in frame else None,
        ratings_required=ratings_required,
    )


def read_items(folder: Path) -> RawItems:
    """Titles and attributes of `folder`; a missing title is an empty one.

    Raises:
        InputError: the file cannot be read, a column is missing, or an item is listed twice.
    """
    file = folder / ITEMS
    frame = read_frame(file, ("item_id", "title"))
    ids = _ids(file, frame, "item_id").astype(str)
    refuse(str(file), frame["item_id"].astype(str).duplicated().to_numpy(), "item", ids, "every item once")
    parts = zip(*(_texts(file, frame, name) for name in ATTRIBUTES), strict=True)
    attributes = ["; ".join(filter(None, of_item)).replace("|", ", ") for of_item in parts]
    return RawItems(
        str(file),
        dict(zip(ids.tolist(), _texts(file, frame, "title"), strict=True)),
        dict(zip(ids.tolist(), attributes, strict=True)),
    )


def read_frame(file: Path, required: tuple[str, ...]) -> pd.DataFrame:
    """The table in `file`.

    Raises:
        InputError: it cannot be read as parquet, or lacks a `required` column.
    """
    import pandas as pd
    import pyarrow as pa

    if not file.is_file():
        raise InputError(f"{file}: cannot be read as parquet: no such file")
    try:
        frame = pd.read_parquet(file)
        for name in frame.select_dtypes("string"):  # which are decoded when they are looked at, and not before
            pa.array(frame[name].array).validate(full=True)
    except Exception as error:  # of a damaged file pandas takes the metadata at its word, and may then raise anything
        raise InputError(f"{file}: cannot be read as parquet: {type(error).__name__}: {error}") from None
    missing = [name for name in required if name not in frame]
    if missing:
        raise InputError(f"{file}: no column {', '.join(missing)}; found: {', '.join(map(str, frame.columns))}")
    return frame


def _ids(file: Path, frame: pd.DataFrame, name: str) -> NDArray[Any]:
    from pandas.api.types import is_integer_dtype, is_string_dtype

    column = _complete(file, frame, name)
    if not (is_string_dtype(column) or is_integer_dtype(column)):
        raise InputError(f"{file}: column {name} is {column.dtype}; expected string")
    return column.to_numpy(dtype=object)


def _integers(file: Path, frame: pd.DataFrame, name: str) -> Int64Array:
    from pandas.api.types import is_integer_dtype

    column = _complete(file, frame, name)
    if not is_integer_dtype(column):
        raise InputError(f"{file}: column {name} is {column.dtype}; expected int64")
    return column.to_numpy(dtype=np.int64)


def _ratings(file: Path, frame: pd.DataFrame) -> Float32Array:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    column = frame["rating"]
    rates = is_numeric_dtype(column) and not is_bool_dtype(column)
    if not rates and column.notna().to_numpy().any():
        raise InputError(f"{file}: column rating is {column.dtype}; expected float32")
    return column.to_numpy(dtype=np.float32, na_value=np.nan)


def _complete(file: Path, frame: pd.DataFrame, name: str) -> pd.Series:
    import pandas as pd

    column = pd.Series(frame[name])
    refuse(str(file), column.isna().to_numpy(), name, column.to_numpy(dtype=object), "a value in every row")
    return column


def _texts(file: Path, frame: pd.DataFrame, name: str) -> list[str]:
    """The column as text, empty where it or a value of it is missing."""
    import pandas as pd

    if name not in frame:
        return [""] * len(frame)
    column = pd.Series(frame[name]).astype(object)
    if any(isinstance(value, bytes) for value in column):
        raise InputError(f"{file}: column {name} is bytes; expected string")
    return column.where(column.notna(), "").astype(str).tolist()
