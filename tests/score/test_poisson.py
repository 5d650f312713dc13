"""Poisson deviance against hand-computed values, and the regression against scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize

from liqmap import InputError
from liqmap.score.stats.bootstrap import bootstrap_counts, bootstrap_indices, gain_interval
from liqmap.score.stats.poisson import fit_poisson, poisson_deviance


def test_deviance_equals_hand_computed_values() -> None:
    expected = [2 * (3 * math.log(3 / 2) - 1), 2 * 2.0, 0.0, 2 * (math.log(0.1) + 9)]
    found = poisson_deviance(np.array([3.0, 0.0, 5.0, 1.0]), np.array([2.0, 2.0, 5.0, 10.0]))
    assert found == pytest.approx(expected, rel=1e-12)


def test_the_regression_maximises_the_penalised_likelihood() -> None:
    random = np.random.default_rng(5)
    x = random.normal(size=(300, 3)) * [1, 5, 0.1] + [0, 3, -2]
    y = random.poisson(np.exp(0.5 + x @ [0.4, -0.1, 2.0])).astype(float)
    ridge = 0.05
    mean, spread = x.mean(axis=0), x.std(axis=0)

    def loss(b: np.ndarray) -> float:
        linear = b[0] + (x - mean) / spread @ b[1:]
        return float(np.sum(np.exp(linear) - y * linear) + 0.5 * ridge * y.sum() * np.sum(b[1:] ** 2))

    best = minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-6})
    found = fit_poisson(x, y, ridge=ridge)
    assert found.weights == pytest.approx(best.x[1:] / spread, rel=1e-4)
    assert found.predict(x) == pytest.approx(np.exp(best.x[0] + (x - mean) / spread @ best.x[1:]), rel=1e-4)


def test_the_fitted_mean_equals_the_realised_mean_for_any_ridge() -> None:
    random = np.random.default_rng(6)
    x, y = random.normal(size=(100, 2)), random.gamma(0.3, 5.0, 100)
    for ridge in (1e-6, 1.0, 1e6):
        assert fit_poisson(x, y, ridge=ridge).predict(x).mean() == pytest.approx(y.mean(), rel=1e-6)


@pytest.mark.parametrize("y", [np.zeros(4), np.array([1.0, np.nan, 1.0, 1.0])])
def test_a_fit_without_liquidations_is_rejected(y: np.ndarray) -> None:
    with pytest.raises(InputError, match="only zeros realised"):
        fit_poisson(np.ones((4, 1)), y)


def test_bootstrap_blocks_keep_neighbours_together_and_are_circular() -> None:
    drawn = bootstrap_indices(50, 10, 2_000, seed=3)
    assert drawn.min() == 0
    assert drawn.max() == 49
    follows = (np.diff(drawn, axis=1) % 50 == 1).mean()
    assert follows == pytest.approx(1 - 1 / 10 + 1 / 10 / 50, abs=0.005)
    assert (bootstrap_counts(50, 10, 100, seed=3).sum(axis=1) == 50).all()


def test_the_gain_interval_is_a_point_for_proportional_losses() -> None:
    base = np.random.default_rng(1).gamma(1.0, 1.0, 200)
    assert gain_interval(0.7 * base, base, block=24) == pytest.approx((0.3, 0.3), abs=1e-12)


def test_a_regression_reports_whether_it_converged() -> None:
    random = np.random.default_rng(7)
    x = random.normal(size=(100, 2))
    y = random.poisson(np.exp(0.5 + x @ [0.4, 1.0])).astype(float)
    full = fit_poisson(x, y)
    assert full.converged
    assert 1 < full.iterations < 200
    cut = fit_poisson(x, y, max_iterations=1)
    assert (cut.converged, cut.iterations) == (False, 1)
