"""A history of five days: 5-minute bars of a seeded random walk, open interest, and one order book at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import liqmap

if TYPE_CHECKING:
    from pathlib import Path

NAME = "binance:BTCUSDT"
START_MS = 1_780_272_000_000  # 2026-06-01T00:00Z
BARS = 5 * 288
END = (START_MS + BARS * 300_000) * 1000
DEPTH_WITHIN_PERCENT = {-1: 191.4e6, -2: 331.5e6, -3: 450.3e6, 1: 176.6e6, 2: 294.6e6, 3: 408.7e6}
"""Depth in USD by distance in per cent; the shape of Binance's published depth."""


def write_market(folder: Path, *, seed: int = 3, book_at: float | None = 1.0) -> Path:
    """Write and load the files; the mid of the order book is ``book_at`` times the last price; ``None``: no book."""
    rng = np.random.default_rng(seed)
    close = 70_000 * np.exp(np.cumsum(rng.normal(0, 0.0012, BARS)))
    before = np.append(70_000, close[:-1])
    coin = 90_000 + np.cumsum(rng.normal(3, 60, BARS))
    lines = ["timestamp,datetime_utc,open,high,low,close,oi_usd,oi_btc_implied,funding_rate,taker_net_btc"]
    for i in range(BARS):
        ends = sorted((before[i], close[i]))
        row = [before[i], ends[1] * 1.0004, ends[0] * 0.9996, close[i], coin[i] * close[i]]
        lines.append(f"{START_MS + i * 300_000},," + ",".join(f"{x:.2f}" for x in row) + ",,0.0001,1.5")
    bars = folder / "bars.csv"
    bars.write_text("\n".join(lines) + "\n")
    db = folder / "small.duckdb"
    with liqmap.open(db, mode="w") as history:
        history.load(bars, instrument=NAME)
        if book_at is not None:
            history.load(_book(folder, close[-1] * book_at), instrument=NAME)
    return db


def _book(folder: Path, mid: float) -> Path:
    lines, seen = ["timestamp,percentage,depth,notional"], "2026-06-05 23:57:08"
    for sign in (-1, 1):
        coin = held = 0.0
        for band in (1, 2, 3):
            usd = DEPTH_WITHIN_PERCENT[sign * band]
            away = 0.0044 if band == 1 else (band - 0.5) / 100
            coin, held = coin + (usd - held) / (mid * (1 + sign * away)), usd
            lines.append(f"{seen},{sign * band}.00,{coin},{usd}")
    file = folder / "BTCUSDT-bookDepth-2026-06-05.csv"
    file.write_text("\n".join(lines) + "\n")
    return file
