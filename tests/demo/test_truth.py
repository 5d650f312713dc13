"""The comparison of a map with the true levels, checked against reference implementations."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.stats import spearmanr, wasserstein_distance

from liqmap._base.errors import InputError
from liqmap._base.grid import Grid
from liqmap._base.ledger import Ledger, SideLedger
from liqmap._base.provenance import Provenance
from liqmap.demo.truth import compare_with_truth, matched_share, rank_correlation, wasserstein_bp
from liqmap.maps.map import LiquidationMap

if TYPE_CHECKING:
    from liqmap.demo.open_positions import OpenPositions
    from liqmap.demo.simulate import Simulation

RNG = np.random.default_rng(5)


def masses(bins: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x = np.cumsum(RNG.uniform(1e-4, 2e-3, bins))
    a, b = (RNG.integers(0, 5, bins) * RNG.random(bins) for _ in range(2))
    a[0] += 1
    b[-1] += 1
    return x, a, b


def test_w1_and_rank_correlation_equal_those_of_scipy() -> None:
    for _ in range(200):
        x, a, b = masses(30)
        assert wasserstein_bp(x, a, b) == pytest.approx(1e4 * wasserstein_distance(x, x, a, b), rel=1e-9)
        filled = (a > 0) | (b > 0)
        assert rank_correlation(a, b) == pytest.approx(spearmanr(a[filled], b[filled]).statistic, abs=1e-12)


def test_matched_share_equals_the_optimum_of_a_linear_programme() -> None:
    for _ in range(40):
        x, a, b = masses(12)
        a, b = a / a.sum(), b / b.sum()
        near = np.abs(x[:, None] - x[None, :]) <= 25e-4
        pairs = np.argwhere(near)
        limits = np.zeros((24, len(pairs)))
        limits[pairs[:, 0], np.arange(len(pairs))] = 1
        limits[12 + pairs[:, 1], np.arange(len(pairs))] = 1
        best = linprog(-np.ones(len(pairs)), A_ub=limits, b_ub=np.concatenate([a, b]))
        assert matched_share(x, a, b, 25) == pytest.approx(-best.fun, abs=1e-9)


def test_an_empty_distribution_gives_nan() -> None:
    x, a, _ = masses(5)
    assert np.isnan(wasserstein_bp(x, a, np.zeros(5)))
    assert np.isnan(matched_share(x, np.zeros(5), a, 25))
    assert np.isnan(rank_correlation(np.zeros(5), np.zeros(5)))


def map_of(at: OpenPositions, shift: float = 1.0) -> LiquidationMap:
    """A map made of the true levels, with prices multiplied by a factor."""
    grid = Grid.around(at.mark_price, 0.1)
    sides = []
    for sign in (1, -1):
        chosen = (at.side == sign) & np.isfinite(at.liquidation_price)
        price = at.liquidation_price[chosen] * shift
        sides.append(np.histogram(price, grid.edges(), weights=price * at.lots[chosen] * 0.001)[0][None, :])
    empty = SideLedger(0.0, 0.0, 0.0, 0.0, 0.0)
    return LiquidationMap(
        instrument="sim:BTCUSDT",
        at=at.ts,
        mark_price=at.mark_price,
        open_interest=1.0,
        grid=grid,
        brackets=(10.0,),
        long=sides[0],
        short=sides[1],
        outside={"long": 0.0, "short": 0.0},
        ledger=Ledger(empty, empty),
        provenance=Provenance(version="0", simulated=True),
    )


def test_the_true_map_fits_exactly_and_a_shifted_map_fits_worse(record: Simulation) -> None:
    at = record.truth[-1]
    for fit in compare_with_truth(map_of(at), at):
        assert fit.true_usd == pytest.approx(fit.mapped_usd, rel=1e-12)
        assert fit.true_usd > 1e6
        assert fit.w1_bp == pytest.approx(0, abs=1e-6)
        assert fit.rank_correlation == pytest.approx(1)
        assert fit.within_25bp == pytest.approx(1)
    for near, far in zip(
        compare_with_truth(map_of(at, 1.001), at), compare_with_truth(map_of(at, 1.01), at), strict=True
    ):
        assert 1 < near.w1_bp < 20
        assert near.w1_bp < far.w1_bp
        assert near.within_25bp > far.within_25bp


def test_a_map_of_another_time_is_rejected(record: Simulation) -> None:
    at = record.truth[-1]
    with pytest.raises(InputError, match="not compared"):
        compare_with_truth(replace(map_of(at), at=at.ts + 1), at)
