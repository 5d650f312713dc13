"""Account snapshots: the times at which an account was queried, which distinguish closed from unobserved positions."""

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
    """Record the account snapshots of a file in the table ``sightings``, including those without positions.

    Args:
        connection: Connection inside the load's transaction.
        staged: Positions read from the file.
        venue_rows: Rows of the venue's JSON, if the file is JSON.
        instrument: The requested instrument; the snapshot then does not cover other instruments.
        load_id: Id of the load.
        latest: Latest plausible time, UTC microseconds.
    """
    if venue_rows is None:
        snapshots, values = f"SELECT account, source, ts FROM {staged.name} WHERE failed_check IS NULL", []
    else:
        values = [list(column) for column in zip(*venue_rows.snapshots, strict=True)] or [[], [], []]
        text, number, unit = "time_text", "time_number", "time_unit"
        snapshots = (
            f"SELECT {account_hash_sql(connection, 'trim(account)')} AS account, source, "
            f"{time_sql(text, number, unit)} AS ts "
            f"FROM (SELECT *, {time_unit_sql(text, number)} AS {unit} FROM "
            f"(SELECT *, {number_sql(text)} AS {number} FROM (SELECT unnest($1::VARCHAR[]) AS account, "
            f"unnest($2::VARCHAR[]) AS source, unnest($3::VARCHAR[]) AS {text})))"
        )
    only = "NULL" if instrument is None else f"${len(values) + 1}"
    connection.execute(
        f"INSERT INTO sightings SELECT DISTINCT account, source, ts, {only}, {load_id} FROM ({snapshots}) "
        f"WHERE ts BETWEEN {EARLIEST} AND {latest} ORDER BY ts, source, account",
        [*values, *([] if instrument is None else [instrument])],
    )
