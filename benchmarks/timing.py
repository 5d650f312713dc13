"""One way to time and to print: the best of a few runs, peers in turn, ratios beside figures."""

from __future__ import annotations

import time
from collections.abc import Callable

Work = Callable[[], object]


def best(peers: dict[str, Work], runs: int = 5) -> dict[str, float]:
    """Seconds of the best run of each peer; they take turns, so that a slow minute of the machine hits all."""
    seconds = dict.fromkeys(peers, float("inf"))
    for _ in range(runs):
        for name, work in peers.items():
            start = time.perf_counter()
            work()
            seconds[name] = min(seconds[name], time.perf_counter() - start)
    return seconds


def table(seconds: dict[str, float], items: int, unit: str) -> None:
    """Print rate and time of each peer, and its time over that of the first."""
    first = next(iter(seconds.values()))
    print(f"{'':<42}{'M ' + unit + '/s':>14}{'ms':>10}{'time / first':>14}")
    for name, s in seconds.items():
        print(f"{name:<42}{items / s / 1e6:>14,.1f}{1e3 * s:>10,.1f}{s / first:>14.2f}")
