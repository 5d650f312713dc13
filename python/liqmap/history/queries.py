"""Queries of market data, in a fixed order, as numpy arrays; no result depends on later data.

Queries read all rows of an instrument, so that their results can be cached
(:meth:`liqmap.history.store.Store.cached_query`); other functions select the rows that were known at a time.
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
    """Bars of one series, with the open interest known at the end of each bar; all arrays have one entry per bar.

    Attributes:
        instrument: ``venue:SYMBOL``.
        price_source: ``last``, ``mark``, ``index`` or ``spot``.
        ts: Start of each bar, UTC microseconds, ascending; the bar is known at ``ts + interval_s``.
        interval_s: Length of every bar, seconds.
        open: Quote currency, as are high, low and close.
        volume_base: Coin; NaN if unknown.
        taker_buy_base: Coin bought by takers; NaN if unknown.
        taker_net_base: Taker buys − sells, coin; NaN if unknown.
        oi_base: One-sided open interest, coin: the latest reading at or before the bar's end. A reading in USD only is
            divided by the close of the latest bar that had ended by its time (by the first bar's open if none had
            ended). NaN before the first reading.
        oi_age_us: Age of that reading at the bar's end, microseconds; −1 if there is none.
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
        """End of each bar, when it becomes known, UTC microseconds."""
        return np.asarray(self.ts + self.interval_s * 1_000_000, dtype=np.int64)

    def known(self, until: Instant) -> MarketBars:
        """Bars that had ended by ``until``; returns a cached object, so that derived results can be cached too."""
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
    """One-sided open interest at a time, in coin, in USD, or both."""

    ts: Instant
    base: float | None
    usd: float | None

    def coin(self, price: float) -> float | None:
        """Return open interest in coin; USD are converted at ``price`` if coin is unknown."""
        return self.base if self.base is not None or self.usd is None else self.usd / price


@dataclass(frozen=True, eq=False, slots=True)
class Liquidations:
    """Reported liquidations, by time and side.

    Attributes:
        ts: Start of the window, or time of the event, UTC microseconds.
        window_s: Length of the window, seconds; 0 for a single event.
        long: True if a long was liquidated, false for a short.
        price: Quote currency; NaN if unknown.
        size_base: Coin; NaN if unknown.
        usd: Notional, USD.
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
        """Return the liquidations whose whole window lies inside ``[start, end)``, hence known by ``end``."""
        inside = (self.ts >= start) & (self.ts < end) & (self.ts + self.window_s * 1_000_000 <= end)
        return Liquidations(*(getattr(self, name)[inside] for name in self.__slots__))


def read_instruments(connection: duckdb.DuckDBPyConnection) -> tuple[Instrument, ...]:
    """Return all instruments, sorted by name."""
    rows = connection.execute(
        "SELECT instrument, kind, payoff, base, quote, settle, contract_size, tick_size, expiry FROM instruments "
        "ORDER BY instrument"
    ).fetchall()
    return tuple(Instrument(*row) for row in rows)


def read_instrument(connection: duckdb.DuckDBPyConnection, name: str) -> Instrument:
    """Return an instrument by name.

    Raises:
        NotFoundError: The history does not contain it.
    """
    return require_instrument(read_instruments(connection), name)


def require_instrument(instruments: Sequence[Instrument], name: str) -> Instrument:
    """Return the instrument with a name.

    Raises:
        NotFoundError: None of ``instruments`` has the name.
    """
    found = next((instrument for instrument in instruments if instrument.name == name), None)
    if found is None:
        names = ", ".join(instrument.name for instrument in instruments) or "none yet"
        raise NotFoundError("history", "instrument", repr(name), f"an instrument of the history: {names}", "stopped")
    return found


def read_tiers(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[Tier, ...]:
    """Return all tier tables of an instrument, oldest first, each in ascending order of tiers.

    Raises:
        NotFoundError: The history has no tier table for the instrument.
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
    """Return the tier table in force at a time, or the earliest table if ``at`` precedes it."""
    since = max((tier.valid_from for tier in tables if tier.valid_from <= at), default=tables[0].valid_from)
    return [tier for tier in tables if tier.valid_from == since]


