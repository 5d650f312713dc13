"""``liqmap heatmap``: liquidation maps at regular times."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from liqmap import public
from liqmap._base.timestamps import iso

if TYPE_CHECKING:
    from liqmap.maps.heatmap import Heatmap

__all__ = ["heatmap"]


def heatmap(
    instrument: str,
    /,
    *,
    db: Path,
    start: str,
    end: str,
    step: str = "1h",
    csv: Annotated[bool, Parameter(negative="")] = False,
    parquet: Path | None = None,
    tracks: Path | None = None,
) -> None:
    """Build the map at every step between two times and write it by column or by cell.

    Args:
        instrument: venue:SYMBOL, such as binance:BTCUSDT.
        db: The history file.
        start: Time of the first column, ISO 8601.
        end: Latest time of the last column.
        step: Time between columns: 5m, 1h, 1d.
        csv: Print one row per column: price, mapped notional, predicted liquidations, open interest.
        parquet: Write one row per non-empty cell to this file.
        tracks: Track clusters and write one CSV row per cluster and column to this file.
    """
    with public.open_history(db) as history:
        made = history.heatmap(instrument, start, end, step)
        if tracks is not None:
            tracks.write_text(history.tracks(instrument, start, end, step).to_csv(), encoding="utf-8")
    if parquet is not None:
        made.to_parquet(parquet)
    if csv:
        sys.stdout.write(columns(made))
    else:
        cells = f"{made.long.shape[0]:,} columns of {made.long.shape[2]:,} bins"
        where = "" if parquet is None else f" → {parquet}"
        sys.stdout.write(f"{made.instrument}   {iso(int(made.at[0]))} … {iso(int(made.at[-1]))}   {cells}{where}\n")


def columns(made: Heatmap) -> str:
    """The heatmap as CSV, one row per column."""
    from liqmap.maps.export import csv_text  # noqa: PLC0415 - load tables only when needed

    header = ["at", "low", "high", "close", "long_usd", "short_usd", "predicted_long_usd", "predicted_short_usd"]
    on_map = [(side.sum(axis=(1, 2)) + made.outside[:, k]).tolist() for k, side in enumerate((made.long, made.short))]
    swept = made.predicted.sum(axis=2)
    lines = zip(
        (iso(int(t)) for t in made.at),
        made.low.tolist(),
        made.high.tolist(),
        made.close.tolist(),
        *on_map,
        swept[:, 0].tolist(),
        swept[:, 1].tolist(),
        made.open_interest.tolist(),
        strict=True,
    )
    return csv_text([*header, "open_interest"], lines)
