"""Known shares are recovered from realised liquidations where the data identify them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from _helpers.scoring_market import walk
from liqmap import InputError
from liqmap.positions.engine.calibrated_recipe import CalibratedRecipe
from liqmap.score.engine_predictions import predict_with_engine
from liqmap.score.stats.em_fit import bootstrap_interval, fit_shares

# Leverage 3x … 100x as distances, and the shares of the flow to recover.
DISTANCES = (0.33, 0.196, 0.0965, 0.0462, 0.0161, 0.0060)
TRUTH = np.array([0.30, 0.30, 0.20, 0.12, 0.05, 0.03])


def predicted(days: int, seed: int) -> np.ndarray:
    """Predicted USD (millions) of longs per unit of share and hour, from the cohort engine."""
    bars = walk(24 * days, seed=seed)
    kernel = CalibratedRecipe.uniform(1e-3, DISTANCES)
    swept = predict_with_engine(kernel.engine_bars(bars, instrument="sim:BTC"), kernel.rows(), kernel.step)
    return (swept.existing + swept.opened)[:, 0] / 1e-3 / 1e6


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_known_shares_are_recovered_from_a_year(seed: int) -> None:
    x = predicted(365, seed)
    random = np.random.default_rng(seed)
    # Over-dispersed: gamma noise whose variance is the mean times 0.2.
    y = random.gamma(np.maximum(x @ TRUTH, 1e-12) / 0.2, 0.2)
    found = fit_shares(x, y, np.ones(len(x)), prior=TRUTH[::-1].copy(), prior_periods=10)
    # From 20x on the data dominate even a reversed prior.
    assert found.brackets[3:] == pytest.approx(TRUTH[3:], rel=0.25)
    assert found.background == pytest.approx(0, abs=0.1 * y.mean())


def test_a_bracket_without_sweeps_keeps_its_prior() -> None:
    x = np.column_stack([np.zeros(50), np.random.default_rng(1).gamma(1, 1, 50)])
    found = fit_shares(x, 0.3 * x[:, 1], np.full(50, 1e-9), prior=np.array([4.0, 1.0]))
    assert found.brackets == pytest.approx([1.2, 0.3], rel=1e-4)
    assert found.prior_share[0] == 1
    assert found.prior_share[1] < 1


def test_the_fit_is_the_posterior_mode() -> None:
    random = np.random.default_rng(2)
    x, v = random.gamma(0.5, 1.0, (200, 3)), random.gamma(2.0, 0.5, 200)
    y = random.poisson(x @ [0.5, 0.1, 2.0] + 0.4 * v).astype(float)
    weight = 0.3 * x.sum(axis=0).mean()
    mode = y.sum() / x.sum()

    def loss(log: np.ndarray) -> float:
        theta = np.exp(log)
        mu = x @ theta[:3] + theta[3] * v
        return float(np.sum(mu - y * np.log(mu)) + np.sum(weight * (theta[:3] - mode * log[:3])))

    best = np.exp(minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-7}).x)
    found = fit_shares(x, y, v, prior_periods=60)
    assert [*found.brackets, found.background] == pytest.approx(best, rel=1e-3)


def test_the_interval_contains_the_truth_and_narrows_with_data() -> None:
    random = np.random.default_rng(4)
    widths = []
    for periods in (200, 3_200):
        x = random.gamma(0.5, 1.0, (periods, 2))
        y = random.gamma(np.maximum(x @ [0.5, 1.5], 1e-12), 1.0)
        bootstrap = bootstrap_interval(x, y, np.ones(periods), block=5, resamples=100, prior_periods=1)
        assert bootstrap.not_converged == 0
        low, middle, high = bootstrap.quantiles
        assert (low <= middle).all()
        assert (middle <= high).all()
        widths.append(high - low)
    assert ((low < [0.5, 1.5]) & (high > [0.5, 1.5])).all()
    assert (widths[1] < 0.5 * widths[0]).all()


@pytest.mark.parametrize("bad", [np.nan, -1.0, np.inf])
def test_an_invalid_input_is_named_in_the_error(bad: float) -> None:
    x = np.ones((3, 1))
    with pytest.raises(InputError, match="realised"):
        fit_shares(x, np.array([1.0, bad, 1.0]), np.ones(3))


def test_a_fit_reports_whether_it_converged() -> None:
    random = np.random.default_rng(2)
    x = random.gamma(0.5, 1.0, (200, 3))
    y = random.poisson(x @ [0.5, 0.1, 2.0]).astype(float)
    full = fit_shares(x, y, np.ones(200))
    assert full.converged
    assert 1 < full.iterations < 20_000
    cut = fit_shares(x, y, np.ones(200), max_iterations=full.iterations - 1)
    assert (cut.converged, cut.iterations) == (False, full.iterations - 1)
    bootstrap = bootstrap_interval(x, y, np.ones(200), block=5, resamples=10, max_iterations=1)
    assert bootstrap.not_converged == 10
