"""Engines that go on from where another has been end where they would have come to by themselves, to the bit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from liqmap._core import Cohorts
from liqmap.positions.engine import checkpoints, population
from liqmap.positions.engine.inputs import EngineBars
from liqmap.positions.engine.population import EngineRun

BRACKETS = np.array([[0.3, 0.3, 0.2, 0.1, 100.0], [0.05, 0.05, 0.3, 0.4, 10.0], [0.01, 0.01, 0.5, 0.5, 5.0]])
BARS = 500
EVERY = 64


def market(seed: int, bars: int = BARS) -> EngineBars:
    rng = np.random.default_rng(seed)
    close = 50_000 * np.exp(np.cumsum(rng.normal(0, 0.004, bars)))
    return EngineBars(
        end=np.arange(1, bars + 1),
        hours=np.full(bars, 1 / 12),
        low=close * 0.999,
        high=close * 1.001,
        close=close,
        open_interest=np.full(bars, 900.0),
        long_flow=3 * rng.random(bars),
        short_flow=30 * rng.random(bars),
        assumptions=(),
    )


def nursery(fed: EngineBars, rows: np.ndarray = BRACKETS) -> EngineRun:
    return EngineRun(Cohorts(rows, 1e-3), fed, (3.0, 20.0, 100.0), rows, 1e-3, ())


def told(of: EngineRun) -> tuple[list[bytes], object, int]:
    """All that an engine says, to the bit; its own bytes also say how much room it has taken."""
    return [column.tobytes() for column in of.engine.levels()], of.engine.accounts(), of.rescaled


def straight(fed: EngineBars, stop: int, rows: np.ndarray = BRACKETS) -> tuple[list[bytes], object, int]:
    own = nursery(fed, rows)
    own.advance(0, stop)
    return told(own)


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints._CACHES, "lines", [])
    monkeypatch.setattr(population, "CHECKPOINT_BARS", EVERY)


def test_any_order_of_stops_ends_where_a_straight_way_does() -> None:
    fed = market(1)
    for stops in ([500], [37, 300], [64, 65, 449], [10, 499, 500], [1], [128]):
        one = nursery(fed)
        for stop in stops:
            one.reach(stop)
        assert one.fed == stops[-1]
        assert told(one) == straight(fed, stops[-1])
    assert straight(fed, BARS)[2] > 0


def test_an_earlier_engine_saves_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    fed = market(2)
    nursery(fed).reach(BARS)
    walked: list[int] = []
    advance = EngineRun.advance

    def counted(self: EngineRun, start: int, stop: int) -> object:
        walked.append(stop - start)
        return advance(self, start, stop)

    monkeypatch.setattr(EngineRun, "advance", counted)
    later = nursery(market(2))
    later.reach(BARS)
    assert sum(walked) == BARS % EVERY
    assert told(later) == straight(fed, BARS)


def test_only_the_very_same_way_is_shared() -> None:
    fed = market(3)
    nursery(fed).reach(BARS)
    for name in ("hours", "low", "high", "close", "open_interest", "long_flow", "short_flow"):
        other = replace(fed, **{name: getattr(fed, name) * np.where(np.arange(BARS) == 5, 1 + 1e-15, 1.0)})
        one = nursery(other)
        one.reach(BARS)
        assert told(one) == straight(other, BARS)
    rows = BRACKETS * np.array([1, 1, 1, 1, 1 + 1e-15])
    wider = nursery(fed, rows)
    wider.reach(BARS)
    assert told(wider) == straight(fed, BARS, rows)


def test_a_longer_market_goes_on_from_a_shorter_one_and_the_other_way_round() -> None:
    long = market(4)
    names = ("end", "hours", "low", "high", "close", "open_interest", "long_flow", "short_flow")
    short = replace(long, **{name: getattr(long, name)[:300] for name in names})
    for fed, stop in ((short, 300), (long, 500), (short, 290), (long, 310)):
        one = nursery(fed)
        one.reach(stop)
        assert told(one) == straight(long, stop)
    assert nursery(short).line is nursery(long).line


def test_little_is_kept() -> None:
    fed = market(5, 2_000)
    nursery(fed).reach(2_000)
    walk = nursery(fed)
    for stop in range(1, 2_000, 7):
        walk.reach(stop)
    assert len(walk.line._states) <= checkpoints._MAX_CHECKPOINTS
    for seed in range(10):
        nursery(market(seed)).reach(1)
    assert len(checkpoints._CACHES.lines) <= checkpoints._MAX_CACHES


def test_the_same_prices_at_other_times_are_another_way() -> None:
    fed = market(7)
    later = replace(fed, end=fed.end + 1_000)
    assert checkpoints.checkpoint_cache(BRACKETS, 1e-3, fed) is checkpoints.checkpoint_cache(
        BRACKETS, 1e-3, replace(fed)
    )
    assert checkpoints.checkpoint_cache(BRACKETS, 1e-3, fed) is not checkpoints.checkpoint_cache(BRACKETS, 1e-3, later)


def test_threads_share_no_way() -> None:
    fed = market(8)
    with ThreadPoolExecutor(1) as other:
        elsewhere = other.submit(checkpoints.checkpoint_cache, BRACKETS, 1e-3, fed).result()
    assert elsewhere is not checkpoints.checkpoint_cache(BRACKETS, 1e-3, fed)
