"""Amazon reviews, Books and Electronics, from a local copy of an official release, else from the release's place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from r2rec_bench.core.config import Config
from r2rec_bench.core.errors import InputError, NoDataError
from r2rec_bench.core.paths import DATA_VARIABLE, cache_root, data_root
from r2rec_bench.core.store import ArtifactStore
from r2rec_bench.core.types import BoolArray
from r2rec_bench.data import store
from r2rec_bench.data.amazon import CodedLog, read_metadata, read_ratings, read_reviews
from r2rec_bench.data.assemble import assemble
from r2rec_bench.data.base import Dataset, Source, sources
from r2rec_bench.data.catalog import RawItems
from r2rec_bench.data.fetch import download
from r2rec_bench.data.kcore import k_core
from r2rec_bench.data.log import REPEATED, RawLog, first_of_pairs

LICENCE = "Amazon reviews, offered for research by McAuley Lab, UCSD; no licence was found. Do not pass them on."
NO_METADATA = "items that the metadata do not list, named by their id"

Release = Literal["2014", "2018", "2023"]
_HOST_2014 = "https://snap.stanford.edu/data/amazon/productGraph/categoryFiles"
_HOST_2018 = "https://mcauleylab.ucsd.edu/public_datasets/data/amazon_v2"
_HOST_2023 = "https://mcauleylab.ucsd.edu/public_datasets/data/amazon_2023"
# Interactions in order of preference: a published 5-core is far smaller than all reviews. {} is the category.
_INTERACTIONS: dict[Release, tuple[str, ...]] = {
    "2014": ("reviews_{}_5.json.gz", "ratings_{}.csv", "ratings_{}.csv.gz"),
    "2018": ("{}_5.json.gz", "{}.csv", "{}.csv.gz", "{}.json.gz"),
    "2023": ("{}.csv.gz", "{}.csv", "{}.jsonl.gz"),
}
_METADATA: dict[Release, str] = {"2014": "meta_{}.json.gz", "2018": "meta_{}.json.gz", "2023": "meta_{}.jsonl.gz"}
_ADDRESSES: dict[Release, tuple[str, str]] = {
    "2014": (f"{_HOST_2014}/reviews_{{}}_5.json.gz", f"{_HOST_2014}/meta_{{}}.json.gz"),
    "2018": (f"{_HOST_2018}/categoryFilesSmall/{{}}_5.json.gz", f"{_HOST_2018}/metaFiles2/meta_{{}}.json.gz"),
    "2023": (
        f"{_HOST_2023}/benchmark/5core/rating_only/{{}}.csv.gz",
        f"{_HOST_2023}/raw/meta_categories/meta_{{}}.jsonl.gz",
    ),
}


class AmazonConfig(Config):
    """Which release, and how much of it."""

    release: Release = "2018"
    """They are different data under one name: a result names its release."""
    core: Annotated[int, Field(ge=1, le=1000)] = 5
    """Every user and every item has at least so many interactions, repeated pairs counted once; 1 keeps all."""


class Amazon(Source):
    """What the categories share: where files are looked for (R2REC_DATA, the cache, the network) and how they are read.

    In R2REC_DATA or the cache, official files lie in a folder of the source's name, or of that name with `-RELEASE`.
    What was read is kept: a second time takes seconds.
    """

    config: AmazonConfig
    name: ClassVar[str]
    category: ClassVar[str]

    def load(self) -> Dataset:
        interactions, metadata = self._files()
        files = [
            (str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns) for file in (interactions, metadata)
        ]
        prepared = ArtifactStore(cache_root() / "artifacts").get(
            "prepared",
            {"source": self.name, **self.config.model_dump(), "files": files},
            (),
            ("r2rec_bench.data",),
            lambda out: store.write(self._read(interactions, metadata), out),
        )
        return store.read(prepared.path)

    def _files(self) -> tuple[Path, Path]:
        """The files of interactions and of metadata.

        Raises:
            NoDataError: they are nowhere, and cannot be fetched.
        """
        folders = self._folders()
        for folder in folders:
            names = [name.format(self.category) for name in _INTERACTIONS[self.config.release]]
            found = next((folder / name for name in names if (folder / name).is_file()), None)
            if found:
                metadata = folder / _METADATA[self.config.release].format(self.category)
                if not metadata.is_file():
                    raise NoDataError(f"data set '{self.name}': {found} lies there without {metadata.name}, its titles")
                return found, metadata
        return self._fetched(folders)

    def _folders(self) -> list[Path]:
        named = (f"{self.name}-{self.config.release}", self.name)
        return [root / name for root in (data_root(), cache_root() / "data") if root for name in named]

    def _fetched(self, looked: list[Path]) -> tuple[Path, Path]:
        folder = cache_root() / "data" / f"{self.name}-{self.config.release}"
        urls = [address.format(self.category) for address in _ADDRESSES[self.config.release]]
        fetched: list[Path] = []
        for url in urls:
            file, failure = download(url, folder)
            if file is None:
                tried = "\n".join(f"  {place}" for place in [*looked, failure])
                called = f"data set '{self.name}', release {self.config.release},"
                raise NoDataError(
                    f"{called} is nowhere to be had. Looked in:\n{tried}\n"
                    f"Download {' and '.join(urls)} by hand into a folder {self.name} and set {DATA_VARIABLE} to the "
                    "folder around it."
                )
            fetched.append(file)
        return fetched[0], fetched[1]

    def _read(self, interactions: Path, metadata: Path) -> Dataset:
        import pandas as pd  # a listing of sources does not need it

        log = read_ratings(interactions) if ".csv" in interactions.suffixes else read_reviews(interactions)
        drops: dict[str, int] = {}
        for reason, rule in {REPEATED: _first_of_pairs, self._core_reason: self._in_core}.items():
            keep = rule(log)
            log, left_out = log.select(keep), int((~keep).sum())
            drops |= {reason: left_out} if left_out else {}
        if not len(log.user):
            raise InputError(f"{interactions}: no user and item has {self.config.core} interactions; lower `core`")
        wanted = set(log.item_ids[np.bincount(log.item, minlength=len(log.item_ids)) > 0].tolist())
        listed = read_metadata(metadata, wanted)
        unlisted = sorted(wanted - listed.titles.keys())
        catalog = RawItems(listed.file, listed.titles | dict.fromkeys(unlisted, ""), listed.attributes)
        users = pd.Categorical.from_codes(log.user, log.user_ids)
        items = pd.Categorical.from_codes(log.item, log.item_ids)
        raw = RawLog(str(interactions), users, items, log.rating, log.time, ratings_required=True)
        del log  # raw has all of it
        made = assemble(f"{self.name}-{self.config.release}", raw, catalog, licence=LICENCE, origin=str(interactions))
        drops |= {NO_METADATA: len(unlisted)} if unlisted else {}
        return replace(made, drops=drops | made.drops)

    @property
    def _core_reason(self) -> str:
        return f"interactions outside the {self.config.core}-core"

    def _in_core(self, log: CodedLog) -> BoolArray:
        return k_core(log.user, log.item, self.config.core)


def _first_of_pairs(log: CodedLog) -> BoolArray:
    """Which rows, bool (n,), are the earliest of their (user, item) pair; file order breaks ties."""
    by_user = np.lexsort((log.time, log.user))  # stable
    keep = np.empty(len(by_user), dtype=np.bool_)
    keep[by_user] = first_of_pairs(log.user[by_user], log.item[by_user], len(log.item_ids))
    return keep


@sources.register("amazon-books")
class AmazonBooks(Amazon):
    """Amazon Book: reviews of books with titles, release 2014, 2018 or 2023.

    Source: McAuley et al., SIGIR 2015 (2014); Ni et al., EMNLP 2019 (2018); Hou et al., arXiv 2403.03952 (2023).
    """

    name = "amazon-books"
    category = "Books"


@sources.register("amazon-electronics")
class AmazonElectronics(Amazon):
    """Amazon Electronics: reviews of electronics with titles and brands, release 2014, 2018 or 2023.

    Source: McAuley et al., SIGIR 2015 (2014); Ni et al., EMNLP 2019 (2018); Hou et al., arXiv 2403.03952 (2023).
    """

    name = "amazon-electronics"
    category = "Electronics"
