"""Inputs of the cohort engine: hours, open interest and opening flow, derived from market bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from liqmap import _core
from liqmap._base.errors import NotFoundError
from liqmap.positions.engine.oi_quality import is_frozen, oi_warnings

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap.history.queries import MarketBars

    Column = npt.NDArray[np.float64]

__all__ = ["EngineBars", "FlowParameters", "engine_bars", "forward_fill", "taker_imbalance"]

_US_PER_HOUR = 3_600_000_000


class FlowParameters(Protocol):
    """The parameters of a recipe that determine the opening flow of a bar."""

    @property
    def mapped_share(self) -> float:
        """Share of new positions that are expected to be liquidated at a known price."""

    @property
    def turnover_per_hour(self) -> float:
        """Share of open interest that is closed and reopened in an hour."""

    @property
    def chase(self) -> float:
        """How much more the side that trades with the move opens, 0 to 1."""

    @property
    def trailing_hours(self) -> float:
        """Time constant of the trailing mean of activity, hours."""


@dataclass(frozen=True, eq=False)
class EngineBars:
    """Columns of one length, one row per bar, for :class:`liqmap._core.Cohorts`.

    Attributes:
        end: UTC microseconds at the bar's end.
        hours: Hours since the previous bar's end.
        low, high, close: Prices.
        open_interest: Coin at the bar's end; missing values are filled with the last known one.
        long_flow, short_flow: Coin of levered positions opened.
        assumptions: Assumptions about the data, one sentence each.
    """

    end: npt.NDArray[np.int64]
    hours: Column
    low: Column
    high: Column
    close: Column
    open_interest: Column
    long_flow: Column
    short_flow: Column
    assumptions: tuple[str, ...]


def engine_bars(bars: MarketBars, recipe: FlowParameters, *, instrument: str) -> EngineBars:
    """Turn market bars into engine bars.

    New levered positions, in coin per bar, have two sources: growth of open interest, ``mapped_share · max(ΔOI, 0)``,
    and turnover. Turnover reopens the positions that the half-lives of the brackets close, in proportion to the bar's
    activity: its volume over the trailing mean, or its range if volume is missing. The side that trades with the move
    opens more (:func:`taker_imbalance`).

    Raises:
        NotFoundError: No bar has open interest.
    """
    known = np.isfinite(bars.oi_base) & (bars.oi_base > 0)
    if not known.any():
        raise NotFoundError("map", instrument, "no open interest", "open interest for the bars", "no map made")
    first = int(np.argmax(known))
    notes: list[str] = []
    if first:
        notes.append(f"{first} bars before the first open interest are left out")
    used = slice(first, None)
    end = bars.end[used]
    low, high, close = bars.low[used], bars.high[used], bars.close[used]
    oi = forward_fill(bars.oi_base[used], known[used])
    hours = np.diff(end, prepend=end[0] - bars.interval_s * 1_000_000) / _US_PER_HOUR

    activity = _relative_activity(bars.volume_base[used], (high - low) / close, hours, recipe, notes)
    imbalance = taker_imbalance(bars.taker_buy_base[used], bars.volume_base[used], low, high, close, notes)
    growth = np.maximum(np.diff(oi, prepend=oi[0]), 0.0)
    hours = np.where(is_frozen(end, oi), 0.0, hours)
    flow = recipe.mapped_share * (growth + oi * recipe.turnover_per_hour * hours * activity)
    return EngineBars(
        end=end,
        hours=hours,
        low=low,
        high=high,
        close=close,
        open_interest=oi,
        long_flow=flow * (1 + recipe.chase * imbalance),
        short_flow=flow * (1 - recipe.chase * imbalance),
        assumptions=(*notes, *oi_warnings(end, oi, bars.oi_age_us[used])),
    )


def forward_fill(values: Column, known: npt.NDArray[np.bool_]) -> Column:
    """Return the last known value of each bar; the first value must be known."""
    last = np.maximum.accumulate(np.where(known, np.arange(len(values)), 0))
    return np.ascontiguousarray(values[last])


def _relative_activity(volume: Column, span: Column, hours: Column, recipe: FlowParameters, notes: list[str]) -> Column:
    """Return each bar's activity per hour as a multiple of the trailing mean of the bars before it; 1 is average."""
    pace = np.where(np.isfinite(volume), volume, np.nan)
    if not np.isfinite(pace).any():
        notes.append("traded volume is missing: the range of the bars is used instead")
        pace = span
    elif not np.isfinite(pace).all():
        notes.append(f"traded volume is missing in {int((~np.isfinite(pace)).sum())} bars: average activity is assumed")
    pace = pace / hours
    weight = -np.expm1(-hours / recipe.trailing_hours)
    usual = _core.lagged_ewma(pace, weight, float(np.nanmean(pace[: max(1, min(len(pace), 24))])) or 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(usual > 0, pace / usual, 1.0)
    return np.where(np.isfinite(ratio), ratio, 1.0)


def taker_imbalance(
    taker_buy: Column, volume: Column, low: Column, high: Column, close: Column, notes: list[str]
) -> Column:
    """Return net taker buying as a share of volume, from −1 to 1: ``2B/V − 1``.

    If taker volume is missing, the position of the close in the bar's range is used: ``(2C − H − L) / (H − L)``.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        by_range = np.where(high > low, (2 * close - high - low) / (high - low), 0.0)
        by_taker = np.where(volume > 0, 2 * taker_buy / volume - 1, np.nan)
    known = np.isfinite(by_taker)
    if not known.all():
        notes.append("taker volume is missing: taker imbalance is estimated from where the bar closed in its range")
    return np.clip(np.where(known, by_taker, by_range), -1.0, 1.0)
