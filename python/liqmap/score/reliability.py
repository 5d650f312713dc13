"""Predicted against realised: deciles of what maps said, and their clusters by band."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap.maps.clusters import BANDS
from liqmap.score.stats.bootstrap import bootstrap_counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liqmap._base.provenance import JSON
    from liqmap._base.timestamps import Instant
    from liqmap.history.queries import Floats, MarketBars
    from liqmap.maps.clusters import Band
    from liqmap.maps.snapshots import MapSnapshot
    from liqmap.score.scored_sweeps import ScoredSweeps

__all__ = ["BandOutcome", "Decile", "band_outcomes", "reliability_deciles"]

REACH = 0.1
"""Clusters further than this from the mark are not counted: hardly any of them is reached in a day."""

_RESAMPLES = 1_000
_MIN_SWEEPS = 5
_DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Decile:
    """Sweeps of which the map said about the same.

    Attributes:
        sweeps: How many.
        said: Mean USD that the map had where the price went.
        realised: Mean USD that was liquidated.
        low, high: 90 % interval of that mean, from whole days drawn anew.
    """

    sweeps: int
    said: float
    realised: float
    low: float
    high: float

    def to_dict(self) -> dict[str, JSON]:
        """Plain data."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class BandOutcome:
    """Clusters of one band within 10 % of the mark, each counted once for every map it stood on.

    Attributes:
        band: Low, medium, high or extreme.
        clusters: How many.
        expected: How many the price should have reached by chance while their map was in force.
        reached: How many it reached.
        low, high: 90 % interval of ``reached``, from whole days drawn anew.
        said: USD that the maps had where the price went through these clusters.
        realised: USD that was liquidated there; a period's is spread evenly over the prices it swept.
    """

    band: Band
    clusters: int
    expected: float
    reached: int
    low: float
    high: float
    said: float
    realised: float

    def to_dict(self) -> dict[str, JSON]:
        """Plain data."""
        return {name: getattr(self, name) for name in self.__slots__}


def reliability_deciles(of: ScoredSweeps, per_day: float, parts: int = 10) -> tuple[Decile, ...]:
    """Sweeps in ten parts of equal number by what the map said; fewer parts where one would hold less than five."""
    parts = min(parts, len(of.said) // _MIN_SWEEPS)
    if not parts:
        return ()
    order = np.argsort(of.said, kind="stable")
    issues, place = np.unique(of.issue, return_inverse=True)
    times = bootstrap_counts(len(issues), max(1.0, per_day), _RESAMPLES, 1)
    made = []
    for part in np.array_split(order, parts):
        usd, many = np.zeros((2, len(issues)))
        np.add.at(usd, place[part], of.realised[part])
        np.add.at(many, place[part], 1.0)
        drawn = times @ many
        means = (times @ usd)[drawn > 0] / drawn[drawn > 0]
        low, high = np.quantile(means, [0.05, 0.95])
        made.append(
            Decile(len(part), float(of.said[part].mean()), float(of.realised[part].mean()), float(low), float(high))
        )
    return tuple(made)


def band_outcomes(
    maps: Sequence[MapSnapshot],
    scored: Sequence[int],
    horizon: Instant,
    bars: MarketBars,
    swept: tuple[ScoredSweeps, ScoredSweeps],
    per_day: float,
) -> tuple[BandOutcome, ...]:
    """Clusters by band: how often the price reached them, and what was liquidated there.

    Chance is a driftless price of the volatility of the seven days before the map, ``2·N(−a / (σ√T))`` (see
    :mod:`liqmap.stress.touch_probability`). A band claims size, not that the price will come: reached as often as
    expected is what a map without a magnet looks like.

    Args:
        maps: In order of time.
        scored: Indices of those that are counted: bars and liquidations have to be known for the whole horizon.
        horizon: For how long each is held to what it says, microseconds.
        bars: The price.
        swept: Sweeps of longs and of shorts.
        per_day: Maps a day.
    """
    tally = np.zeros((len(BANDS), 5, len(maps)))  # clusters, expected, reached, said, realised
    sigmas = _horizon_volatility(bars, maps, horizon)
    for i in scored:
        one, sigma = maps[i], float(sigmas[i])
        first, last = np.searchsorted(bars.ts, (one.at, one.at + horizon))
        if last == first or math.isnan(sigma):
            continue
        low, high = bars.low[first:last].min(), bars.high[first:last].max()
        side, bottom, top, _, intensity = one.clusters.T
        near = np.where(side == 0, np.minimum(top, one.mark_price), np.maximum(bottom, one.mark_price))
        within = np.abs(near / one.mark_price - 1) <= REACH
        there = np.where(side == 0, low < top, high >= bottom) & within
        row = np.minimum((intensity * len(BANDS)).astype(np.int64), len(BANDS) - 1)
        away = np.abs(np.log(near[within] / one.mark_price)) / sigma / math.sqrt(2)
        np.add.at(tally[:, 0, i], row[within], 1.0)
        np.add.at(tally[:, 1, i], row[within], [math.erfc(x) for x in away.tolist()])
        np.add.at(tally[:, 2, i], row[there], 1.0)
        for k in np.flatnonzero(there).tolist():
            part = swept[int(side[k])]
            mine = slice(*np.searchsorted(part.issue, (i, i + 1)).tolist())
            tally[row[k], 3:, i] += _amounts_inside(part, mine, one, int(side[k]), float(bottom[k]), float(top[k]))
    times = bootstrap_counts(max(1, len(scored)), max(1.0, per_day), _RESAMPLES, 1)
    made = []
    for band, (clusters, expected, reached, said, realised) in zip(BANDS, tally, strict=True):
        if not clusters.sum():
            continue
        drawn = times @ clusters[scored]
        share = (times @ reached[scored])[drawn > 0] / drawn[drawn > 0]
        ends = np.quantile(share, [0.05, 0.95]) * clusters.sum()
        sums = (float(part.sum()) for part in (expected, reached, said, realised))
        a, b, c, d = sums
        made.append(BandOutcome(band, int(clusters.sum()), a, int(b), float(ends[0]), float(ends[1]), c, d))
    return tuple(made)


def _horizon_volatility(bars: MarketBars, maps: Sequence[MapSnapshot], horizon: Instant) -> Floats:
    """One σ of log moves over the horizon for each map, from closes of the seven days before; NaN without two."""
    at = np.array([one.at for one in maps], dtype=np.int64)
    squares = np.concatenate([[0.0], np.cumsum(np.diff(np.log(bars.close)) ** 2)])
    last = np.searchsorted(bars.end, at, side="right") - 1
    first = np.minimum(np.searchsorted(bars.end, at - 7 * _DAY, side="right"), last)
    variance = (squares[last] - squares[first]) / np.maximum(bars.end[last] - bars.end[first], 1) * horizon
    return np.asarray(np.sqrt(np.where(variance > 0, variance, np.nan)), dtype=np.float64)


def _amounts_inside(
    part: ScoredSweeps, mine: slice, one: MapSnapshot, side: int, bottom: float, top: float
) -> tuple[float, float]:
    """USD said and realised where the price went through a cluster."""
    low, high = np.minimum(part.near[mine], part.far[mine]), np.maximum(part.near[mine], part.far[mine])
    a, b = np.clip(low, bottom, top), np.clip(high, bottom, top)
    share: Floats = (b - a) / (high - low)
    said = np.abs(one.reached(side, a) - one.reached(side, b))
    return float(said.sum()), float((share * part.realised[mine]).sum())
