"""The scorecard of an instrument's issued maps, as of a time: nothing in it was known later."""

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
"""How far back maps are scored."""

_DAY = 86_400_000_000
_WARM_UP = 3 * _DAY
_MIN_STEP = 4 * 3_600_000_000
"""Of maps that are issued more often than that, one in so many is scored."""
_LOOKBACK = 8 * _DAY
"""What the oldest map is scored by reaches back a week."""


@dataclass(frozen=True, eq=False, slots=True)
class SideScorecard:
    """One side.

    Attributes:
        maps: Maps with at least one sweep of the side.
        sweeps: Periods in which the price went where it had not been since the map was issued.
        skill: ``None`` where there is too little for an interval; ``lacking`` then says what.
        lacking: Found and needed.
        deciles: Predicted against realised.
    """

    maps: int
    sweeps: int
    skill: Skill | None
    lacking: tuple[str, str] | None
    deciles: tuple[Decile, ...]


@dataclass(frozen=True, eq=False, slots=True)
class IssuedScorecard:
    """How the maps of an instrument have done.

    Attributes:
        instrument: Whose maps.
        feed: Whose realised liquidations.
        at: As of when, UTC microseconds.
        every: Time between scored maps, microseconds; four hours or more.
        horizon: For how long each is held to what it says: until the next, a day at most.
        period_s: Length of the periods in which liquidations are counted.
        throttled: Whether the feed leaves liquidations out.
        maps: Scored maps.
        differing: Of them, those on record that the history would give otherwise now; what is on record was scored.
        first, last: When the first of them was issued, and until when liquidations are known.
        long, short: By side.
        bands: Clusters by band.
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
        """Scored maps a day."""
        return _DAY / self.every

    def to_dict(self) -> dict[str, JSON]:
        """Plain data."""
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
    """Score the maps that were due every so often before ``at``, each as it was issued.

    A map is held to what it says until the next one is issued, a day at most; only maps whose time has run out by
    ``at`` are scored, and only liquidations that were known by then. The first three days of a history warm up.

    Args:
        store: The history.
        instrument: ``venue:SYMBOL``.
        at: UTC microseconds; the last of the maps was issued one ``every`` before.
        every: Microseconds between maps.

    Raises:
        NotFoundError: No bars or no realised liquidations over the same time.
    """
    every *= -(-_MIN_STEP // every)
    horizon = min(every, _DAY)
    bars = store.market_bars(instrument, until=at)
    start = max(int(bars.ts[0]) + _WARM_UP, at - DAYS * _DAY - every)
    times = [at - k * every for k in range((at - start) // every, 0, -1)]
    maps = snapshot_run(store, instrument).maps(store, times, bars)
    bars = _bars_since(bars, start - _LOOKBACK)
    feed, periods = _realised(store, instrument, bars, start, at)
    if len(maps) < 2:  # noqa: PLR2004 - the first is only there to be the map before the second
        found = f"{len(maps)} maps since three days after the first bar"
        raise NotFoundError("score", instrument, found, "two or more", "nothing scored")
    per_day = _DAY / every
    both = score_sweeps(maps, horizon, bars, periods, 0), score_sweeps(maps, horizon, bars, periods, 1)
    scored = _is_scored(maps, horizon, periods)
    if not scored.any():
        found = f"no map since {iso(maps[0].at)} that realised liquidations follow"
        raise NotFoundError("score", instrument, found, "liquidations after a map", "nothing scored")
    ended = int(periods.start[-1]) + periods.length_us
    told = [i for i, one in enumerate(maps) if scored[i] and one.at + horizon <= ended]
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
        bands=band_outcomes(maps, told, horizon, bars, both, per_day),
    )


def _bars_since(bars: MarketBars, start: Instant) -> MarketBars:
    """The bars that began at or after a time."""
    first = int(np.searchsorted(bars.ts, start))
    columns = ((field.name, getattr(bars, field.name)) for field in fields(bars))
    cut: dict[str, Any] = {name: part[first:] for name, part in columns if isinstance(part, np.ndarray)}
    return replace(bars, **cut)


def _realised(store: Store, instrument: str, bars: MarketBars, start: Instant, at: Instant) -> tuple[str, Periods]:
    """The instrument's own liquidations since ``start``, else a vendor's sum; the first feed that can be matched."""
    missing: NotFoundError | None = None
    for feed in feeds_of(store.instrument(instrument), store.instruments()):
        try:
            return feed, match_periods(bars, store.liquidations(feed, start, at))
        except NotFoundError as error:
            missing = missing or error
    found = f"no realised liquidations from {iso(start)} to {iso(at)}"
    expected = "some of its own, or a vendor's sum for its base"
    raise NotFoundError("score", instrument, found, expected, "nothing scored") from missing


def _is_scored(
    maps: Sequence[MapSnapshot], horizon: Instant, periods: Periods
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which maps have one before them and a period after them."""
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
