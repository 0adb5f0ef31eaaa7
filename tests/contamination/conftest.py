"""A made-up data set, and a model that has read nothing."""

import pytest

from r2rec_bench.data.base import Dataset
from r2rec_bench.llm.base import LoadOptions
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.testing.models import small_chat
from tests.contamination.memory import dataset


@pytest.fixture(scope="module")
def world() -> Dataset:
    return dataset(0)


@pytest.fixture(scope="module")
def untrained() -> LanguageModel:
    return LanguageModel.load(small_chat(), LoadOptions())