def read_series_ends(connection: duckdb.DuckDBPyConnection, name: str) -> dict[tuple[int, str], Ints]:
    """Return the end of each bar per series, ascending; a series is a bar length in seconds and a price source."""
    kinds = connection.execute(
        "SELECT DISTINCT interval_s, price_source FROM bars WHERE instrument = $1 ORDER BY ALL", [name]
    ).fetchall()
    query = (
        "SELECT ts + interval_s * 1000000 AS ended FROM bars "
        "WHERE instrument = $1 AND interval_s = $2 AND price_source = $3 ORDER BY ts"
    )
    return {kind: _to_ints(connection.execute(query, [name, *kind]).fetchnumpy()["ended"]) for kind in kinds}


def choose_series(
    ends_of_series: Mapping[tuple[int, str], Ints],
    name: str,
    until: Instant | None = None,
    *,
    interval_s: int | None = None,
    price_source: str | None = None,
) -> tuple[int, str]:
    """Choose the series of bars to read; returns the bar length in seconds and the price source.

    Series are preferred that are current (their end is within two of their bars of the latest end), then by price
    source (last, mark, index, spot), then by number of bars. ``interval_s`` and ``price_source`` restrict the choice.

    Raises:
        NotFoundError: No bar of such a series had ended by ``until``.
    """
    counts = {
        kind: len(ends) if until is None else int(np.searchsorted(ends, until, side="right"))
        for kind, ends in ends_of_series.items()
        if interval_s in (None, kind[0]) and price_source in (None, kind[1])
    }
    latest = {kind: int(ends_of_series[kind][count - 1]) for kind, count in counts.items() if count}
    if not latest:
        first = min((int(ends[0]) for ends in ends_of_series.values()), default=None)
        found = "no bars" if until in (None, FOREVER) else f"no bars known by {iso(until)}"
        expected = "bars; load some" if first is None else f"a time from {iso(first)}"
        raise NotFoundError("history", name, found, expected, "stopped")
    newest = max(latest.values())
    fresh = [kind for kind, end in latest.items() if newest - end <= 2 * kind[0] * 1_000_000]
    return min(fresh, key=lambda kind: (_PRICE_SOURCE_ORDER.index(kind[1]), -counts[kind]))


def read_market_bars(
    connection: duckdb.DuckDBPyConnection, name: str, interval_s: int, price_source: str
) -> MarketBars:
    """Return all bars of a series, with the open interest known at the end of each; cf. :meth:`MarketBars.known`."""
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


# No row of the result depends on later rows, so all bars are read once and truncated to the requested time.
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
    """Return the funding rates known by ``until`` (default: all)."""
    until = FOREVER if until is None else until
    columns = connection.execute(
        "SELECT ts, rate, interval_h FROM funding WHERE instrument = $1 AND ts <= $2 ORDER BY ts", [name, until]
    ).fetchnumpy()
    return Funding(_to_ints(columns["ts"]), _to_floats(columns["rate"]), _to_floats(columns["interval_h"]))


def read_open_interest(connection: duckdb.DuckDBPyConnection, name: str, until: Instant) -> OpenInterest | None:
    """Return the latest reading by ``until``, or ``None``; for an instrument without bars."""
    row = connection.execute(
        "SELECT ts, oi_base, oi_usd FROM open_interest WHERE instrument = $1 AND ts <= $2 ORDER BY ts DESC LIMIT 1",
        [name, until],
    ).fetchone()
    return None if row is None else OpenInterest(int(row[0]), row[1], row[2])


def read_liquidations(connection: duckdb.DuckDBPyConnection, name: str) -> Liquidations:
    """Return all reported liquidations; :meth:`Liquidations.between` selects a span."""
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


def _to_floats(column: Any) -> Floats:  # noqa: ANN401 - masked or plain array from DuckDB
    return np.asarray(np.ma.filled(np.ma.asarray(column, dtype=np.float64), np.nan), dtype=np.float64)


def _to_ints(column: Any) -> Ints:  # noqa: ANN401
    return np.asarray(column, dtype=np.int64)
