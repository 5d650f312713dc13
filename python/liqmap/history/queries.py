"""Reads that never see the future, in a fixed order, as numpy arrays.

Queries take whole tables, so that a history asks each but once (:meth:`liqmap.history.store.Store.cached_query`); the functions
beside them pick what was known at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from liqmap._base.errors import NotFoundError
from liqmap._base.instruments import Instrument
from liqmap._base.timestamps import Instant, iso
from liqmap.venues.catalogue import Tier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

__all__ = [
    "Funding",
    "Liquidations",
    "MarketBars",
    "OpenInterest",
    "Tier",
    "choose_series",
    "read_funding",
    "read_instrument",
    "read_instruments",
    "read_liquidations",
    "read_market_bars",
    "read_open_interest",
    "read_series_ends",
    "read_tiers",
    "require_instrument",
    "tiers_in_force",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FOREVER: Instant = 1 << 62
_PRICE_SOURCE_ORDER = ("last", "mark", "index", "spot")


@dataclass(frozen=True, eq=False, slots=True)
class MarketBars:
    """Bars of one series with the open interest known at each bar's end; all arrays have one entry per bar.

    Attributes:
        instrument: ``venue:SYMBOL``.
        price_source: ``last``, ``mark``, ``index`` or ``spot``.
        ts: Start of each bar, UTC microseconds, ascending; the bar is known at ``ts + interval_s``.
        interval_s: Length of every bar, seconds.
        open: Quote currency, as are high, low and close.
        volume_base: Coin; NaN where unknown.
        taker_buy_base: Coin bought by takers; NaN where unknown.
        taker_net_base: Taker buys − sells, coin; NaN where unknown.
        oi_base: One-sided open interest, coin: the latest with a time at or before the bar's end. Where the venue gave
            USD only, divided by the close of the bar that ended at or last before that time (by the first bar's open
            before any ended). NaN before the first.
        oi_age_us: How old that open interest was at the bar's end; −1 where there is none.
    """

    instrument: str
    price_source: str
    ts: Ints
    interval_s: int
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume_base: Floats
    taker_buy_base: Floats
    taker_net_base: Floats
    oi_base: Floats
    oi_age_us: Ints

    def __len__(self) -> int:
        return len(self.ts)

    @property
    def end(self) -> Ints:
        """When each bar is known, UTC microseconds."""
        return np.asarray(self.ts + self.interval_s * 1_000_000, dtype=np.int64)

    def known(self, until: Instant) -> MarketBars:
        """Those that had ended by then; asked again, the same object, so that what is made of it can be kept."""
        count = int(np.searchsorted(self.ts, until - self.interval_s * 1_000_000, side="right"))
        return self if count == len(self) else _truncate_bars(self, count)


@lru_cache(maxsize=4)
def _truncate_bars(bars: MarketBars, count: int) -> MarketBars:
    columns: dict[str, Any] = {
        name: value[:count] for name in bars.__slots__ if isinstance(value := getattr(bars, name), np.ndarray)
    }
    return replace(bars, **columns)


@dataclass(frozen=True, eq=False, slots=True)
class Funding:
    """Funding rates: ``rate`` is a fraction per ``interval_h`` hours, known at ``ts``."""

    ts: Ints
    rate: Floats
    interval_h: Floats


@dataclass(frozen=True, slots=True)
class OpenInterest:
    """One-sided open interest at an instant, in coin or USD or both."""

    ts: Instant
    base: float | None
    usd: float | None

    def coin(self, price: float) -> float | None:
        """In coin; where only USD is known, at this price."""
        return self.base if self.base is not None or self.usd is None else self.usd / price


@dataclass(frozen=True, eq=False, slots=True)
class Liquidations:
    """Realised liquidations, by time and side.

    Attributes:
        ts: Start of the window, or the event's time, UTC microseconds.
        window_s: Length of the window; 0 for a single event.
        long: Whether a long was liquidated (else a short).
        price: NaN where unknown.
        size_base: Coin; NaN where unknown.
        usd: Notional.
        feed: ``complete``, ``throttled`` or ``aggregate``.
    """

    ts: Ints
    window_s: Ints
    long: npt.NDArray[np.bool_]
    price: Floats
    size_base: Floats
    usd: Floats
    feed: npt.NDArray[np.str_]

    def between(self, start: Instant, end: Instant) -> Liquidations:
        """Those whose whole window lies inside ``[start, end)``: what is known by ``end``."""
        inside = (self.ts >= start) & (self.ts < end) & (self.ts + self.window_s * 1_000_000 <= end)
        return Liquidations(*(getattr(self, name)[inside] for name in self.__slots__))


def read_instruments(connection: duckdb.DuckDBPyConnection) -> tuple[Instrument, ...]:
    """All instruments, by name."""
    rows = connection.execute(
        "SELECT instrument, kind, payoff, base, quote, settle, contract_size, tick_size, expiry FROM instruments "
        "ORDER BY instrument"
    ).fetchall()
    return tuple(Instrument(*row) for row in rows)


def read_instrument(connection: duckdb.DuckDBPyConnection, name: str) -> Instrument:
    """The instrument of that name.

    Raises:
        NotFoundError: The history has none.
    """
    return require_instrument(read_instruments(connection), name)


def require_instrument(every: Sequence[Instrument], name: str) -> Instrument:
    """The one of that name.

    Raises:
        NotFoundError: There is none.
    """
    found = next((one for one in every if one.name == name), None)
    if found is None:
        known = ", ".join(one.name for one in every) or "none yet"
        raise NotFoundError("history", "instrument", repr(name), f"one of the history's: {known}", "stopped")
    return found


def read_tiers(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[Tier, ...]:
    """Every tier table of an instrument, oldest table first, each from the smallest positions up.

    Raises:
        NotFoundError: There is none.
    """
    rows = connection.execute(
        "SELECT notional_floor, notional_cap, max_leverage, mmr, deduction, valid_from, source, tier FROM margin_tiers "
        "WHERE instrument = $1 ORDER BY valid_from, tier",
        [name],
    ).fetchall()
    if not rows:
        expected = "a margin tier table; load one into margin_tiers"
        raise NotFoundError("history", "margin_tiers", f"none for {name}", expected, "stopped")
    return tuple(Tier(*row) for row in rows)


def tiers_in_force(tables: Sequence[Tier], at: Instant) -> list[Tier]:
    """Of all tables the one in force at a time; before the first one known, that one."""
    since = max((tier.valid_from for tier in tables if tier.valid_from <= at), default=tables[0].valid_from)
    return [tier for tier in tables if tier.valid_from == since]


def read_series_ends(connection: duckdb.DuckDBPyConnection, name: str) -> dict[tuple[int, str], Ints]:
    """When each bar of each series is known, ascending; a series is a length in seconds and a price source."""
    kinds = connection.execute(
        "SELECT DISTINCT interval_s, price_source FROM bars WHERE instrument = $1 ORDER BY ALL", [name]
    ).fetchall()
    query = (
        "SELECT ts + interval_s * 1000000 AS ended FROM bars "
        "WHERE instrument = $1 AND interval_s = $2 AND price_source = $3 ORDER BY ts"
    )
    return {kind: _to_ints(connection.execute(query, [name, *kind]).fetchnumpy()["ended"]) for kind in kinds}


def choose_series(
    every: Mapping[tuple[int, str], Ints],
    name: str,
    until: Instant | None = None,
    *,
    interval_s: int | None = None,
    price_source: str | None = None,
) -> tuple[int, str]:
    """Length in seconds and price source of the bars to read.

    Of several series the freshest is taken (within two of its bars of the latest end), then the first of last, mark,
    index and spot, then the one with most bars; ``interval_s`` and ``price_source`` narrow the choice.

    Raises:
        NotFoundError: No such bar known by then.
    """
    counts = {
        kind: len(ends) if until is None else int(np.searchsorted(ends, until, side="right"))
        for kind, ends in every.items()
        if interval_s in (None, kind[0]) and price_source in (None, kind[1])
    }
    latest = {kind: int(every[kind][count - 1]) for kind, count in counts.items() if count}
    if not latest:
        first = min((int(ends[0]) for ends in every.values()), default=None)
        found = "no bars" if until in (None, FOREVER) else f"no bars known by {iso(until)}"
        expected = "bars; load some" if first is None else f"a time from {iso(first)}"
        raise NotFoundError("history", name, found, expected, "stopped")
    newest = max(latest.values())
    fresh = [kind for kind, end in latest.items() if newest - end <= 2 * kind[0] * 1_000_000]
    return min(fresh, key=lambda kind: (_PRICE_SOURCE_ORDER.index(kind[1]), -counts[kind]))


def read_market_bars(
    connection: duckdb.DuckDBPyConnection, name: str, interval_s: int, price_source: str
) -> MarketBars:
    """All bars of a series with the open interest known at each one's end; :meth:`MarketBars.known` cuts them."""
    columns = connection.execute(
        _MARKET_BARS_SQL,
        {"name": name, "length": interval_s * 1_000_000, "seconds": interval_s, "source": price_source},
    ).fetchnumpy()
    return MarketBars(
        instrument=name,
        price_source=price_source,
        ts=_to_ints(columns["ts"]),
        interval_s=interval_s,
        open=_to_floats(columns["open"]),
        high=_to_floats(columns["high"]),
        low=_to_floats(columns["low"]),
        close=_to_floats(columns["close"]),
        volume_base=_to_floats(columns["volume_base"]),
        taker_buy_base=_to_floats(columns["taker_buy_base"]),
        taker_net_base=_to_floats(columns["taker_net_base"]),
        oi_base=_to_floats(columns["oi_base"]),
        oi_age_us=_to_ints(columns["oi_age_us"]),
    )


