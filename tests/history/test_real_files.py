"""Loads of files with real market data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from liqmap._base.timestamps import parse_instant

if TYPE_CHECKING:
    from pathlib import Path

    from liqmap.history import Store

PERP = "binance_btcusdt_perp_5m_20260525_20260614.csv"
REGIME = "coinglass/regime_30m_20260521_20260608.csv"
PANEL = "btc_1h_20251204_20260131.csv"
SPOT = "btc_spot_1h_20250101_20260131.csv"


def test_one_file_provides_bars_open_interest_and_funding(store: Store, shared: Path) -> None:
    report = store.load(shared / "data" / PERP, instrument="binance:BTCUSDT")
    assert [(t.table, t.stored, t.missing) for t in report.tables] == [
        ("bars", 5749, 0),
        ("open_interest", 5749, 0),
        ("funding", 5749, 0),
    ]
    bars = store.market_bars("binance:BTCUSDT", until=parse_instant("2026-06-12T00:00Z"))
    assert (bars.interval_s, bars.price_source, len(bars)) == (300, "last", 4993)
    assert bars.end[-1] == parse_instant("2026-06-12T00:00Z")
    assert np.isnan(bars.taker_net_base[0])
    assert np.isnan(bars.volume_base).all()


def test_open_interest_is_known_at_the_end_of_the_bar(store: Store, shared: Path) -> None:
    store.load(shared / "data" / PERP, instrument="binance:BTCUSDT")
    bars = store.market_bars("binance:BTCUSDT", until=parse_instant("2026-05-25T16:05Z"))
    # The row of 16:00 is a snapshot at 16:00, the end of the bar 15:55; it is converted to coin at that bar's close.
    assert bars.oi_base[0] == pytest.approx(7720258802.8188 / 77587.2, rel=1e-12)
    assert bars.oi_age_us.tolist() == [0, 0]


def test_the_hourly_panel_is_stored_as_spot_bars_with_its_gaps(store: Store, shared: Path) -> None:
    report = store.load(shared / "data" / PANEL, instrument="binance:BTCUSDT")
    by_table = {t.table: t for t in report.tables}
    assert (by_table["bars"].stored, by_table["bars"].missing) == (1408, 2)
    assert by_table["liquidations"].instruments == ("coinglass:BTC",)
    rates = store.funding("binance:BTCUSDT", until=parse_instant("2026-02-02"))
    assert abs(rates.rate).max() < 0.001
    bars = store.market_bars("binance:BTCUSDT", until=parse_instant("2026-02-02"))
    assert bars.price_source == "spot"


def test_identical_rows_of_overlapping_files_are_stored_once(store: Store, shared: Path) -> None:
    store.load(shared / "data" / PANEL, instrument="binance:BTCUSDT")
    report = store.load(shared / "data" / SPOT, instrument="binance:BTCUSDT")
    assert report.tables[0].known == 1408
    assert report.tables[0].read == report.tables[0].known + report.tables[0].stored
