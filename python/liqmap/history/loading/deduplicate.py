"""Deduplication of staged rows within a file and against the history, aggregation, and the final insert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liqmap._base.errors import InputError
from liqmap._base.timestamps import iso
from liqmap.history.column_limits import TABLES

if TYPE_CHECKING:
    import duckdb

    from liqmap.history.column_limits import Table
    from liqmap.history.loading.staging import Staging
    from liqmap.history.loading.types import StagedRows

__all__ = ["aggregate", "compare_with_stored", "drop_duplicates", "drop_unfinished", "insert_rows"]

_MINUTE_US = 60_000_000


def _same_key_sql(table: Table, a: str, b: str) -> str:
    pairs = zip(table.key_sql(a), table.key_sql(b), strict=True)
    return " AND ".join(f"{x} = {y}" if x.startswith(f"{a}.") else f"{x} IS NOT DISTINCT FROM {y}" for x, y in pairs)


def _same_row_sql(table: Table, a: str, b: str) -> str:
    return " AND ".join(f'{a}."{n}" IS NOT DISTINCT FROM {b}."{n}"' for n in table.names)


def drop_duplicates(staging: Staging, staged: StagedRows) -> int:
    """Delete identical repeats of rows in the file and return their number.

    Raises:
        InputError: Two rows have the same key and different values; the message names both.
    """
    connection, name, table = staging.connection, staged.name, staged.table
    keys = ", ".join(f"{k} AS k{i}" for i, k in enumerate(table.key_sql("s")))
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE duplicate_keys AS SELECT {keys}, min(s.row_index) AS first_row FROM {name} s "
        "GROUP BY ALL HAVING count(*) > 1"
    )
    if not _count(connection, "duplicate_keys"):
        return 0
    joined = " AND ".join(f"{k} IS NOT DISTINCT FROM t.k{i}" for i, k in enumerate(table.key_sql("s")))
    pairs = (
        f"{name} s JOIN duplicate_keys t ON {joined} JOIN {name} f ON f.row_index = t.first_row "
        "WHERE s.row_index <> t.first_row"
    )
    conflict = connection.execute(
        f"SELECT f.row_index, s.row_index FROM {pairs} AND NOT ({_same_row_sql(table, 'f', 's')}) "
        "ORDER BY s.row_index LIMIT 1"
    ).fetchone()
    if conflict:
        first, second = staging.rows.line_number(int(conflict[0])), staging.rows.line_number(int(conflict[1]))
        raise InputError(
            "load",
            staging.source.where,
            f"the key of row {first} with different values ({_key_text(connection, staged, int(conflict[1]))})",
            "one row per key",
            "nothing stored",
            row=second,
        )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE duplicates AS SELECT s.row_index FROM {pairs}")
    connection.execute(f"DELETE FROM {name} WHERE row_index IN (SELECT row_index FROM duplicates)")
    return _count(connection, "duplicates")


def _key_text(connection: duckdb.DuckDBPyConnection, staged: StagedRows, row: int) -> str:
    """Format the key of a staged row for a message."""
    columns = [c for c in staged.table.columns if f"{{t}}.{c.name}" in staged.table.key]
    names = ", ".join(f'"{c.name}"' for c in columns)
    values = connection.execute(f"SELECT {names} FROM {staged.name} WHERE row_index = {row}").fetchone() or ()
    texts = [iso(v) if c.kind == "time" and v is not None else str(v) for c, v in zip(columns, values, strict=False)]
    return " ".join(texts)


def compare_with_stored(staging: Staging, staged: StagedRows, load_id: int, *, replace: bool) -> tuple[int, int]:
    """Compare staged rows with stored ones; return the numbers of identical and of replaced stored rows.

    Raises:
        InputError: A stored row has the same key and different values, and ``replace`` is false.
    """
    connection, name, table = staging.connection, staged.name, staged.table
    time = table.time_field
    in_range = (
        f' AND t."{time}" BETWEEN (SELECT min("{time}") FROM {name}) AND (SELECT max("{time}") FROM {name})'
        if time
        else ""
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE matched AS SELECT s.row_index, t.rowid AS stored, t.load_id AS load_id, "
        f"({_same_row_sql(table, 's', 't')}) AS identical "
        f"FROM {name} s JOIN {table.name} t ON {_same_key_sql(table, 's', 't')}{in_range}"
    )
    conflict = connection.execute(
        "SELECT row_index, load_id FROM matched WHERE NOT identical AND ($1 OR load_id = $2) "
        "ORDER BY row_index LIMIT 1",
        [not replace, load_id],
    ).fetchone()
    if conflict:
        raise _conflict_error(staging, staged, int(conflict[0]), conflict[1], load_id)
    known = _count(connection, "matched WHERE identical")
    replaced = _count(connection, "matched WHERE NOT identical")
    if known:
        connection.execute(f"DELETE FROM {name} WHERE row_index IN (SELECT row_index FROM matched WHERE identical)")
    if replaced:
        connection.execute(
            "UPDATE loads SET rows = rows - replaced FROM (SELECT load_id, count(DISTINCT stored) AS replaced "
            "FROM matched WHERE NOT identical GROUP BY load_id) m WHERE loads.load_id = m.load_id"
        )
        connection.execute(f"DELETE FROM {table.name} WHERE rowid IN (SELECT stored FROM matched WHERE NOT identical)")
    return known, replaced


def _conflict_error(staging: Staging, staged: StagedRows, row: int, stored_by: object, load_id: int) -> InputError:
    origin = "liqmap's catalogue"
    if stored_by is not None:
        found = staging.connection.execute("SELECT source FROM loads WHERE load_id = $1", [stored_by]).fetchone()
        origin = "another file of this archive" if stored_by == load_id else f"load {stored_by} ({found and found[0]})"
    key = _key_text(staging.connection, staged, row)
    return InputError(
        "load",
        staging.source.where,
        f"{staged.table.name} {key} with values other than those stored from {origin}",
        "identical values, or a load with replace",
        "nothing stored",
        row=None if staged.aggregated else staging.rows.line_number(row),
    )


def aggregate(staging: Staging, staged: StagedRows) -> StagedRows:
    """Aggregate trades to one-minute bars and depth bands to order book levels; return other rows unchanged."""
    if staged.table.aggregated_into is None:
        return staged
    into = TABLES[staged.table.aggregated_into]
    name = f"{staged.name}_{into.name}"
    select = {"trades": _TRADES_TO_BARS, "bands": _BANDS_TO_DEPTH}[staged.table.name].format(
        rows=staged.name, minute=_MINUTE_US
    )
    staging.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT row_number() OVER () AS row_index, * FROM ({select})"
    )
    staging.connection.execute(f"DROP TABLE {staged.name}")
    return type(staged)(name, into, staged.target, staged.checks, staged.rows, aggregated=True)


# Open and close are determined by trade id, because several trades can have the same millisecond.
_TRADES_TO_BARS = """
SELECT instrument, ts - ts % {minute} AS ts, 60 AS interval_s,
       arg_min(price, trade_id) AS open, max(price) AS high, min(price) AS low, arg_max(price, trade_id) AS close,
       fsum(size_base) AS volume_base, fsum(CASE WHEN taker = 'buy' THEN size_base ELSE 0 END) AS taker_buy_base,
       CAST(NULL AS DOUBLE) AS taker_net_base, 'last' AS price_source
