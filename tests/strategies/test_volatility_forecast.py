"""The volatility forecast by hand, and the market conditions from bars."""

from __future__ import annotations

import math

import numpy as np
import pytest

from _helpers.hand_made_map import CALM, MARK, MILLION_PER_DOLLAR, hand_map, map_context
from liqmap._base.errors import InputError
from liqmap.history.queries import MarketBars
from liqmap.strategies.conditions import Conditions
from liqmap.strategies.context import MapContext
from liqmap.strategies.volatility_forecast import volatility_forecast
from liqmap.stress.touch_probability import ewma_volatility


def even(below: float, above: float) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """A density in $M per dollar within 10,000 on each side; at a depth of $1M per dollar it equals ρ."""
    return (90_000, 100_000, below * 1e10), (100_000, 110_000, above * 1e10)


def bars(close: list[float], *, interval_s: int = 300, half: float = 0.0) -> MarketBars:
    at = np.array(close)
    missing = np.full(at.size, np.nan)
    return MarketBars(
        "sim:HAND", "last", 1_780_272_000_000_000 + np.arange(at.size) * interval_s * 1_000_000, interval_s,
        at, at + half, at - half, at, missing, missing, missing, missing, np.full(at.size, -1),
    )  # fmt: skip


def test_the_forecast_is_the_ratio_of_amplifications() -> None:
    """ρ rises from 0.2 to 0.5: 1/(1−0.5) divided by 1/(1−0.2) is 1.6 on both sides."""
    result = volatility_forecast(map_context(*even(0.5, 0.5)), [hand_map(*even(0.2, 0.2))])
    for row in result.rows:
        assert row.ratio == pytest.approx(1.6)
        assert row.baseline == CALM.move(row.hours)
        assert row.forecast == pytest.approx(1.6 * row.baseline)
        assert (row.below, row.above) == pytest.approx((0.5, 0.5))
        assert not row.capped
    assert [row.hours for row in result.rows] == [4, 12, 24]


def test_sides_are_combined_by_root_mean_square() -> None:
    (row, *_) = volatility_forecast(map_context(*even(0.5, 0.0)), [hand_map(*even(0.0, 0.0))]).rows
    assert row.ratio == pytest.approx(math.sqrt((2**2 + 1) / 2))


def test_an_unchanged_map_gives_the_baseline() -> None:
    of = map_context(*even(0.7, 0.3))
    for row in volatility_forecast(of, [of.of, of.of]).rows:
        assert row.forecast == pytest.approx(row.baseline)


def test_a_calmer_map_forecasts_less() -> None:
    (row, *_) = volatility_forecast(map_context(*even(0.1, 0.1)), [hand_map(*even(0.4, 0.4))]).rows
    assert row.ratio == pytest.approx(0.6 / 0.9)


def test_without_past_maps_the_forecast_is_an_upper_bound() -> None:
    result = volatility_forecast(map_context(*even(0.5, 0.5)))
    assert result.rows[0].ratio == pytest.approx(2)
    assert result.limits[0].startswith("no past maps for comparison: an upper bound")


def test_a_map_denser_than_its_book_is_capped() -> None:
    (row, *_) = volatility_forecast(map_context(*even(3.0, 3.0))).rows
    assert row.capped
    assert row.ratio == pytest.approx(10)


def test_only_levels_within_one_standard_deviation_count() -> None:
    far = volatility_forecast(MapContext(hand_map((90_000, 90_400, 5e9)), MILLION_PER_DOLLAR, CALM)).rows
    assert [row.ratio for row in far] == [1, 1, 1]


def test_hourly_true_range_from_five_minute_bars() -> None:
    """Hours with a range of 24 around prices 100 apart: the true range includes the gap from the last close."""
    close = [1000.0 + 100 * (i // 12) for i in range(12 * 20)]
    found = Conditions.of_bars(bars(close, half=12.0))
    assert found.atr == pytest.approx(112)
    assert found.volatility == pytest.approx(ewma_volatility(np.array(close), 300))


def test_longer_bars_are_scaled_to_an_hour() -> None:
    assert Conditions.of_bars(bars([1000.0, 1001.0] * 10, interval_s=4 * 3600, half=50.0)).atr == pytest.approx(
        100.5 / 2, abs=0.3
    )


@pytest.mark.parametrize("close", [[], [1000.0], [1000.0] * 12])
def test_too_few_bars_are_rejected(close: list[float]) -> None:
    with pytest.raises(InputError, match="two hours of bars"):
        Conditions.of_bars(bars(close))


def test_a_constant_price_is_rejected() -> None:
    with pytest.raises(InputError, match=r"levels: volatility: 0\.0"):
        Conditions.of_bars(bars([MARK] * 48))


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_invalid_conditions_are_rejected(value: float) -> None:
    with pytest.raises(InputError, match="levels: volatility"):
        Conditions(volatility=value, atr=1.0)
    with pytest.raises(InputError, match="levels: atr"):
        Conditions(volatility=1.0, atr=value)
