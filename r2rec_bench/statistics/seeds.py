"""Several seeds asked the same users: what the seeds add to the uncertainty of a mean.

Users and seeds are crossed: value = mean + user + seed + residual. A seed is not more users: what seeds differ by is
learnt from as many numbers as there are seeds, however many users each was asked about.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import root_scalar
from scipy.special import ndtri, stdtrit

from r2rec_bench.core.types import FloatArray


@dataclass(frozen=True, slots=True)
class SeedSpread:
    """How far seeds lie apart, and how to widen what is known from users alone.

    Attributes:
        n: seeds.
        sd: standard deviation between the seeds' means over users; NaN for one seed.
        own: share of the variance of users' means over seeds that is the users' own, the rest being residual, which
            the seeds' means share; in [0, 1], 1 for one seed, NaN for a single user.
    """

    n: int
    sd: float
    own: float

    def reach(self, users_reach: float, level: float) -> float:
        """Distance from the mean over users and seeds to an end of its interval.

        The users' own part of `users_reach` and t × the standard error of the seeds' means, in quadrature; never less
        than `users_reach`. Each holds its part at `level`, and so, for normal seeds, both hold the sum at least as
        often: the distribution of a squared normal is concave.

        Cautious where seeds are few: simulated (by the command that `simulation.GRID` states), 95 % intervals of
        differences hold the truth in 98 to 99.5 % of cases with two seeds, 96 to 99 % with three, 95 to 98 % with five,
        96 % with ten; most where seeds do not matter. Satterthwaite's degrees of freedom for the sum of the mean
        squares would make them narrower, but with two seeds that decide they hold it less often than they say.

        Args:
            users_reach: the same by users' means over seeds alone, at `level`.
            level: coverage, in (0, 1).

        Source: Banerjee, "Approximate confidence interval for linear functions of means of k populations when the
        population variances are not equal", Sankhyā 22, 1960; mean squares: Searle, Casella and McCulloch, "Variance
        Components", 1992, chapter 4; that seeds belong into a comparison: Bouthillier et al., "Accounting for variance
        in machine learning benchmarks", MLSys 2021.
        """
        if self.n == 1:
            return users_reach
        seeds_reach = float(stdtrit(self.n - 1, (1 + level) / 2)) * self.sd / math.sqrt(self.n)
        return max(users_reach, math.hypot(math.sqrt(self.own) * users_reach, seeds_reach))

    def error(self, users_error: float) -> float:
        """Standard error of the mean over users and seeds, at least the `users_error` of users' means over seeds."""
        if self.n == 1:
            return users_error
        return max(users_error, math.hypot(math.sqrt(self.own) * users_error, self.sd / math.sqrt(self.n)))

    def p_value(self, mean: float, users_p_value: float) -> float:
        """The p at which the interval of level 1 − p ends at 0, in [`users_p_value`, 1].

        Args:
            mean: over users and seeds.
            users_p_value: of users' means over seeds alone, in (0, 1].
        """
        if users_p_value == 1:
            return 1.0

        def excess(p: float) -> float:
            return self.reach(abs(mean) * float(ndtri(p / 2) / ndtri(users_p_value / 2)), 1 - p) - abs(mean)

        if excess(users_p_value) <= 0:
            return users_p_value
        return float(root_scalar(excess, bracket=(users_p_value, 1.0)).root)


ONE_SEED = SeedSpread(1, math.nan, 1.0)
"""What a single run says about seeds: nothing."""


def seed_spread(values: FloatArray) -> SeedSpread:
    """How far the seeds' means lie apart.

    Args:
        values: one per user, float64 (q,) or, by seed, (q, s); users with NaN under any seed are left out.
    """
    known = complete(values)
    n, seeds = known.shape
    if seeds == 1:
        return ONE_SEED
    if not n:
        return SeedSpread(seeds, math.nan, math.nan)
    users, means = known.mean(axis=1), known.mean(axis=0)
    sd = float(means.std(ddof=1))
    if n == 1:
        return SeedSpread(seeds, sd, math.nan)
    residual = known - users[:, None] - means + known.mean()
    # Both as variances of a user's mean over seeds: mean squares over the number of seeds.
    of_users, of_residual = users.var(ddof=1), (residual**2).sum() / ((n - 1) * (seeds - 1)) / seeds
    return SeedSpread(seeds, sd, max(0.0, 1 - float(of_residual / of_users)) if of_users > 0 else 0.0)


def complete(values: FloatArray) -> FloatArray:
    """Users with a value under every seed, float64 (n, s).

    Args:
        values: float64 (q,) or (q, s).
    """
    table = values[:, None] if values.ndim == 1 else values
    return table[~np.isnan(table).any(axis=1)]
