"""Where the price went that it had not been since a map was issued, and what was liquidated there."""

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
"""How far away the map is whose shape is laid over the price instead: another day, the same day of the week."""


@dataclass(frozen=True, eq=False, slots=True)
class ScoredSweeps:
    """Periods of one side in which the price reached a new extreme since the map then in force was issued.

    Attributes:
        issue: Index of that map.
        start: When the period began, UTC microseconds.
        near, far: Between which prices it went for the first time; the nearer to the mark first.
        realised: USD liquidated in the period.
        said: USD that the map had between these prices.
        before: USD that the map before it had there.
        mirrored: USD of the other side, as far the other way.
        elsewhere: USD that a map a week apart had as far from *its* mark.
        move: How far it went for the first time, log price.
        distance: How far ``far`` lies from the mark at issue, log price.
        extremes: What price alone tells of the period; see :func:`liqmap.score.price_baseline.new_extremes`.
    """

    issue: Ints
    start: Ints
    near: Floats
    far: Floats
    realised: Floats
    said: Floats
    before: Floats
    mirrored: Floats
    elsewhere: Floats
    move: Floats
    distance: Floats
    extremes: Floats


def score_sweeps(
    maps: Sequence[MapSnapshot], horizon: Instant, bars: MarketBars, periods: Periods, side: int
) -> ScoredSweeps:
    """The sweeps of all maps that have one before them, each for as long as it was in force.

    Args:
        maps: In order of time.
        horizon: For how long a map is held to what it says, microseconds.
        bars: The price.
        periods: With what was liquidated; none later than what is known.
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
    same, beside = np.arange(len(maps)), _placebo_maps(maps)
    between = _PredictedBetween(maps, which, a, b)
    swept = replace(periods, start=periods.start[at], first=periods.first[at], realised=periods.realised[at])
    return ScoredSweeps(
        issue=which,
        start=swept.start,
        near=a,
        far=b,
        realised=swept.realised[:, side],
        said=between(same, side, np.ones(len(maps))),
        before=between(same - 1, side, np.ones(len(maps))),
        mirrored=between(same, 1 - side, marks, flip=True),
        elsewhere=between(beside, side, marks[beside] / marks),
        move=np.abs(np.log(b / a)),
        distance=np.abs(np.log(b / marks[which])),
        extremes=price_baseline.new_extremes(bars, swept, side),
    )


@dataclass(frozen=True, eq=False, slots=True)
class _PredictedBetween:
    """What maps have between the prices of the sweeps, whose issues ascend."""

    maps: Sequence[MapSnapshot]
    issue: Ints
    near: Floats
    far: Floats

    def __call__(self, asked: Ints, side: int, scale: Floats, *, flip: bool = False) -> Floats:
        """USD of ``side`` between the prices times ``scale``, or flipped: ``scale² / price``.

        Args:
            asked: Which map is asked in the place of each.
            side: 0 for longs, 1 for shorts.
            scale: For each map.
            flip: Whether the prices are mirrored.
        """
        out, prices = np.zeros(len(self.near)), np.stack([self.near, self.far])
        ends = np.searchsorted(self.issue, np.arange(len(self.maps) + 1)).tolist()
        for i, (begin, end) in enumerate(pairwise(ends)):
            if begin < end:
                both = prices[:, begin:end]
                usd = self.maps[asked[i]].reached(side, scale[i] ** 2 / both if flip else both * scale[i])
                out[begin:end] = usd[1] - usd[0]
        return out


def _placebo_maps(maps: Sequence[MapSnapshot]) -> Ints:
    """For each map the one nearest to a week before it; a week after where there is none so early."""
    at = np.array([one.at for one in maps], dtype=np.int64)
    if not len(at):
        return np.empty(0, np.int64)
    wanted = np.where(at - _PLACEBO_LAG >= at[0], at - _PLACEBO_LAG, at + _PLACEBO_LAG)
    return np.asarray(np.abs(at[None, :] - wanted[:, None]).argmin(axis=1), dtype=np.int64)
