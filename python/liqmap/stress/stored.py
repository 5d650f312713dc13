"""Depth from a history: the latest book of an instrument at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from liqmap.stress.depth import Depth
from liqmap.stress.ladder import Orders

if TYPE_CHECKING:
    from liqmap.clock import Instant
    from liqmap.history.store import Store

__all__ = ["MAX_AGE", "stored_depth"]

MAX_AGE = 3_600_000_000
"""A book older than an hour says little about the next one."""


def stored_depth(store: Store, instrument: str, at: Instant, *, max_age: Instant = MAX_AGE) -> Depth | None:
    """The latest book known at ``at`` and not older than ``max_age`` (microseconds), or ``None``.

    Archives of bands keep each band's size at its mean price; books keep their orders: both are read as orders.

    Raises:
        NotFoundError: The history has no such instrument.
        InputError: The book holds no usable order.
    """
    store.instrument(instrument)
    with store.reading() as connection:
        rows = connection.execute(
            "SELECT side = 'bid', price, price * size_base, ts FROM depth WHERE instrument = $1 AND ts = "
            "(SELECT max(ts) FROM depth WHERE instrument = $1 AND ts <= $2 AND ts >= $3) ORDER BY side, price",
            [instrument, at, at - max_age],
        ).fetchall()
    if not rows:
        return None
    table = np.array([row[:3] for row in rows], dtype=np.float64)
    bid = table[:, 0] == 1
    orders = Orders(table[bid, 1], table[bid, 2], table[~bid, 1], table[~bid, 2])
    return Depth.of_orders(instrument, int(rows[0][3]), orders)
