"""Queries for the map of a market: the end of each instrument's bars, and the spot price."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from liqmap._base.timestamps import Instant

__all__ = ["last_ends", "spot_price"]


def last_ends(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> dict[str, Instant]:
    """Return the end of the last bar of each instrument, UTC microseconds; instruments without bars are omitted."""
    rows = connection.execute(
        "SELECT instrument, max(ts + interval_s * 1000000) FROM bars WHERE list_contains($1, instrument) "
        "GROUP BY instrument ORDER BY instrument",
        [list(names)],
    ).fetchall()
    return {str(name): int(end) for name, end in rows}


def spot_price(
    connection: duckdb.DuckDBPyConnection, names: Sequence[str], at: Instant, *, max_age: Instant
) -> tuple[str, str, float] | None:
    """Return the latest spot close of any of the instruments, or the latest index close as a fallback.

    Args:
        connection: Connection to the history.
        names: Instruments of one market.
        at: As-of time; only bars that ended by then are used.
        max_age: Maximum time since the end of the bar, microseconds.

    Returns:
        Instrument, price source and price; ``None`` if there is no such bar.
    """
    row = connection.execute(
        "SELECT instrument, price_source, close FROM bars WHERE list_contains($1, instrument) "
        "AND price_source IN ('spot', 'index') AND ts + interval_s * 1000000 BETWEEN $2 AND $3 "
        "ORDER BY price_source = 'spot' DESC, ts + interval_s * 1000000 DESC, instrument, interval_s LIMIT 1",
        [list(names), at - max_age, at],
    ).fetchone()
    return None if row is None else (str(row[0]), str(row[1]), float(row[2]))
