"""Downloads of a page: one table as CSV, JSON and Parquet with identical rows."""

from __future__ import annotations

import json
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import arro3.core as arro3
import duckdb

from liqmap.maps.export import csv_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Cell", "parquet_bytes", "table_files"]

Cell: TypeAlias = str | float | int | None


def table_files(stem: str, head: Sequence[str], lines: Iterable[Sequence[Cell]]) -> dict[str, bytes]:
    r"""Write a table as ``<stem>.csv``, ``<stem>.json`` and ``<stem>.parquet``.

    Text cells are escaped against spreadsheet formulas in the CSV only. JSON is a list of objects. A Parquet column is
    text if any cell is text, an integer if all cells are integers, else a float. Missing values are empty or null.

    Example:
        >>> files = table_files("levels", ["side", "price"], [["long", 70_000.5], ["short", None]])
        >>> files["levels.csv"], json.loads(files["levels.json"])[1], sorted(files)[-1]
        (b'side,price\nlong,70000.5\nshort,\n', {'side': 'short', 'price': None}, 'levels.parquet')
    """
    rows = [tuple(line) for line in lines]
    objects = [dict(zip(head, row, strict=True)) for row in rows]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(head)
    table = arro3.Table.from_arrays([_arrow_column(column) for column in columns], names=list(head))
    listed = ",\n".join(json.dumps(entry, ensure_ascii=False, allow_nan=False) for entry in objects)
    return {
        f"{stem}.csv": csv_text(head, rows).encode(),
        f"{stem}.json": f"[{listed}]\n".encode(),
        f"{stem}.parquet": parquet_bytes(table),
    }


def parquet_bytes(table: arro3.Table) -> bytes:
    """Encode an Arrow table as Parquet; identical rows give identical bytes."""
    with tempfile.TemporaryDirectory(prefix="liqmap-") as scratch:
        path = Path(scratch) / "table.parquet"
        _connection().from_arrow(table).write_parquet(str(path), compression="zstd")
        return path.read_bytes()


def _arrow_column(cells: Sequence[Cell]) -> arro3.Array:
    there = [cell for cell in cells if cell is not None]
    if any(isinstance(cell, str) for cell in there):
        return arro3.Array([cell if cell is None else str(cell) for cell in cells], arro3.DataType.utf8())
    if there and all(isinstance(cell, int) for cell in there):
        return arro3.Array(list(cells), arro3.DataType.int64())
    return arro3.Array([cell if cell is None else float(cell) for cell in cells], arro3.DataType.float64())


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET threads = 1")  # with several threads the order of row groups is not deterministic
    return connection
