"""The cohort engine: bars per second over one, four and sixteen years, and one bar on a one-year-old state."""

from __future__ import annotations

import time

import numpy as np

from liqmap._core import Cohorts
from liqmap.positions.engine.recipe import DEFAULT_RECIPE

YEAR = 105_120


def bars(n: int) -> list[np.ndarray]:
    """A fat-tailed path of 5-minute bars within ±15 %, as hours, low, high, close, open interest and both flows."""
    rng = np.random.default_rng(1)
    path = np.cumsum(rng.standard_t(4, n) * 8e-4)
    path *= 0.3 / max(0.3, float(np.ptp(path)))
    close = 80_000 * np.exp(path)
    first = np.concatenate([close[:1], close[:-1]])
    high = np.maximum(first, close) * (1 + np.abs(rng.normal(0, 4e-4, n)))
    low = np.minimum(first, close) * (1 - np.abs(rng.normal(0, 4e-4, n)))
    flow = rng.exponential(10, n)
    return [np.full(n, 1 / 12), low, high, close, np.full(n, 1e5), flow, flow]


def brackets() -> np.ndarray:
    margin = 1 / np.array(DEFAULT_RECIPE.leverages)
    share = DEFAULT_RECIPE.flow
    return np.column_stack([margin - 0.004, margin - 0.004, share, share, DEFAULT_RECIPE.half_life_hours])


def main() -> None:
    print(f"{'bars':>12}{'columns':>10}{'s':>10}{'bars/s':>14}{'time / bar':>14}")
    first = None
    for times in (1, 4, 16):
        n = times * YEAR
        columns = bars(n)
        best = min(run(columns, 1_000) for _ in range(max(2, 16 // times)))
        first = first or best / n
        print(f"{n:>12,}{1_000:>10,}{best:>10.3f}{n / best:>14,.0f}{best / n / first:>14.2f}")
    year = bars(YEAR)
    engine = Cohorts(brackets())
    engine.advance(*(c[:-1] for c in year))
    start = time.perf_counter()
    engine.advance(*(c[-1:] for c in year))
    print(f"one bar on a one-year-old state: {1e3 * (time.perf_counter() - start):.3f} ms")


def run(columns: list[np.ndarray], heatmap_columns: int) -> float:
    """Seconds to advance over all bars and keep `heatmap_columns` columns of 4,000 bins."""
    n = len(columns[0])
    engine = Cohorts(brackets())
    low = int(np.floor(np.log(20_000) / 2.5e-4))
    start = time.perf_counter()
    heat = []
    for part in np.array_split(np.arange(n), heatmap_columns):
        engine.advance(*(c[part[0] : part[-1] + 1] for c in columns))
        heat.append(engine.density([(0, 10)], low, 2, 4_000))
    return time.perf_counter() - start
