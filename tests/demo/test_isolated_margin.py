"""The simulation's own margin formulas, compared with values computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from liqmap.demo.isolated_margin import MarginTable, contract_rules, liquidation_price

TIERS = MarginTable.of(contract_rules().tiers)


def price(side: int, size: float, entry: float, margin: float) -> float:
    column = np.array([1.0])
    return float(liquidation_price(np.array([side]), size * column, entry * column, margin * column, TIERS)[0])


@pytest.mark.parametrize(
    ("leverage", "long", "short"),
    [(10, -9.64, 9.56), (20, -4.62, 4.58), (50, -1.61, 1.59), (100, -0.60, 0.60)],
)
def test_distances_in_the_first_tier_equal_the_tabulated_ones(leverage: float, long: float, short: float) -> None:
    entry = 100_000.0
    assert 100 * (price(1, 1.0, entry, entry / leverage) / entry - 1) == pytest.approx(long, abs=0.005)
    assert 100 * (price(-1, 1.0, entry, entry / leverage) / entry - 1) == pytest.approx(short, abs=0.005)


def test_a_position_in_a_higher_tier_uses_the_rate_and_deduction_of_that_tier() -> None:
    # 20 coins long from 100,000 at 50x: 2 MUSD, third tier (0.65 %, deduction 800,000·0.0015 + 300 = 1,500):
    # (2,000,000 − 40,000 − 1,500) / (20·0.9935)
    assert price(1, 20.0, 100_000.0, 40_000.0) == pytest.approx(1_958_500 / 19.87, abs=1e-6)


def test_the_tier_follows_from_the_notional_at_the_liquidation_price() -> None:
    # A short of 2.98 coins is below the first tier's 300,000 USD at entry and above it at its liquidation price, so the
    # second tier applies: (298,000 + 29,800 + 300) / (2.98·1.005).
    assert price(-1, 2.98, 100_000.0, 29_800.0) == pytest.approx(328_100 / (2.98 * 1.005), abs=1e-6)


def test_equity_equals_maintenance_margin_at_the_liquidation_price() -> None:
    rng = np.random.default_rng(1)
    n = 20_000
    side = rng.choice([-1, 1], n)
    size, entry = np.exp(rng.normal(0, 3, n)), np.exp(rng.normal(11, 1, n))
    leverage = TIERS.cap_leverage(size * entry, rng.choice([2.0, 5, 10, 20, 50, 100, 125], n))
    margin = size * entry / leverage
    level = liquidation_price(side, size, entry, margin, TIERS)
    at_level = size * level
    tier = np.searchsorted(TIERS.cap[:-1], at_level)
    maintenance = at_level * TIERS.rate[tier] - TIERS.deduction[tier]
    equity = margin + side * size * (level - entry)
    np.testing.assert_allclose(equity, maintenance, atol=0, rtol=1e-6)


def test_a_position_that_no_price_liquidates_has_no_liquidation_price() -> None:
    assert np.isnan(price(1, 1.0, 100_000.0, 100_000.0))


def test_leverage_is_limited_to_the_maximum_of_the_tier() -> None:
    notional = np.array([300_000.0, 300_001.0, 5_000_000.0, 5e9])
    np.testing.assert_array_equal(TIERS.cap_leverage(notional, np.full(4, 125.0)), [125, 100, 50, 1])
