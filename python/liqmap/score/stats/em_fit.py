"""Maximum a posteriori fit of non-negative shares to Poisson-like amounts, by expectation–maximisation.

The model is ``E[Y] = Σ θ X + b V`` with independent Gamma priors on θ. The EM update is the multiplicative one of
Shepp and Vardi (1982, IEEE Transactions on Medical Imaging 1, 113–122) for Poisson regression with an identity link;
the Gamma prior adds its parameters to numerator and denominator (Dempster, Laird and Rubin 1977, JRSS B 39, 1–38).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.errors import InputError
from liqmap.score.stats.bootstrap import bootstrap_counts

if TYPE_CHECKING:
    from liqmap.history.queries import Floats

__all__ = ["MAX_ITERATIONS", "PRIOR_HOURS", "BootstrapQuantiles", "FittedShares", "bootstrap_interval", "fit_shares"]

PRIOR_HOURS = 504.0
"""Weight of the prior: three weeks of the exposure of an average bracket."""

MAX_ITERATIONS = 20_000
"""EM converges linearly; collinear brackets take thousands of iterations."""
_TOLERANCE = 1e-7
"""Largest change of a share in the last iteration, relative to the largest share."""


@dataclass(frozen=True, eq=False, slots=True)
class FittedShares:
    """Result of :func:`fit_shares`.

    Attributes:
        brackets: θ, the share of each bracket's predicted notional that is realised, shape ``(brackets,)``. It is the
            product of the share opened and the share that survives; the two are not identified separately.
        background: b, realised notional per unit of background, independent of the levels.
        prior_share: Influence of the prior on each θ, 0 to 1: its weight divided by the sum of weight and exposure.
        converged: Whether the shares changed by less than the tolerance in the last iteration.
        iterations: Number of EM iterations.
    """

    brackets: Floats
    background: float
    prior_share: Floats
    converged: bool
    iterations: int

    def expected(self, swept: Floats, background: Floats) -> Floats:
        """Expected notional ``μ = Σ θ X + b V``, in the unit of ``swept``."""
        return np.asarray(swept @ self.brackets + self.background * background, dtype=np.float64)


def fit_shares(
    swept: Floats,
    realised: Floats,
    background: Floats,
    *,
    prior: Floats | None = None,
    prior_periods: float = PRIOR_HOURS,
    times: Floats | None = None,
    max_iterations: int = MAX_ITERATIONS,
) -> FittedShares:
    """Fit ``realised ~ Σ θ · swept + b · background`` by MAP-EM; θ stays ≥ 0 and the posterior never decreases.

        θ ← ((α − 1) + θ Σ X Y / μ) / (β + Σ X)        prior Gamma(α, β) with its mode at ``prior``

    Args:
        swept: Predicted notional X per unit of share, shape ``(periods, brackets)``.
        realised: Realised notional Y, shape ``(periods,)``, in the unit of ``swept``.
        background: V, exposure to liquidations that do not depend on the levels; not all 0. It has no prior.
        prior: Relative sizes of the shares at the mode of the prior, shape ``(brackets,)``, scaled to explain the
            total; equal for all brackets by default.
        prior_periods: Weight of the prior, in periods of a bracket's average exposure.
        times: Number of times each period counts (for the bootstrap); once by default.
        max_iterations: Limit of EM iterations; ``converged`` of the result is false if it is reached.

    Raises:
        InputError: An input is all 0, negative or not finite.
    """
    for name, values in (("swept", swept), ("realised", realised), ("background", background)):
        if not (np.isfinite(values).all() and (values >= 0).all() and values.sum() > 0):
            raise InputError(
                "calibrate", name, "a value below 0, a missing value, or only zeros", "finite, 0 or above", "stopped"
            )
    x = np.column_stack([swept, background])
    y = realised
    if times is not None:
        drawn = times > 0
        x, y = x[drawn] * times[drawn, None], y[drawn] * times[drawn]
    exposure = x.sum(axis=0)
    shape = np.ones(swept.shape[1]) if prior is None else prior
    mode = shape * realised.sum() / (swept @ shape).sum()
    weight = np.append(np.full(swept.shape[1], prior_periods / len(realised) * exposure[:-1].mean()), 0.0)
    start = np.append(mode, 0.1 * y.sum() / exposure[-1])
    pseudo_counts = weight * start
    theta = np.maximum(start, 1e-300)
    converged, iterations = False, 0
    while not converged and iterations < max_iterations:
        expected = x @ theta
        ratio = np.divide(y, expected, out=np.zeros_like(y), where=expected > 0)
        updated = (pseudo_counts + theta * (ratio @ x)) / (weight + exposure)
        converged = bool(np.abs(updated - theta).max() <= _TOLERANCE * theta.max())
        theta = updated
        iterations += 1
    prior_share = (weight / (weight + exposure))[:-1]
    return FittedShares(theta[:-1], float(theta[-1]), prior_share, converged, iterations)


@dataclass(frozen=True, eq=False, slots=True)
class BootstrapQuantiles:
    """Result of :func:`bootstrap_interval`.

    Attributes:
        quantiles: 5 %, 50 % and 95 % of θ, shape ``(3, brackets)``.
        not_converged: Number of resamples whose fit did not converge.
    """

    quantiles: Floats
    not_converged: int


def bootstrap_interval(
    swept: Floats,
    realised: Floats,
    background: Floats,
    *,
    block: float,
    resamples: int = 200,
    seed: int = 1,
    prior: Floats | None = None,
    prior_periods: float = PRIOR_HOURS,
    max_iterations: int = MAX_ITERATIONS,
) -> BootstrapQuantiles:
    """Percentile intervals of θ from a stationary block bootstrap of the periods.

    Args:
        swept: As in :func:`fit_shares`.
        realised: As in :func:`fit_shares`.
        background: As in :func:`fit_shares`.
        block: Mean block length, in periods (one day).
        resamples: Number of resamples.
        seed: Seed of the random generator.
        prior: As in :func:`fit_shares`.
        prior_periods: As in :func:`fit_shares`.
        max_iterations: Limit of EM iterations of each resample.
    """
    fits = [
        fit_shares(
            swept,
            realised,
            background,
            prior=prior,
            prior_periods=prior_periods,
            times=times,
            max_iterations=max_iterations,
        )
        for times in bootstrap_counts(len(realised), block, resamples, seed)
    ]
    quantiles = np.quantile([fit.brackets for fit in fits], [0.05, 0.5, 0.95], axis=0)
    return BootstrapQuantiles(np.asarray(quantiles, dtype=np.float64), sum(not fit.converged for fit in fits))
