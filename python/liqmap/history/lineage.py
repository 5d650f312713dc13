"""What a map was made from, told by counts, times and the hashes of the files, as of any time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.timestamps import Instant, iso

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from liqmap._base.provenance import JSON
    from liqmap.history.queries import Ints

__all__ = ["TableLineage", "read_lineage", "summarise_lineage"]

# table: (SQL of a row's time, SQL of the microseconds after which it is known)
_ROW_TIMES = {
    "bars": ("ts", "interval_s * 1000000"),
    "open_interest": ("ts", "0"),
    "funding": ("ts", "0"),
    "liquidations": ("ts", "window_s * 1000000"),
    "depth": ("ts", "0"),
    "positions": ("ts", "0"),
    "margin_tiers": ("valid_from", "0"),
}


@dataclass(frozen=True, eq=False, slots=True)
class TableLineage:
    """The rows of one instrument in one table, by when they were known: one entry per such instant, ascending.

    Attributes:
        known: UTC microseconds.
        count: Rows known by then.
        first, last: The earliest and the latest time among them.
        files: sha256 of each file that some came from, in order, with the instant from which on some are known.
    """

    known: Ints
    count: Ints
    first: Ints
    last: Ints
    files: tuple[tuple[str, Instant], ...]


def read_lineage(connection: duckdb.DuckDBPyConnection, name: str) -> dict[str, TableLineage]:
    """Each table that holds something of the instrument."""
    found = {}
    for table, (when, length) in _ROW_TIMES.items():
        known = f"{when} + {length}"
        columns = connection.execute(
            f"SELECT {known} AS known, count(*) AS count, min({when}) AS first, max({when}) AS last FROM {table} "
            "WHERE instrument = $1 GROUP BY 1 ORDER BY 1",
            [name],
        ).fetchnumpy()
        if not len(columns["known"]):
            continue
        files = connection.execute(
            f"SELECT sha256, min({known}) FROM {table} JOIN loads USING (load_id) "
            "WHERE instrument = $1 GROUP BY 1 ORDER BY 1",
            [name],
        ).fetchall()
        found[table] = TableLineage(
            known=np.asarray(columns["known"], dtype=np.int64),
            count=np.cumsum(np.asarray(columns["count"], dtype=np.int64)),
            first=np.minimum.accumulate(np.asarray(columns["first"], dtype=np.int64)),
            last=np.maximum.accumulate(np.asarray(columns["last"], dtype=np.int64)),
            files=tuple((str(sha256), int(since)) for sha256, since in files),
        )
    return found


def summarise_lineage(found: Mapping[str, TableLineage], until: Instant) -> dict[str, JSON]:
    """Per table with something known by ``until``: how many rows, their first and last time, hashes of their files."""
    told: dict[str, JSON] = {}
    for table, rows in found.items():
        place = int(np.searchsorted(rows.known, until, side="right")) - 1
        if place >= 0:
            told[table] = {
                "rows": int(rows.count[place]),
                "first": iso(int(rows.first[place])),
                "last": iso(int(rows.last[place])),
                "sha256s": [sha256 for sha256, since in rows.files if since <= until],
            }
    return told
