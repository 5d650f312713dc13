"""The hourly market of winter 2025–26."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from liqmap.clock import parse
from liqmap.history import open_store
from liqmap.score.judge import Trial
from liqmap.score.periods import match

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="session")
def winter(shared: Path) -> Callable[[str, str], Trial]:
    """Trials on the hourly panel, fitted on 2025-12-18 → 2026-01-08, warmed up on the whole of 2025."""
    with open_store(":memory:", "w") as store:
        for name in ("btc_spot_1h_20250101_20260131.csv", "btc_1h_20251204_20260131.csv"):
            store.load(shared / "data" / name, instrument="binance:BTCUSDT")
        end = parse("2026-02-01")
        bars = store.market_bars("binance:BTCUSDT", end, interval_s=3600, price_source="spot")
        periods = match(bars, store.liquidations("coinglass:BTC", parse("2025-12-04"), end))
    fitted = periods.between(parse("2025-12-18"), parse("2026-01-08"))

    def trial(start: str, end: str) -> Trial:
        return Trial(bars, periods, fitted, periods.between(parse(start), parse(end)))

    return trial
