"""How much of each bracket is really liquidated: expectation–maximisation with a Gamma prior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.errors import InputError
from liqmap.score.stats.bootstrap import counts

if TYPE_CHECKING:
    from liqmap.history.queries import Floats

__all__ = ["Shares", "em", "interval"]

PRIOR_HOURS = 504.0
"""The prior weighs as much as three weeks of what an average bracket is exposed to."""

_STEPS = 20_000
_TOLERANCE = 1e-7


@dataclass(frozen=True, eq=False, slots=True)
class Shares:
    """What was found.

    Attributes:
        brackets: θ, the share of each bracket's predicted notional that is realised (share × survival: the two are
            confounded, only their product means something).
        background: b, what is realised per unit of background, whatever the levels.
        prior_share: How much of each bracket's θ is the prior's word, 0 to 1: its weight over its weight and exposure.
    """

    brackets: Floats
    background: float
    prior_share: Floats

    def expected(self, swept: Floats, background: Floats) -> Floats:
        """``μ = Σ θ X + b V``, in the unit of ``swept``."""
        return np.asarray(swept @ self.brackets + self.background * background, dtype=np.float64)


def em(
    swept: Floats,
    realised: Floats,
    background: Floats,
    *,
    prior: Floats | None = None,
    prior_periods: float = PRIOR_HOURS,
    times: Floats | None = None,
) -> Shares:
    """Fit ``realised ~ Σ θ · swept + b · background`` by MAP-EM, which never leaves θ ≥ 0 and never loses likelihood.

        θ ← ((a − 1) + θ Σ X Y / μ) / (b + Σ X)        prior Gamma(a, b), its mode at ``prior``

    Args:
        swept: Predicted notional X per unit of share, shape ``(periods, brackets)``.
        realised: Y, shape ``(periods,)``, in the unit of ``swept``.
        background: V, what is liquidated wherever price goes; above 0. It has no prior.
        prior: Relative size of the shares the prior expects, shape ``(brackets,)``; they are scaled to explain the
            total. The same for all brackets if left out.
        prior_periods: Weight of the prior, in periods of a bracket's average exposure.
        times: How often each period counts (for the bootstrap); once if left out.

    Raises:
        InputError: Nothing was swept, or a value is negative or not finite.
    """
    for name, values in (("swept", swept), ("realised", realised), ("background", background)):
        if not (np.isfinite(values).all() and (values >= 0).all() and values.sum() > 0):
            raise InputError(
                "calibrate", name, "a value below 0, a gap, or nothing but 0", "finite, 0 or above", "stopped"
            )
    x = np.column_stack([swept, background])
    y = realised
    if times is not None:
        seen = times > 0
        x, y = x[seen] * times[seen, None], y[seen] * times[seen]
    exposure = x.sum(axis=0)
    shape = np.ones(swept.shape[1]) if prior is None else prior
    mode = shape * realised.sum() / (swept @ shape).sum()
    weight = np.append(np.full(swept.shape[1], prior_periods / len(realised) * exposure[:-1].mean()), 0.0)
    start = np.append(mode, 0.1 * y.sum() / exposure[-1])
    held = weight * start
    theta = np.maximum(start, 1e-300)
    for _ in range(_STEPS):
        expected = x @ theta
        ratio = np.divide(y, expected, out=np.zeros_like(y), where=expected > 0)
        found = (held + theta * (ratio @ x)) / (weight + exposure)
        moved = np.abs(found - theta).max() > _TOLERANCE * theta.max()
        theta = found
        if not moved:
            break
    return Shares(theta[:-1], float(theta[-1]), (weight / (weight + exposure))[:-1])


def interval(
    swept: Floats,
    realised: Floats,
    background: Floats,
    *,
    block: float,
    resamples: int = 200,
    seed: int = 1,
    **options: Floats | float | None,
) -> Floats:
    """5 %, 50 % and 95 % of θ over a stationary block bootstrap of the periods, shape ``(3, brackets)``.

    Args:
        swept: As in :func:`em`.
        realised: As in :func:`em`.
        background: As in :func:`em`.
        block: Mean length of a block, in periods (a day's worth).
        resamples: How many.
        seed: Of the generator.
        options: Passed on to :func:`em`.
    """
    times = counts(len(realised), block, resamples, seed)
    fits = [em(swept, realised, background, times=t, **options).brackets for t in times]  # type: ignore[arg-type]
    return np.asarray(np.quantile(fits, [0.05, 0.5, 0.95], axis=0), dtype=np.float64)
