"""Components that break a rule of every family; all are chains."""

from typing import Annotated

import numpy as np
from pydantic import ConfigDict, Field, field_serializer

from r2rec_bench.chains.base import SamplerConfig
from r2rec_bench.chains.closed_uniform import ClosedUniform
from r2rec_bench.core.config import Tune
from tests.testing.broken.marks import breaks


class OpenConfig(SamplerConfig):
    model_config = ConfigDict(extra="allow")


class SilentConfig(SamplerConfig):
    knob: int = 3


class ForgetfulConfig(SamplerConfig):
    @field_serializer("n")
    def _one_more(self, n: int) -> int:
        return n + 1


class OutsideConfig(SamplerConfig):
    hops: Annotated[int, Field(ge=1), Tune(0, 8)] = 4
    """Documented."""


class BackwardsConfig(SamplerConfig):
    hops: Annotated[int, Field(ge=1), Tune(8, 2)] | None = None
    """Documented."""


@breaks("chains", "is_described", "no docstring", doc=None)
class Undescribed(ClosedUniform):
    pass


@breaks("chains", "is_described", "one sentence, then an empty line", doc="Two things. Not one.")
class Verbose(ClosedUniform):
    pass


@breaks("chains", "names_its_source", "no such line", doc="Broken on purpose.")
class Unsourced(ClosedUniform):
    pass


@breaks("chains", "settings_are_closed", "extra='allow'")
class Open(ClosedUniform):
    config: OpenConfig


@breaks("chains", "settings_are_explained", "nothing about knob")
class Silent(ClosedUniform):
    config: SilentConfig


@breaks("chains", "settings_survive_yaml", "written and read")
class Forgetful(ClosedUniform):
    config: ForgetfulConfig


@breaks("chains", "tuning_is_valid", "whose end 0 is refused: Input should be greater than or equal to 1")
class Outside(ClosedUniform):
    config: OutsideConfig


@breaks("chains", "tuning_is_valid", "low below high")
class Backwards(ClosedUniform):
    config: BackwardsConfig


@breaks("chains", "leaves_global_randomness_alone", "the global state of numpy.random moved")
class GloballyRandom(ClosedUniform):
    def weights(self, closures):
        return np.random.random(len(closures)) + 1


@breaks("chains", "weights_are_finite_and_not_negative", "KeyError: 'oops'")
class Failing(ClosedUniform):
    def weights(self, closures):
        raise KeyError("oops")
