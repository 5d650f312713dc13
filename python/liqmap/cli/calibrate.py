"""``liqmap calibrate``: fit the distribution of liquidation distances to realised liquidations."""

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
    """Fit a recipe and store it in the history; maps of the same bars use it from its issue time on.

    Args:
        instrument: venue:SYMBOL, such as binance:BTCUSDT; its bars must include volume.
        db: The history file.
        start: Start of the fitting period; one year of earlier bars is recommended as warm-up.
        end: End of the fitting period.
        feed: Source of realised liquidations, such as coinglass:BTC; the instrument itself by default.
        issued_at: Time from which maps may use the fit; the end of the fitting period by default.
        interval: Bar interval, such as 1h.
        price_source: Price source of the bars: last, mark, index or spot.
        json: Print one JSON object.
    """
    from liqmap import public  # noqa: PLC0415 - keep start-up fast
    from liqmap._base.timestamps import iso  # noqa: PLC0415
    from liqmap.score.calibrate import NOT_CONVERGED  # noqa: PLC0415
    from liqmap.score.markdown_tables import format_calibration  # noqa: PLC0415

    with public.open_history(db, "w") as history:
        fitted = history.calibrate(
            instrument, start, end, feed=feed, issued_at=issued_at, interval=interval, price_source=price_source
        )
    if json:
        sys.stdout.write(text.dumps(fitted.to_dict(), allow_nan=False) + "\n")
        return
    head = f"{instrument}: thousandths of traded volume by liquidation distance, valid from {iso(fitted.issued_at)}"
    notes = (f"{'warning' if NOT_CONVERGED in note else 'assumed'}: {note}" for note in fitted.notes)
    sys.stdout.write("\n\n".join([head, format_calibration(fitted), *notes]) + "\n")