# Nothing here looks ahead: a row of the result is the same however much comes after it, so bars are read once and cut.
_MARKET_BARS_SQL = """
WITH series AS MATERIALIZED (
    SELECT ts, ts + $length AS ended, open, high, low, close, volume_base, taker_buy_base, taker_net_base
    FROM bars
    WHERE instrument = $name AND interval_s = $seconds AND price_source = $source
), interest AS (
    SELECT o.ts, coalesce(o.oi_base, o.oi_usd / coalesce(s.close, (SELECT arg_min(open, ts) FROM series))) AS oi_base
    FROM (SELECT * FROM open_interest WHERE instrument = $name) o
    ASOF LEFT JOIN series s ON o.ts >= s.ended
)
SELECT s.ts, s.open, s.high, s.low, s.close, s.volume_base, s.taker_buy_base, s.taker_net_base, i.oi_base,
       coalesce(s.ended - i.ts, -1) AS oi_age_us
FROM series s ASOF LEFT JOIN interest i ON s.ended >= i.ts
ORDER BY s.ts
"""


def read_funding(connection: duckdb.DuckDBPyConnection, name: str, until: Instant | None = None) -> Funding:
    """Funding rates known by ``until``; all of them if left out."""
    until = FOREVER if until is None else until
    columns = connection.execute(
        "SELECT ts, rate, interval_h FROM funding WHERE instrument = $1 AND ts <= $2 ORDER BY ts", [name, until]
    ).fetchnumpy()
    return Funding(_to_ints(columns["ts"]), _to_floats(columns["rate"]), _to_floats(columns["interval_h"]))


