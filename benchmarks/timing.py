"""Timing and printing shared by all benchmarks: the best of many short runs, with the alternatives in turns."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

Work = Callable[[], object]


class Best(NamedTuple):
    """Least wall seconds and least processor seconds, summed over threads, of any run.

    On a busy machine wall time includes waiting for other processes; processor time does not.
    """

    clock: float
    processor: float

    def __mul__(self, times: float) -> Best:  # type: ignore[override]
        return Best(self.clock * times, self.processor * times)


def best(peers: dict[str, Work], runs: int = 8, turn: float = 0.2) -> dict[str, Best]:
    """The best run of each alternative.

    They run in turns of `turn` seconds, or of one run if that takes longer, so that a slow phase of the machine affects
    all of them. The first run of each is not measured, because it may compile or load code.
    """
    for work in peers.values():
        work()
    found = dict.fromkeys(peers, Best(float("inf"), float("inf")))
    for _ in range(runs):
        for name, work in peers.items():
            end = time.perf_counter() + turn
            while True:
                clock, processor = time.perf_counter(), time.process_time()
                work()
                now = time.perf_counter()
                run = Best(now - clock, time.process_time() - processor)
                found[name] = Best(*map(min, found[name], run))
                if now > end:
                    break
    return found


def table(found: dict[str, Best], items: int, unit: str) -> None:
    """Print rate, wall time and processor time of each alternative, and their ratios to the first."""
    first = next(iter(found.values()))
    print(f"{'':<40}{'M ' + unit + '/s':>14}{'ms':>9}{'ratio':>7}{'cpu ms':>9}{'ratio':>7}")
    for name, (clock, processor) in found.items():
        print(
            f"{name:<40}{items / clock / 1e6:>14,.1f}{1e3 * clock:>9,.1f}{clock / first.clock:>7.2f}"
            f"{1e3 * processor:>9,.1f}{processor / first.processor:>7.2f}"
        )
