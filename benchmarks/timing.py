"""One way to time and to print: the best of many short runs, peers in turn, ratios beside figures."""

from __future__ import annotations

import time
from collections.abc import Callable

Work = Callable[[], object]


def best(peers: dict[str, Work], runs: int = 10, turn: float = 0.2) -> dict[str, float]:
    """Seconds of the best run of each peer.

    They take turns of `turn` seconds, or of one run where that takes longer, so that a slow minute of the machine hits
    all; a first run of each, which may compile or load something, does not count.
    """
    for work in peers.values():
        work()
    seconds = dict.fromkeys(peers, float("inf"))
    for _ in range(runs):
        for name, work in peers.items():
            end = time.perf_counter() + turn
            while True:
                start = time.perf_counter()
                work()
                now = time.perf_counter()
                seconds[name] = min(seconds[name], now - start)
                if now > end:
                    break
    return seconds


def table(seconds: dict[str, float], items: int, unit: str) -> None:
    """Print rate and time of each peer, and its time over that of the first."""
    first = next(iter(seconds.values()))
    print(f"{'':<42}{'M ' + unit + '/s':>14}{'ms':>10}{'time / first':>14}")
    for name, s in seconds.items():
        print(f"{name:<42}{items / s / 1e6:>14,.1f}{1e3 * s:>10,.1f}{s / first:>14.2f}")
