"""Lineage: row counts, time ranges and file hashes of a map's inputs, as of any time."""

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

# table: (SQL of a row's time, SQL of the delay in microseconds until the row is known)
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
    """Lineage of one instrument in one table; one entry for each time at which rows became known, ascending.

    Attributes:
        known: Time at which rows became known, UTC microseconds.
        count: Number of rows known by then.
        first, last: Earliest and latest time of these rows.
        files: SHA-256 of each source file, in order, with the time at which its first row became known.
    """

    known: Ints
    count: Ints
    first: Ints
    last: Ints
    files: tuple[tuple[str, Instant], ...]


def read_lineage(connection: duckdb.DuckDBPyConnection, name: str) -> dict[str, TableLineage]:
    """Return the lineage of an instrument for each table that contains it."""
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
    """Return the rows known by ``until`` per table: row count, first and last time, and hashes of the source files."""
    summary: dict[str, JSON] = {}
    for table, rows in found.items():
        index = int(np.searchsorted(rows.known, until, side="right")) - 1
        if index >= 0:
            summary[table] = {
                "rows": int(rows.count[index]),
                "first": iso(int(rows.first[index])),
                "last": iso(int(rows.last[index])),
                "sha256s": [sha256 for sha256, since in rows.files if since <= until],
            }
    return summary
