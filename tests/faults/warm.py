"""Loaded by the server before it forks a run: what each run would else load, compile or look up anew.

No thread may be left behind, as threads do not survive a fork: nothing is trained here.
"""

import gc
import os
from pathlib import Path

import matplotlib.backends.backend_svg  # noqa: F401
import numpy as np

from r2rec_bench.chains.closed_uniform import ClosedUniform, ClosedUniformConfig
from r2rec_bench.core.types import Query, Visibility
from r2rec_bench.data.sources.synthetic import Synthetic, SyntheticConfig
from r2rec_bench.graph import InteractionGraph
from r2rec_bench.report.drawing import save

_world = Synthetic(SyntheticConfig(users=20, items=40, interactions=8)).load().log
_visible = InteractionGraph(_world, Visibility.FOLD).visible(Query(0, int(_world.time[4]), 4))
ClosedUniform(ClosedUniformConfig(evidence="bundle")).sample(_visible, 0, np.random.default_rng(0))
save(Path(os.devnull), (3, 3), lambda figure: figure.add_subplot().plot([0, 1]))
gc.freeze()  # what is loaded stays: runs need not look through it for what can be thrown away
