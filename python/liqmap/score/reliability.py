"""Reliability: realised against predicted amounts by decile of prediction, and outcomes of clusters by band."""

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
"""Clusters farther than this from the mark are not counted: price rarely reaches them within a day."""

_RESAMPLES = 1_000
_MIN_SWEEPS = 5
_DAY = 86_400_000_000
_PUBLISHED_KEYS = {"predicted": "said"}
"""Keys of ``scorecard.json`` that differ from the attribute; published files keep their keys."""


@dataclass(frozen=True, slots=True)
class Decile:
    """Sweeps with similar predicted amounts.

    Attributes:
        sweeps: Number of sweeps.
        predicted: Mean USD that the map predicted for the swept prices.
        realised: Mean USD liquidated.
        low, high: 90 % interval of ``realised``, from resamples of whole days.
    """

    sweeps: int
    predicted: float
    realised: float
    low: float
    high: float

    def to_dict(self) -> dict[str, JSON]:
        """The attributes as JSON values, with the published keys."""
        return {_PUBLISHED_KEYS.get(name, name): getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class BandOutcome:
    """Clusters of one band within 10 % of the mark, each counted once for every map that contains it.

    Attributes:
        band: Low, medium, high or extreme.
        clusters: Number of clusters.
        expected: Expected number of clusters reached by a driftless price while their map was in force.
        reached: Number of clusters that price reached.
        low, high: 90 % interval of ``reached``, from resamples of whole days.
        predicted: USD that the maps predicted for the swept parts of these clusters.
        realised: USD liquidated there; the amount of a period is spread evenly over the prices it swept.
    """

    band: Band
    clusters: int
    expected: float
    reached: int
    low: float
    high: float
    predicted: float
    realised: float

    def to_dict(self) -> dict[str, JSON]:
        """The attributes as JSON values, with the published keys."""
        return {_PUBLISHED_KEYS.get(name, name): getattr(self, name) for name in self.__slots__}


def reliability_deciles(of: ScoredSweeps, per_day: float, parts: int = 10) -> tuple[Decile, ...]:
    """Sweeps in ten groups of equal number by predicted amount; fewer groups if one would hold fewer than five."""
    parts = min(parts, len(of.predicted) // _MIN_SWEEPS)
    if not parts:
        return ()
    order = np.argsort(of.predicted, kind="stable")
    issues, place = np.unique(of.issue, return_inverse=True)
    times = bootstrap_counts(len(issues), max(1.0, per_day), _RESAMPLES, 1)
    deciles = []
    for part in np.array_split(order, parts):
        usd, sweeps = np.zeros((2, len(issues)))
        np.add.at(usd, place[part], of.realised[part])
        np.add.at(sweeps, place[part], 1.0)
        drawn = times @ sweeps
        means = (times @ usd)[drawn > 0] / drawn[drawn > 0]
        low, high = np.quantile(means, [0.05, 0.95])
        predicted, realised = float(of.predicted[part].mean()), float(of.realised[part].mean())
        deciles.append(Decile(len(part), predicted, realised, float(low), float(high)))
    return tuple(deciles)


def band_outcomes(
    maps: Sequence[MapSnapshot],
    scored: Sequence[int],
    horizon: Instant,
    bars: MarketBars,
    swept: tuple[ScoredSweeps, ScoredSweeps],
    per_day: float,
) -> tuple[BandOutcome, ...]:
    """Outcomes of clusters by band: how often price reached them, and the liquidations there.

    The expected number reached assumes a driftless price with the volatility of the seven days before the map,
    ``2·N(−a / (σ√T))`` (see :mod:`liqmap.stress.touch_probability`). A band states a size, not a direction of price:
    if clusters do not attract price, the number reached equals the expected one.

    Args:
        maps: Map snapshots in order of time.
        scored: Indices of the maps to count; bars and liquidations must be known for their whole horizon.
        horizon: Time for which each map is scored, microseconds.
        bars: Bars of the instrument.
        swept: Sweeps of longs and of shorts.
        per_day: Maps per day.
    """
    tally = np.zeros((len(BANDS), 5, len(maps)))  # clusters, expected, reached, predicted, realised
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
    outcomes = []
    for band, (clusters, expected, reached, predicted, realised) in zip(BANDS, tally, strict=True):
        if not clusters.sum():
            continue
        drawn = times @ clusters[scored]
        share = (times @ reached[scored])[drawn > 0] / drawn[drawn > 0]
        ends = np.quantile(share, [0.05, 0.95]) * clusters.sum()
        outcomes.append(
            BandOutcome(
                band=band,
                clusters=int(clusters.sum()),
                expected=float(expected.sum()),
                reached=int(reached.sum()),
                low=float(ends[0]),
                high=float(ends[1]),
                predicted=float(predicted.sum()),
                realised=float(realised.sum()),
            )
        )
    return tuple(outcomes)


def _horizon_volatility(bars: MarketBars, maps: Sequence[MapSnapshot], horizon: Instant) -> Floats:
    """Standard deviation of log moves over the horizon for each map, from closes of the seven days before, or NaN."""
    at = np.array([one.at for one in maps], dtype=np.int64)
    squares = np.concatenate([[0.0], np.cumsum(np.diff(np.log(bars.close)) ** 2)])
    last = np.searchsorted(bars.end, at, side="right") - 1
    first = np.minimum(np.searchsorted(bars.end, at - 7 * _DAY, side="right"), last)
    variance = (squares[last] - squares[first]) / np.maximum(bars.end[last] - bars.end[first], 1) * horizon
    return np.asarray(np.sqrt(np.where(variance > 0, variance, np.nan)), dtype=np.float64)


def _amounts_inside(
    part: ScoredSweeps, mine: slice, one: MapSnapshot, side: int, bottom: float, top: float
) -> tuple[float, float]:
    """Predicted and realised USD in the part of a cluster that price swept."""
    low, high = np.minimum(part.near[mine], part.far[mine]), np.maximum(part.near[mine], part.far[mine])
    a, b = np.clip(low, bottom, top), np.clip(high, bottom, top)
    share: Floats = (b - a) / (high - low)
    predicted = np.abs(one.reached(side, a) - one.reached(side, b))
    return float(predicted.sum()), float((share * part.realised[mine]).sum())
