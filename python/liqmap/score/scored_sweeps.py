"""Sweeps: periods in which price reached a new extreme after a map's issue time, with predicted and realised USD."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from liqmap.score import price_baseline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liqmap._base.timestamps import Instant
    from liqmap.history.queries import Floats, Ints, MarketBars
    from liqmap.maps.snapshots import MapSnapshot
    from liqmap.score.periods import Periods

__all__ = ["ScoredSweeps", "score_sweeps"]

_PLACEBO_LAG = 7 * 86_400_000_000
"""Time between a map and the map used as its placebo: another week, the same day of the week."""


@dataclass(frozen=True, eq=False, slots=True)
class ScoredSweeps:
    """Periods of one side in which price reached a new extreme after the issue time of the map in force.

    Attributes:
        issue: Index of that map.
        start: Start of the period, UTC microseconds.
        near, far: The newly reached price interval; the end nearer to the mark first.
        realised: USD liquidated in the period.
        predicted: USD of the map in this interval.
        before: USD of the previous map in this interval.
        mirrored: USD of the map's other side in the interval mirrored about the mark.
        elsewhere: USD of a map one week apart in the interval at the same distance from *its* mark.
        move: Width of the interval, log price.
        distance: Distance of ``far`` from the mark at issue, log price.
        extremes: Features of the price-only baseline; see :func:`liqmap.score.price_baseline.new_extremes`.
    """

    issue: Ints
    start: Ints
    near: Floats
    far: Floats
    realised: Floats
    predicted: Floats
    before: Floats
    mirrored: Floats
    elsewhere: Floats
    move: Floats
    distance: Floats
    extremes: Floats


def score_sweeps(
    maps: Sequence[MapSnapshot], horizon: Instant, bars: MarketBars, periods: Periods, side: int
) -> ScoredSweeps:
    """The sweeps of all maps but the first, each while the map was in force.

    Args:
        maps: Map snapshots in order of time.
        horizon: Time for which a map is scored, microseconds.
        bars: Bars of the instrument.
        periods: Periods with realised liquidations known at the time of the score.
        side: 0 for longs (new lows), 1 for shorts (new highs).
    """
    down = side == 0
    edge = bars.low if down else bars.high
    furthest = np.minimum.accumulate if down else np.maximum.accumulate
    issue, place, near, far = [], [], [], []
    for i, one in enumerate(maps):
        begin = int(np.searchsorted(periods.start, one.at))
        end = int(np.searchsorted(periods.start, one.at + horizon - periods.length_us, side="right"))
        if i == 0 or begin >= end:
            continue
        inside = np.arange(begin, end)
        first, last = np.searchsorted(bars.ts, (one.at, one.at + horizon))
        path = furthest(np.concatenate([[one.mark_price], edge[first:last]]))
        begun = periods.first[inside] - first
        a, b = path[begun], path[begun + periods.bars]
        new = a != b
        issue.append(np.full(int(new.sum()), i, dtype=np.int64))
        place.append(inside[new])
        near.append(a[new])
        far.append(b[new])
    which = np.concatenate([*issue, np.empty(0, np.int64)])
    at = np.concatenate([*place, np.empty(0, np.int64)])
    a, b = (np.concatenate([*part, np.empty(0)]) for part in (near, far))
    marks = np.array([one.mark_price for one in maps], dtype=np.float64)
    same, other_week = np.arange(len(maps)), _placebo_maps(maps)
    between = _PredictedBetween(maps, which, a, b)
    swept = replace(periods, start=periods.start[at], first=periods.first[at], realised=periods.realised[at])
    return ScoredSweeps(
        issue=which,
        start=swept.start,
        near=a,
        far=b,
        realised=swept.realised[:, side],
        predicted=between(same, side, np.ones(len(maps))),
        before=between(same - 1, side, np.ones(len(maps))),
        mirrored=between(same, 1 - side, marks, flip=True),
        elsewhere=between(other_week, side, marks[other_week] / marks),
        move=np.abs(np.log(b / a)),
        distance=np.abs(np.log(b / marks[which])),
        extremes=price_baseline.new_extremes(bars, swept, side),
    )


@dataclass(frozen=True, eq=False, slots=True)
class _PredictedBetween:
    """USD that maps hold in the price intervals of the sweeps, whose issues ascend."""

    maps: Sequence[MapSnapshot]
    issue: Ints
    near: Floats
    far: Floats

    def __call__(self, substitutes: Ints, side: int, scale: Floats, *, flip: bool = False) -> Floats:
        """USD of ``side`` between the prices times ``scale``, or between the mirrored prices ``scale² / price``.

        Args:
            substitutes: For each map, the index of the map that is read.
            side: 0 for longs, 1 for shorts.
            scale: Scale of the prices for each map.
            flip: Whether the prices are mirrored.
        """
        out, prices = np.zeros(len(self.near)), np.stack([self.near, self.far])
        ends = np.searchsorted(self.issue, np.arange(len(self.maps) + 1)).tolist()
        for i, (begin, end) in enumerate(pairwise(ends)):
            if begin < end:
                both = prices[:, begin:end]
                usd = self.maps[substitutes[i]].reached(side, scale[i] ** 2 / both if flip else both * scale[i])
                out[begin:end] = usd[1] - usd[0]
        return out


def _placebo_maps(maps: Sequence[MapSnapshot]) -> Ints:
    """For each map the map nearest to one week earlier, or one week later for the maps of the first week."""
    at = np.array([one.at for one in maps], dtype=np.int64)
    if not len(at):
        return np.empty(0, np.int64)
    wanted = np.where(at - _PLACEBO_LAG >= at[0], at - _PLACEBO_LAG, at + _PLACEBO_LAG)
    return np.asarray(np.abs(at[None, :] - wanted[:, None]).argmin(axis=1), dtype=np.int64)
