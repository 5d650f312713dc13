"""When an account was looked at: only that tells a position that was closed from one that was not looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liqmap._base.timestamps import EARLIEST
from liqmap.history.loading.account_hashes import hash_of
from liqmap.history.loading.field_sql import number_of, time_of, unit_of

if TYPE_CHECKING:
    import duckdb

    from liqmap.history.loading.staging import Staged
    from liqmap.history.loading.venue_rows import Payload

__all__ = ["record"]


def record(
    connection: duckdb.DuckDBPyConnection,
    staged: Staged,
    payload: Payload | None,
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
    if payload is None:
        seen, given = f"SELECT account, source, ts FROM {staged.name} WHERE fault IS NULL", []
    else:
        given = [list(column) for column in zip(*payload.seen, strict=True)] or [[], [], []]
        time, number = "a", "n"
        seen = (
            f"SELECT {hash_of(connection, 'trim(account)')} AS account, source, {time_of(time, number, 'u')} AS ts "
            f"FROM (SELECT *, {unit_of(time, number)} AS u FROM (SELECT *, {number_of(time)} AS n FROM "
            "(SELECT unnest($1::VARCHAR[]) AS account, unnest($2::VARCHAR[]) AS source, unnest($3::VARCHAR[]) AS a)))"
        )
    only = "NULL" if instrument is None else f"${len(given) + 1}"
    connection.execute(
        f"INSERT INTO sightings SELECT DISTINCT account, source, ts, {only}, {load_id} FROM ({seen}) "
        f"WHERE ts BETWEEN {EARLIEST} AND {latest} ORDER BY ts, source, account",
        [*given, *([] if instrument is None else [instrument])],
    )
