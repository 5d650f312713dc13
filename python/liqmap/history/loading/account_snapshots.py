"""When an account was looked at: only that tells a position that was closed from one that was not looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liqmap._base.timestamps import EARLIEST
from liqmap.history.loading.account_hashes import account_hash_sql
from liqmap.history.loading.field_sql import number_sql, time_sql, time_unit_sql

if TYPE_CHECKING:
    import duckdb

    from liqmap.history.loading.types import StagedRows, VenueRows

__all__ = ["record_account_snapshots"]


def record_account_snapshots(
    connection: duckdb.DuckDBPyConnection,
    staged: StagedRows,
    venue_rows: VenueRows | None,
    *,
    instrument: str | None,
    load_id: int,
    latest: int,
) -> None:
    """Write down which accounts a file speaks of, and as of when; an answer without positions speaks too.

    Args:
        connection: Inside the load's transaction.
        staged: Positions that were read.
        payload: The venue's answer they stood in, if they did.
        instrument: The only one that was read, if one was asked for: of others nothing is known then.
        load_id: The load.
        latest: The latest time that is believed, UTC microseconds.
    """
    if venue_rows is None:
        snapshots, values = f"SELECT account, source, ts FROM {staged.name} WHERE failed_check IS NULL", []
    else:
        values = [list(column) for column in zip(*venue_rows.snapshots, strict=True)] or [[], [], []]
        time, number = "a", "n"
        snapshots = (
            f"SELECT {account_hash_sql(connection, 'trim(account)')} AS account, source, "
            f"{time_sql(time, number, 'u')} AS ts "
            f"FROM (SELECT *, {time_unit_sql(time, number)} AS u FROM (SELECT *, {number_sql(time)} AS n FROM "
            "(SELECT unnest($1::VARCHAR[]) AS account, unnest($2::VARCHAR[]) AS source, unnest($3::VARCHAR[]) AS a)))"
        )
    only = "NULL" if instrument is None else f"${len(values) + 1}"
    connection.execute(
        f"INSERT INTO sightings SELECT DISTINCT account, source, ts, {only}, {load_id} FROM ({snapshots}) "
        f"WHERE ts BETWEEN {EARLIEST} AND {latest} ORDER BY ts, source, account",
        [*values, *([] if instrument is None else [instrument])],
    )
