"""Depth from a history: the latest order book of an instrument as of a time."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.errors import NotFoundError
from liqmap.stress.book_side import RestingOrders
from liqmap.stress.depth import Depth

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from liqmap._base.timestamps import Instant
    from liqmap.history.store import Store

__all__ = ["MAX_AGE", "depth_from_history", "instruments_with_books", "merged_depth_from_history"]

MAX_AGE = 3_600_000_000
"""Maximum age of an order book, microseconds (one hour)."""


def depth_from_history(store: Store, instrument: str, at: Instant, *, max_age: Instant = MAX_AGE) -> Depth | None:
    """Return the latest book as of ``at``, not older than ``max_age`` (microseconds), or ``None``.

    Archives of depth by distance are stored with each band's size at its mean price, and are read like orders.

    Raises:
        NotFoundError: The history has no such instrument.
        InputError: The book has no valid order.
    """
    store.instrument(instrument)
    known = store.cached_query(_book_times, instrument)
    last = bisect_right(known, at) - 1
    if last < 0 or known[last] < at - max_age:
        return None
    with store.reading() as connection:
        rows = connection.execute(
            "SELECT side = 'bid', price, price * size_base FROM depth WHERE instrument = $1 AND ts = $2 "
            "ORDER BY side, price",
            [instrument, known[last]],
        ).fetchall()
    table = np.array(rows, dtype=np.float64)
    bid = table[:, 0] == 1
    orders = RestingOrders(table[bid, 1], table[bid, 2], table[~bid, 1], table[~bid, 2])
    return Depth.of_orders(instrument, known[last], orders)


def _book_times(connection: duckdb.DuckDBPyConnection, instrument: str) -> list[Instant]:
    """Return the times of the stored books, ascending."""
    rows = connection.execute("SELECT DISTINCT ts FROM depth WHERE instrument = $1 ORDER BY ts", [instrument])
    return [int(row[0]) for row in rows.fetchall()]


def merged_depth_from_history(
    store: Store, instruments: Sequence[str], at: Instant, *, max_age: Instant = MAX_AGE
) -> Depth | None:
    """Return the merged latest books of several instruments; ``None`` if no instrument has one.

    Raises:
        NotFoundError: The history has no such instrument.
        InputError: A book has no valid order.
    """
    found = (depth_from_history(store, name, at, max_age=max_age) for name in instruments)
    books = [book for book in found if book is not None]
    return Depth.merged(*books) if books else None


def instruments_with_books(store: Store, market: str) -> list[str]:
    """Return the instruments whose books belong to a market; simulated ones only if there are no others.

    Raises:
        NotFoundError: The history has no contract on the base asset.
    """
    members = [one for one in store.instruments() if one.base == market and one.kind != "aggregate"]
    if not members:
        known = ", ".join(sorted({one.base for one in store.instruments()})) or "none yet"
        raise NotFoundError(
            "depth", market, "no instrument of this market", f"a market of the history: {known}", "no depth"
        )
    real = any(not one.simulated for one in members)
    return [one.name for one in members if not (real and one.simulated)]
