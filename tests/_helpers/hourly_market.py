"""A history of hourly bars of a seeded random walk, with open interest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import liqmap

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3_600_000_000
START = 1_735_689_600_000_000  # 2025-01-01T00:00Z


def write_hourly_market(
    folder: Path, name: str, *, seed: int, bars: int = 240, volatility: float = 0.006, oi_swing: float = 300
) -> Path:
    """Write and load ``bars`` hours with this hourly volatility; open interest oscillates by ``oi_swing`` coin."""
    rng = np.random.default_rng(seed)
    close = 80_000 * np.exp(np.cumsum(rng.normal(0, volatility, bars)))
    first = np.concatenate([close[:1], close[:-1]])
    rows, interest = ["ts,interval_s,open,high,low,close,volume_base,price_source"], ["ts,oi_base,oi_usd"]
    for i in range(bars):
        ts, top, bottom = START + i * HOUR, max(first[i], close[i]) * 1.002, min(first[i], close[i]) * 0.998
        rows.append(f"{ts},3600,{first[i]:.1f},{top:.1f},{bottom:.1f},{close[i]:.1f},{rng.exponential(900):.3f},mark")
        coin = 20_000 + oi_swing * np.sin(i / 9)
        interest.append(f"{ts + HOUR},{coin:.3f},{coin * close[i]:.2f}")
    (folder / "bars.csv").write_text("\n".join(rows) + "\n")
    (folder / "oi.csv").write_text("\n".join(interest) + "\n")
    with liqmap.open(folder / "h.duckdb", mode="w") as history:
        history.load(folder / "bars.csv", table="bars", instrument=name)
        history.load(folder / "oi.csv", table="open_interest", instrument=name)
    return folder / "h.duckdb"
