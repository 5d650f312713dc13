"""``liqmap calibrate``: fit the distances of positions to realised liquidations."""

from __future__ import annotations

import json as text
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

__all__ = ["calibrate"]


def calibrate(
    instrument: str,
    /,
    *,
    db: Path,
    start: str,
    end: str,
    feed: str | None = None,
    issued_at: str | None = None,
    interval: str | None = None,
    price_source: str | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Fit and put on record: maps of the same bars use it from then on, never before.

    Args:
        instrument: venue:SYMBOL, such as binance:BTCUSDT; its bars need volume.
        db: The history file.
        start: Start of the fitted span; a year of bars before it is a good warm-up.
        end: End of the fitted span.
        feed: Whose realised liquidations, such as coinglass:BTC; the instrument's own if left out.
        issued_at: From when on maps may use it; the end of the fitted span if left out.
        interval: Which bars, such as 1h.
        price_source: Which bars: last, mark, index or spot.
        json: One JSON object.
    """
    from liqmap import public  # noqa: PLC0415 - the front door opens quickly
    from liqmap._base.timestamps import iso  # noqa: PLC0415
    from liqmap.score.markdown_tables import kernel  # noqa: PLC0415

    with public.open_history(db, "w") as history:
        fitted = history.calibrate(
            instrument, start, end, feed=feed, issued_at=issued_at, interval=interval, price_source=price_source
        )
    if json:
        sys.stdout.write(text.dumps(fitted.to_dict(), allow_nan=False) + "\n")
        return
    head = f"{instrument}: thousandths of traded volume by distance, in force from {iso(fitted.issued_at)}"
    sys.stdout.write("\n\n".join([head, kernel(fitted), *(f"assumed: {note}" for note in fitted.notes)]) + "\n")
