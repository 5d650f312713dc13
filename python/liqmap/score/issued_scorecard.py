"""The scorecard of an instrument's map snapshots as of a time; it uses only data known at that time."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from liqmap._base.errors import NotFoundError
from liqmap._base.timestamps import iso
from liqmap.maps.snapshots import snapshot_run
from liqmap.score.issued_skill import measure_skill
from liqmap.score.periods import match_periods
from liqmap.score.plan import feeds_of
from liqmap.score.reliability import band_outcomes, reliability_deciles
from liqmap.score.scored_sweeps import score_sweeps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liqmap._base.provenance import JSON
    from liqmap._base.timestamps import Instant
    from liqmap.history.queries import MarketBars
    from liqmap.history.store import Store
    from liqmap.maps.snapshots import MapSnapshot
    from liqmap.score.issued_skill import Skill
    from liqmap.score.periods import Periods
    from liqmap.score.reliability import BandOutcome, Decile
    from liqmap.score.scored_sweeps import ScoredSweeps

__all__ = ["DAYS", "IssuedScorecard", "SideScorecard", "issued_scorecard"]

DAYS = 90
"""Days of maps that are scored."""

_DAY = 86_400_000_000
_WARM_UP = 3 * _DAY
_MIN_STEP = 4 * 3_600_000_000
"""Minimum time between scored maps; of maps issued more often, only some are scored."""
_LOOKBACK = 8 * _DAY
"""Bars needed before the oldest map: the baselines look back one week."""


@dataclass(frozen=True, eq=False, slots=True)
class SideScorecard:
    """Scorecard of one side.

    Attributes:
        maps: Number of maps with at least one sweep of the side.
        sweeps: Number of sweeps: periods with a new extreme after the issue time of the map.
        skill: Skill of the maps; ``None`` with too few maps for an interval, see ``lacking``.
        lacking: Data found and data needed if ``skill`` is ``None``.
        deciles: Reliability by decile of predicted USD.
    """

    maps: int
    sweeps: int
    skill: Skill | None
    lacking: tuple[str, str] | None
    deciles: tuple[Decile, ...]


@dataclass(frozen=True, eq=False, slots=True)
class IssuedScorecard:
    """Score of the map snapshots of an instrument.

    Attributes:
        instrument: Instrument of the maps, ``venue:SYMBOL``.
        feed: Source of the realised liquidations.
        at: Time of the scorecard, UTC microseconds.
        every: Time between scored maps, microseconds; at least four hours.
        horizon: Time for which each map is scored, microseconds: until the next map, at most one day.
        period_s: Length of the periods of the liquidations, seconds.
        throttled: Whether the feed omits liquidations.
        maps: Number of scored maps.
        differing: Scored maps of the registry that the history would compute differently now; the registered map is
            scored.
        first, last: Issue time of the first scored map, and end of the known liquidations.
        long, short: Scorecards of the sides.
        bands: Outcomes of clusters by band.
    """

    instrument: str
    feed: str
    at: Instant
    every: Instant
    horizon: Instant
    period_s: int
    throttled: bool
    maps: int
    differing: int
    first: Instant
    last: Instant
    long: SideScorecard
    short: SideScorecard
    bands: tuple[BandOutcome, ...]

    @property
    def per_day(self) -> float:
        """Scored maps per day."""
        return _DAY / self.every

    def to_dict(self) -> dict[str, JSON]:
        """The attributes as JSON values."""
        plain: dict[str, JSON] = {
            "instrument": self.instrument,
            "feed": self.feed,
            "at": iso(self.at),
            "horizon_h": self.horizon / 3.6e9,
            "period_s": self.period_s,
            "throttled": self.throttled,
            "maps": self.maps,
            "differing": self.differing,
            "first": iso(self.first),
            "last": iso(self.last),
        }
        for name, side in (("long", self.long), ("short", self.short)):
            skill = side.skill
            plain[name] = {
                "maps": side.maps,
                "sweeps": side.sweeps,
                "lacking": None if side.lacking is None else list(side.lacking),
                "judged": None if skill is None else skill.judged,
                "best": None if skill is None else skill.best.name,
                "rivals": [] if skill is None else [rival.to_dict() for rival in skill.rivals],
                "deciles": [decile.to_dict() for decile in side.deciles],
            }
        return plain | {"bands": [band.to_dict() for band in self.bands]}


def issued_scorecard(store: Store, instrument: str, at: Instant, every: Instant) -> IssuedScorecard:
    """Score the maps issued at regular times before ``at``, each as issued.

    A map is scored until the next one is issued, at most for one day; only maps whose horizon ends by ``at`` are
    scored, with liquidations known by then. The first three days of a history are warm-up.

    Args:
        store: The history.
        instrument: ``venue:SYMBOL``.
        at: UTC microseconds; the last map was issued one ``every`` earlier.
        every: Time between maps, microseconds.

    Raises:
        NotFoundError: No bars with realised liquidations over the same time, or fewer than two maps.
    """
    every *= -(-_MIN_STEP // every)
    horizon = min(every, _DAY)
    bars = store.market_bars(instrument, until=at)
    start = max(int(bars.ts[0]) + _WARM_UP, at - DAYS * _DAY - every)
    times = [at - k * every for k in range((at - start) // every, 0, -1)]
    maps = snapshot_run(store, instrument).maps(store, times, bars)
    bars = _bars_since(bars, start - _LOOKBACK)
    feed, periods = _realised(store, instrument, bars, start, at)
    if len(maps) < 2:  # noqa: PLR2004 - the first map is only the previous map of the second
        found = f"{len(maps)} maps since three days after the first bar"
        raise NotFoundError("score", instrument, found, "two or more", "nothing scored")
    per_day = _DAY / every
    both = score_sweeps(maps, horizon, bars, periods, 0), score_sweeps(maps, horizon, bars, periods, 1)
    scored = _is_scored(maps, horizon, periods)
    if not scored.any():
        found = f"no map since {iso(maps[0].at)} with realised liquidations after it"
        raise NotFoundError("score", instrument, found, "liquidations after a map", "nothing scored")
    ended = int(periods.start[-1]) + periods.length_us
    complete = [i for i, one in enumerate(maps) if scored[i] and one.at + horizon <= ended]
    return IssuedScorecard(
        instrument=instrument,
        feed=feed,
        at=at,
        every=every,
        horizon=horizon,
        period_s=periods.length_us // 1_000_000,
        throttled=periods.throttled,
        maps=int(scored.sum()),
        differing=sum(one.differs for one, counted in zip(maps, scored, strict=True) if counted),
        first=maps[int(np.argmax(scored))].at,
        last=ended,
        long=_side_scorecard(both[0], per_day),
        short=_side_scorecard(both[1], per_day),
        bands=band_outcomes(maps, complete, horizon, bars, both, per_day),
    )


def _bars_since(bars: MarketBars, start: Instant) -> MarketBars:
    """The bars that start at or after a time."""
    first = int(np.searchsorted(bars.ts, start))
    columns = ((field.name, getattr(bars, field.name)) for field in fields(bars))
    cut: dict[str, Any] = {name: part[first:] for name, part in columns if isinstance(part, np.ndarray)}
    return replace(bars, **cut)


def _realised(store: Store, instrument: str, bars: MarketBars, start: Instant, at: Instant) -> tuple[str, Periods]:
    """The first feed that matches the bars, the instrument's own or a vendor's sum, and its periods since ``start``."""
    missing: NotFoundError | None = None
    for feed in feeds_of(store.instrument(instrument), store.instruments()):
        try:
            return feed, match_periods(bars, store.liquidations(feed, start, at))
        except NotFoundError as error:
            missing = missing or error
    found = f"no realised liquidations from {iso(start)} to {iso(at)}"
    expected = "liquidations of the instrument, or a vendor's sum for its base"
    raise NotFoundError("score", instrument, found, expected, "nothing scored") from missing


def _is_scored(
    maps: Sequence[MapSnapshot], horizon: Instant, periods: Periods
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Mask of the maps that follow another map and have a complete period within the horizon."""
    at = np.array([one.at for one in maps])
    following = np.searchsorted(periods.start, at)
    there = following < len(periods)
    ends = periods.start[np.minimum(following, len(periods) - 1)] + periods.length_us
    scored = there & (ends <= at + horizon)
    scored[0] = False
    return np.asarray(scored, dtype=np.bool_)


def _side_scorecard(of: ScoredSweeps, per_day: float) -> SideScorecard:
    skill, lacking = None, None
    try:
        skill = measure_skill(of, per_day)
    except NotFoundError as error:
        lacking = error.found, error.expected
    return SideScorecard(len(np.unique(of.issue)), len(of.start), skill, lacking, reliability_deciles(of, per_day))
