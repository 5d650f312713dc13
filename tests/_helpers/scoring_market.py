"""Synthetic bars and realised liquidations."""

from __future__ import annotations

import numpy as np

from liqmap.history.queries import Liquidations, MarketBars

HOUR = 3_600_000_000


def walk(count: int, *, seed: int = 1, interval_s: int = 3600, volatility: float = 0.5) -> MarketBars:
    """A driftless market with GARCH-like volatility and Student t shocks; volume is proportional to its range."""
    random = np.random.default_rng(seed)
    dt = interval_s / (365 * 86_400)
    variance, path = 1.0, [0.0]
    for shock in random.standard_t(4, count) / np.sqrt(2):
        path.append(path[-1] + volatility * np.sqrt(variance * dt) * shock)
        variance = 0.02 + 0.08 * variance * shock**2 + 0.9 * variance
    price = 50_000 * np.exp(path)
    opened, close = price[:-1], price[1:]
    wick = 0.3 * volatility * np.sqrt(dt) * np.abs(random.normal(size=(2, count)))
    high = np.maximum(opened, close) * np.exp(wick[0])
    low = np.minimum(opened, close) * np.exp(-wick[1])
    volume = 1e3 * random.lognormal(0, 0.3, count) * (1 + 100 * (high / low - 1))
    missing = np.full(count, np.nan)
    return MarketBars(
        instrument="sim:BTC",
        interval_s=interval_s,
        price_source="last",
        ts=np.arange(count, dtype=np.int64) * interval_s * 1_000_000,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume_base=volume,
        taker_buy_base=missing,
        taker_net_base=missing,
        oi_base=np.full(count, 1e5),
        oi_age_us=np.zeros(count, dtype=np.int64),
    )


def windows(bars: MarketBars, usd: np.ndarray) -> Liquidations:
    """Realised liquidations, one window per bar and side; ``usd`` has shape ``(bars, 2)``."""
    count = len(bars)
    ts = np.repeat(bars.ts, 2)
    return Liquidations(
        ts=ts,
        window_s=np.full(2 * count, bars.interval_s, dtype=np.int64),
        long=np.tile([True, False], count),
        price=np.full(2 * count, np.nan),
        size_base=np.full(2 * count, np.nan),
        usd=usd.ravel(),
        feed=np.full(2 * count, "complete"),
    )