def read_open_interest(connection: duckdb.DuckDBPyConnection, name: str, until: Instant) -> OpenInterest | None:
    """The latest reading by ``until``, if there is one: for an instrument without bars to stand beside."""
    row = connection.execute(
        "SELECT ts, oi_base, oi_usd FROM open_interest WHERE instrument = $1 AND ts <= $2 ORDER BY ts DESC LIMIT 1",
        [name, until],
    ).fetchone()
    return None if row is None else OpenInterest(int(row[0]), row[1], row[2])


def read_liquidations(connection: duckdb.DuckDBPyConnection, name: str) -> Liquidations:
    """All realised liquidations; :meth:`Liquidations.between` cuts them."""
    columns = connection.execute(
        "SELECT ts, window_s, side = 'long' AS long, price, size_base, usd, feed FROM liquidations "
        "WHERE instrument = $1 "
        "ORDER BY ts, window_s, side, price, size_base, usd, feed",
        [name],
    ).fetchnumpy()
    return Liquidations(
        _to_ints(columns["ts"]),
        _to_ints(columns["window_s"]),
        np.asarray(columns["long"], dtype=np.bool_),
        _to_floats(columns["price"]),
        _to_floats(columns["size_base"]),
        _to_floats(columns["usd"]),
        np.asarray(columns["feed"], dtype=np.str_),
    )


def _to_floats(column: Any) -> Floats:  # noqa: ANN401 - masked or plain, as DuckDB gives it
    return np.asarray(np.ma.filled(np.ma.asarray(column, dtype=np.float64), np.nan), dtype=np.float64)


def _to_ints(column: Any) -> Ints:  # noqa: ANN401
    return np.asarray(column, dtype=np.int64)
