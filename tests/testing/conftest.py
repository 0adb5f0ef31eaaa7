"""What a broken component did to a world is for no other test."""

from collections.abc import Iterator

import pytest

from r2rec_bench.testing.worlds import moments, worlds
from tests.testing.breaking import CALLS


@pytest.fixture
def clean_worlds() -> Iterator[None]:
    """The worlds of the contracts, made anew for the next test."""
    CALLS.clear()
    yield
    worlds.cache_clear()
    moments.cache_clear()
