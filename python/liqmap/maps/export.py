"""A map as a table: Arrow, Parquet, and CSV without cells that a spreadsheet would run as formulas."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import arro3.core as arro3
import numpy as np

from liqmap._base.timestamps import iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from liqmap.maps.types import BinnedMap

__all__ = ["csv_text", "safe_cell", "to_arrow", "to_csv", "to_parquet"]

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")


def to_arrow(of: BinnedMap) -> arro3.Table:
    """One row per filled bin, by side (longs first), leverage, price.

    Returns:
        Columns ``price_low``, ``price_high`` (quote currency), ``side``, ``leverage``, ``notional_usd`` and
        ``observed_usd``, the observed part of it; the schema's metadata holds instrument, time and mark price.
    """
    edges = of.grid.edges()
    leverage = np.asarray(of.brackets, dtype=np.float64)
    parts = []
    observed = (None, None) if of.observed is None else (of.observed.long, of.observed.short)
    for bins, observed_bins in zip((of.long, of.short), observed, strict=True):
        row, column = np.nonzero(bins)
        part = np.zeros(len(row)) if observed_bins is None else observed_bins[row, column]
        parts.append((edges[column], edges[column + 1], leverage[row], bins[row, column], part))
    low, high, lever, usd, observed_usd = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    side = ["long"] * len(parts[0][0]) + ["short"] * len(parts[1][0])
    metadata = {"instrument": of.instrument, "at": iso(of.at), "mark_price": repr(of.mark_price)}
    columns = {
        "price_low": arro3.Array.from_numpy(low),
        "price_high": arro3.Array.from_numpy(high),
        "side": arro3.Array(side, arro3.DataType.utf8()),
        "leverage": arro3.Array.from_numpy(lever),
        "notional_usd": arro3.Array.from_numpy(usd),
        "observed_usd": arro3.Array.from_numpy(observed_usd),
    }
    fields = [arro3.Field(name, column.type) for name, column in columns.items()]
    return arro3.Table.from_arrays(list(columns.values()), schema=arro3.Schema(fields, metadata=metadata))


def to_csv(of: BinnedMap) -> str:
    """:func:`to_arrow` as CSV text, with instrument and time in front and LF line ends."""
    table = to_arrow(of)
    columns = [column.to_pylist() for column in table.columns]
    # Cells that are equal in all lines are escaped once, for speed.
    prefix = csv_text([of.instrument, iso(of.at)], ()).rstrip("\n")
    lines = (",".join([prefix, *map(str, row)]) for row in zip(*columns, strict=True))
    return csv_text(["instrument", "at", *table.column_names], ()) + "".join(f"{line}\n" for line in lines)


def to_parquet(of: BinnedMap, path: Path) -> None:
    """:func:`to_arrow` as a Parquet file, written by DuckDB."""
    import duckdb  # noqa: PLC0415 - a chart in a notebook needs no database

    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        connection.from_arrow(to_arrow(of)).write_parquet(str(path), compression="zstd")


def csv_text(header: Sequence[str], lines: Iterable[Sequence[str | float | int | None]]) -> str:
    """CSV text in which every text cell is escaped by :func:`safe_cell`; a missing value is an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([safe_cell(cell) for cell in header])
    writer.writerows([safe_cell(cell) if isinstance(cell, str) else cell for cell in line] for line in lines)
    return out.getvalue()


def safe_cell(text: str) -> str:
    """Escape a text for CSV: on one line, with an apostrophe in front if it begins like a spreadsheet formula.

    Example:
        >>> safe_cell("=cmd|' /C calc'!A0"), safe_cell("binance:BTCUSDT")
        ("'=cmd|' /C calc'!A0", 'binance:BTCUSDT')
    """
    plain = text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
    return f"'{plain}" if text.startswith(_FORMULA_STARTS) else plain
