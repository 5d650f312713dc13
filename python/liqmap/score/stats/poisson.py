"""Ridge Poisson regression of realised notional on log features, and the Poisson deviance.

A generalised linear model with log link, fitted by quasi-likelihood, so amounts need not be counts (McCullagh and
Nelder 1989, Generalized Linear Models, chapters 2, 6 and 9), with the ridge penalty of Hoerl and Kennard (1970).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.errors import InputError

if TYPE_CHECKING:
    from liqmap.history.queries import Floats

__all__ = ["MAX_ITERATIONS", "Regression", "fit_poisson", "poisson_deviance"]

RIDGE = 1e-2
"""Weight of the penalty, as a share of the realised total."""

MAX_ITERATIONS = 200
_TOLERANCE = 1e-10
"""Largest Newton step of a converged fit, in standardised weights."""


@dataclass(frozen=True, eq=False, slots=True)
class Regression:
    """``log expected = intercept + weights · features``.

    Attributes:
        intercept: Log of the notional at features of 0.
        weights: One per feature, in units of the unstandardised features.
        converged: Whether the last Newton step was below the tolerance.
        iterations: Number of Newton steps.
    """

    intercept: float
    weights: Floats
    converged: bool
    iterations: int

    def predict(self, features: Floats) -> Floats:
        """Expected notional, in the unit of the fitted amounts."""
        return np.asarray(np.exp(self.intercept + features @ self.weights), dtype=np.float64)


def poisson_deviance(realised: Floats, expected: Floats) -> Floats:
    """Poisson deviance of each period, ``2 (y ln(y/μ) − (y − μ))``, in the unit of ``realised``.

    Example:
        >>> poisson_deviance(np.array([0.0, 2.0]), np.array([1.0, 2.0])).tolist()
        [2.0, 0.0]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(realised > 0, realised * np.log(realised / expected), 0.0)
    return np.asarray(2 * (ratio - (realised - expected)), dtype=np.float64)


def fit_poisson(
    features: Floats, realised: Floats, *, ridge: float = RIDGE, max_iterations: int = MAX_ITERATIONS
) -> Regression:
    """Maximise the Poisson log-likelihood minus ``ridge · Σy · |w|² / 2``, with w on standardised features.

    The objective is concave, so the maximum is unique; with log features the weights are exponents. Newton's method
    with step halving.

    Args:
        features: Shape ``(periods, features)``.
        realised: Realised notional, shape ``(periods,)``.
        ridge: Weight of the penalty, as a share of the realised total.
        max_iterations: Limit of Newton steps; ``converged`` of the result is false if it is reached.

    Raises:
        InputError: All realised values are 0, or a value is not finite.
    """
    if not (realised.sum() > 0 and np.isfinite(features).all() and np.isfinite(realised).all()):
        raise InputError(
            "score", "regression", "only zeros realised, or a missing value", "finite values, some above 0", "stopped"
        )
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-12
    a = np.column_stack([np.ones(len(features)), (features - mean) / spread])
    penalty = np.full(a.shape[1], ridge * realised.sum())
    penalty[0] = 0.0
    b = np.zeros(a.shape[1])
    b[0] = np.log(realised.mean())
    before = _loss(a, b, realised, penalty)
    converged, iterations = False, 0
    while not converged and iterations < max_iterations:
        expected = np.exp(a @ b)
        gradient = a.T @ (expected - realised) + penalty * b
        curvature = (a * expected[:, None]).T @ a + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        after = _loss(a, b - step, realised, penalty)
        while not after <= before and np.abs(step).max() > _TOLERANCE:
            step /= 2
            after = _loss(a, b - step, realised, penalty)
        b, before = b - step, after
        converged = bool(np.abs(step).max() <= _TOLERANCE)
        iterations += 1
    weights = b[1:] / spread
    return Regression(float(b[0] - mean @ weights), weights, converged, iterations)


def _loss(a: Floats, b: Floats, realised: Floats, penalty: Floats) -> float:
    with np.errstate(over="ignore"):
        linear = a @ b
        return float(np.exp(linear).sum() - realised @ linear + 0.5 * penalty @ b**2)
