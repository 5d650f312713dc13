"""Scenarios that differ in shock and depth, compared with vectorised numpy, and thresholds of a million levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.timing import best, table
from liqmap import _core

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

SCENARIOS = 2_000_000
LEVELS = 4_000
MARK = 800_000  # ticks
LIMIT = MARK - 1
# A book like Binance's `bookDepth`: cumulative USD at these fractions of the mark, extrapolated up to `REACH`.
REACH = 0.2
AT = np.array([0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.04, 0.05])
HELD = 1e8 * (AT / 0.01) ** 0.8 * np.array([1.1, 0.9, 1.05, 1, 0.95, 1, 1.1, 1, 0.97, 1])
HEAD, TAIL = 1.0, 0.8


def curve() -> _core.Curve:
    return _core.Curve(AT, HELD, head=HEAD, tail=TAIL, reach=REACH)


def levels(count: int, seed: int = 3) -> tuple[npt.NDArray[np.int64], Floats]:
    rng = np.random.default_rng(seed)
    return np.arange(count) * (200_000 // count or 1) + 25, rng.exponential(8e7 / count, count)


def numpy_scenarios(distance: npt.NDArray[np.int64], notional: Floats, shocks: Floats, deep: Floats) -> Floats:
    """Rounds over all scenarios that still move, in blocks that fit the cache; returns the stop of each in ticks."""
    below = np.concatenate([[0.0], np.cumsum(notional)])
    with np.errstate(divide="ignore"):
        log_below = np.log(below)
    # The curve in logarithms, extrapolated at both ends far beyond any flow.
    log_x, log_d = np.log(AT), np.log(HELD)
    log_x = np.concatenate([[log_x[0] - 90], log_x, [log_x[-1] + 90]])
    log_d = np.concatenate([[log_d[0] - 90 * HEAD], log_d, [log_d[-1] + 90 * TAIL]])
    out = np.empty(len(shocks))
    for start in range(0, len(shocks), 1 << 14):
        here = slice(start, start + (1 << 14))
        tick = np.floor(np.abs(shocks[here]) * MARK + 0.5)
        log_m = np.log(deep[here])
        fired = np.searchsorted(distance, tick, side="right")
        stop, rows = tick.copy(), np.arange(len(tick))
        while len(rows):
            log_q = log_below[fired[rows]] - log_m[rows]
            push = np.exp(np.minimum(np.interp(log_q, log_d, log_x), np.log(REACH)))
            push[np.isneginf(log_q)] = 0
            stop[rows] = np.minimum(tick[rows] + np.floor(push * MARK + 0.5), LIMIT)
            now = np.searchsorted(distance, stop[rows], side="right")
            more = now > fired[rows]
            fired[rows] = now
            rows = rows[more]
        out[here] = stop
    return out


def main(scenarios: int = SCENARIOS) -> None:
    rng = np.random.default_rng(2)
    shocks, deep = -rng.uniform(0.001, 0.1, scenarios), np.exp(rng.uniform(np.log(0.1), np.log(1.5), scenarios))
    distance, notional = levels(LEVELS)
    exogenous = _core.Market(curve(), scale=MARK, limit=LIMIT)
    flow = _core.Market(curve(), scale=MARK, limit=LIMIT, flow=True)
    few = scenarios // 10

    two_threads = _core.scenarios(distance, notional, exogenous, shocks[:few], deep[:few], 2)
    one_thread = _core.scenarios(distance, notional, exogenous, shocks[:few], deep[:few], 1)
    assert all(np.array_equal(a, b) for a, b in zip(two_threads, one_thread, strict=True)), "threads changed a result"
    # numpy interpolates with different rounding, so a result can differ by one tick.
    apart = np.abs(np.rint(two_threads[0] * MARK) - numpy_scenarios(distance, notional, shocks[:few], deep[:few]))
    assert np.mean(apart > 1) < 1e-3, "numpy has other results"  # noqa: PLR2004

    peers = {
        "liqmap, exogenous, 2 threads": lambda: _core.scenarios(distance, notional, exogenous, shocks, deep, 2),
        "liqmap, exogenous, 1 thread": lambda: _core.scenarios(distance, notional, exogenous, shocks, deep, 1),
        "liqmap, flow, 2 threads": lambda: _core.scenarios(distance, notional, flow, shocks, deep, 2),
        "numpy, exogenous": lambda: numpy_scenarios(distance, notional, shocks[:few], deep[:few]),
    }
    seconds = best(peers)
    seconds["numpy, exogenous"] = seconds["numpy, exogenous"] * (scenarios / few)
    print(f"{LEVELS:,} levels, {scenarios:,} scenarios that differ in shock and depth")
    table(seconds, scenarios, "scenarios")

    many = levels(1_000_000)
    print("\nthresholds of a million levels")
    markets = {"exogenous": exogenous, "flow": flow}
    table(best({k: lambda m=m: _core.thresholds(*many, m) for k, m in markets.items()}), len(many[0]), "levels")
