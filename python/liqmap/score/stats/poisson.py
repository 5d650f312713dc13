"""Ridge Poisson regression of realised notional on log features, and its deviance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.errors import InputError

if TYPE_CHECKING:
    from liqmap.history.queries import Floats

__all__ = ["Regression", "deviance", "fit"]

RIDGE = 1e-2
"""Weight of the penalty, as a share of what is explained."""

_STEPS = 200
_TOLERANCE = 1e-10


@dataclass(frozen=True, eq=False, slots=True)
class Regression:
    """``log expected = intercept + weights · features``."""

    intercept: float
    weights: Floats

    def predict(self, features: Floats) -> Floats:
        """Expected notional, in the unit it was fitted in."""
        return np.asarray(np.exp(self.intercept + features @ self.weights), dtype=np.float64)


def deviance(realised: Floats, expected: Floats) -> Floats:
    """Poisson deviance of each period, ``2 (y ln(y/μ) − (y − μ))``: quasi-likelihood, in the unit of ``realised``.

    Example:
        >>> deviance(np.array([0.0, 2.0]), np.array([1.0, 2.0])).tolist()
        [2.0, 0.0]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(realised > 0, realised * np.log(realised / expected), 0.0)
    return np.asarray(2 * (ratio - (realised - expected)), dtype=np.float64)


def fit(features: Floats, realised: Floats, *, ridge: float = RIDGE) -> Regression:
    """Maximise the Poisson likelihood less ``ridge · Σy · |w|² / 2``, w on standardised features.

    The model is a concave link: with log features, weights are exponents. Newton steps, halved until they gain.

    Raises:
        InputError: Nothing was realised, or a value is not finite.
    """
    if not (realised.sum() > 0 and np.isfinite(features).all() and np.isfinite(realised).all()):
        raise InputError("score", "regression", "nothing realised, or a gap", "finite values, some above 0", "stopped")
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-12
    a = np.column_stack([np.ones(len(features)), (features - mean) / spread])
    penalty = np.full(a.shape[1], ridge * realised.sum())
    penalty[0] = 0.0
    b = np.zeros(a.shape[1])
    b[0] = np.log(realised.mean())
    before = _loss(a, b, realised, penalty)
    for _ in range(_STEPS):
        expected = np.exp(a @ b)
        gradient = a.T @ (expected - realised) + penalty * b
        curvature = (a * expected[:, None]).T @ a + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        after = _loss(a, b - step, realised, penalty)
        while not after <= before and np.abs(step).max() > _TOLERANCE:
            step /= 2
            after = _loss(a, b - step, realised, penalty)
        b, before = b - step, after
        if np.abs(step).max() <= _TOLERANCE:
            break
    weights = b[1:] / spread
    return Regression(float(b[0] - mean @ weights), weights)


def _loss(a: Floats, b: Floats, realised: Floats, penalty: Floats) -> float:
    with np.errstate(over="ignore"):
        linear = a @ b
        return float(np.exp(linear).sum() - realised @ linear + 0.5 * penalty @ b**2)
