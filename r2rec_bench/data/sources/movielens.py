"""MovieLens, from a local copy in any of its forms, else from its official place or a mirror."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar
from zipfile import Path as ZipPath

from r2rec_bench.core.errors import NoDataError
from r2rec_bench.core.paths import DATA_VARIABLE, cache_root, data_root
from r2rec_bench.data import parquet
from r2rec_bench.data.assemble import assemble
from r2rec_bench.data.base import Dataset, Source, sources
from r2rec_bench.data.fetch import Archive, fetch, open_archive
from r2rec_bench.data.movielens import FORM_1M, FORM_100K, Form, read_items, read_ratings

LICENCE = (
    "GroupLens: research use with acknowledgement; no redistribution and no commercial use without their permission."
)


# The second is the copy that recommenders-team/recommenders falls back on; the checksum makes it as good as the first.
HOSTS = (
    "https://files.grouplens.org/datasets/movielens",
    "https://huggingface.co/datasets/Recommenders/MovieLens/resolve/main",
)


def _archive(name: str, md5: str) -> Archive:
    return Archive(name, md5, tuple(f"{host}/{name}" for host in HOSTS))


class MovieLens(Source):
    """What the releases share: where they are looked for (R2REC_DATA, the cache, the network) and in which forms."""

    name: ClassVar[str]
    release: ClassVar[str]
    form: ClassVar[Form]
    archive: ClassVar[Archive]

    def load(self) -> Dataset:
        cache = cache_root() / "data"
        places = [place for root in (data_root(), cache) if root for place in self._places(root)]
        for place in places:
            dataset = self._read(place)
            if dataset:
                return dataset
        fetched, failures = fetch(self.archive, cache)
        if fetched:
            return self._read_archive(fetched)
        tried = "\n".join(f"  {place}" for place in [*places, *failures])
        raise NoDataError(
            f"data set '{self.name}' is nowhere to be had. Looked for:\n{tried}\n"
            f"Download {self.archive.urls[0]} by hand and set {DATA_VARIABLE} to the folder you put it in."
        )

    def _places(self, root: Path) -> list[Path]:
        """Where a copy may lie under `root`: a folder, as unpacked here or inside a folder of its name, or the zip."""
        folder = root / self.release
        return [folder, folder / self.release, folder / self.archive.name, root / self.archive.name]

    def _read(self, place: Path) -> Dataset | None:
        """The data set at `place`, none if there is nothing."""
        if parquet.is_parquet_form(place):
            raw = parquet.read_interactions(place, ratings_required=True)
            return assemble(self.name, raw, parquet.read_items(place), licence=LICENCE, origin=str(place))
        if (place / self.form.ratings).is_file():
            return self._read_official(place, str(place))
        return self._read_archive(place) if place.is_file() else None

    def _read_archive(self, path: Path) -> Dataset:
        inside = open_archive(path, self.archive) / self.release
        return self._read_official(inside, f"{path} (MD5 {self.archive.md5}, verified)")

    def _read_official(self, folder: Path | ZipPath, origin: str) -> Dataset:
        raw, items = read_ratings(folder, self.form), read_items(folder, self.form)
        return assemble(self.name, raw, items, licence=LICENCE, origin=origin)


@sources.register("movielens-1m")
class MovieLens1M(MovieLens):
    """MovieLens-1M: 6,040 users rated 3,706 films, 2000 to 2003."""

    name = "movielens-1m"
    release = "ml-1m"
    form = FORM_1M
    archive = _archive("ml-1m.zip", "c4d9eecfca2ab87c1945afe126590906")


@sources.register("movielens-100k")
class MovieLens100K(MovieLens):
    """MovieLens-100K: 943 users rated 1,682 films, 1997 to 1998."""

    name = "movielens-100k"
    release = "ml-100k"
    form = FORM_100K
    archive = _archive("ml-100k.zip", "0e33842e24a9c977be4e0107933c0723")