FROM {rows} GROUP BY ALL ORDER BY instrument, ts
"""

# A band contains the depth between its edge and the next inner edge. Storing its size at its mean price preserves both
# the sum in coin and the sum in USD.
_BANDS_TO_DEPTH = """
SELECT instrument, ts, CASE WHEN percent < 0 THEN 'bid' ELSE 'ask' END AS side, usd / base AS price, base AS size_base
FROM (SELECT instrument, ts, percent,
             depth_base - lag(depth_base, 1, 0) OVER inner_first AS base,
             depth_usd - lag(depth_usd, 1, 0) OVER inner_first AS usd
      FROM {rows}
      WINDOW inner_first AS (PARTITION BY instrument, ts, percent < 0 ORDER BY abs(percent)))
WHERE base > 0 AND usd > 0 ORDER BY instrument, ts, price
"""


def drop_unfinished(staging: Staging, staged: StagedRows, now: int) -> int:
    """Delete bars and windows that end after ``now``, because their values can still change; return their number."""
    length = {"bars": "interval_s", "liquidations": "window_s"}.get(staged.table.name)
    if length is None:
        return 0
    unfinished = f"{staged.name} WHERE ts + {length} * 1000000 > {now}"
    count = _count(staging.connection, unfinished)
    if count:
        staging.connection.execute(f"DELETE FROM {unfinished}")
    return count


def insert_rows(staging: Staging, staged: StagedRows, load_id: int) -> int:
    """Insert the staged rows into their table in order of time and return their number."""
    table = staged.table
    names = ", ".join(f'"{n}"' for n in table.names)
    derived = ("venue, symbol, ", "split_part(instrument, ':', 1), instrument[strpos(instrument, ':') + 1:], ")
    extra_names, extra_values = derived if table.name == "instruments" else ("", "")
    order = "row_index" if table.time_field is None else f'"{table.time_field}", row_index'
    count = _count(staging.connection, staged.name)
    staging.connection.execute(
        f"INSERT INTO {table.name} ({extra_names}{names}, load_id) "
        f"SELECT {extra_values}{names}, {load_id} FROM {staged.name} ORDER BY {order}"
    )
    staging.connection.execute(f"DROP TABLE {staged.name}")
    return count


def _count(connection: duckdb.DuckDBPyConnection, what: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {what}").fetchone()
    return int(row[0]) if row else 0
