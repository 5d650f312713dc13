"""Runs that resume from a checkpoint end in exactly the same state as runs from the first bar."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from liqmap._core import Cohorts
from liqmap.positions.engine import checkpoints, population
from liqmap.positions.engine.opening_flow import EngineBars
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


def new_run(bars: EngineBars, rows: np.ndarray = BRACKETS) -> EngineRun:
    return EngineRun(Cohorts(rows, 1e-3), bars, (3.0, 20.0, 100.0), rows, 1e-3, ())


def state(of: EngineRun) -> tuple[list[bytes], object, int]:
    """The observable state, bit by bit; the serialised engine is not compared, as it includes its capacity."""
    return [column.tobytes() for column in of.engine.levels()], of.engine.accounts(), of.rescaled


def without_checkpoints(bars: EngineBars, stop: int, rows: np.ndarray = BRACKETS) -> tuple[list[bytes], object, int]:
    run = new_run(bars, rows)
    run.advance(0, stop)
    return state(run)


@pytest.fixture(autouse=True)
def _empty_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints._CACHES, "caches", [])
    monkeypatch.setattr(population, "CHECKPOINT_BARS", EVERY)


def test_the_final_state_does_not_depend_on_intermediate_stops() -> None:
    bars = market(1)
    for stops in ([500], [37, 300], [64, 65, 449], [10, 499, 500], [1], [128]):
        one = new_run(bars)
        for stop in stops:
            one.advance_to(stop)
        assert one.processed == stops[-1]
        assert state(one) == without_checkpoints(bars, stops[-1])
    assert without_checkpoints(bars, BARS)[2] > 0


def test_a_second_run_processes_only_the_bars_after_the_last_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    bars = market(2)
    new_run(bars).advance_to(BARS)
    processed: list[int] = []
    advance = EngineRun.advance

    def counted(self: EngineRun, start: int, stop: int) -> object:
        processed.append(stop - start)
        return advance(self, start, stop)

    monkeypatch.setattr(EngineRun, "advance", counted)
    later = new_run(market(2))
    later.advance_to(BARS)
    assert sum(processed) == BARS % EVERY
    assert state(later) == without_checkpoints(bars, BARS)


def test_checkpoints_are_shared_only_between_identical_inputs() -> None:
    bars = market(3)
    new_run(bars).advance_to(BARS)
    for name in ("hours", "low", "high", "close", "open_interest", "long_flow", "short_flow"):
        other = replace(bars, **{name: getattr(bars, name) * np.where(np.arange(BARS) == 5, 1 + 1e-15, 1.0)})
        one = new_run(other)
        one.advance_to(BARS)
        assert state(one) == without_checkpoints(other, BARS)
    rows = BRACKETS * np.array([1, 1, 1, 1, 1 + 1e-15])
    wider = new_run(bars, rows)
    wider.advance_to(BARS)
    assert state(wider) == without_checkpoints(bars, BARS, rows)


def test_a_longer_input_shares_checkpoints_with_a_shorter_one_and_vice_versa() -> None:
    long = market(4)
    names = ("end", "hours", "low", "high", "close", "open_interest", "long_flow", "short_flow")
    short = replace(long, **{name: getattr(long, name)[:300] for name in names})
    for bars, stop in ((short, 300), (long, 500), (short, 290), (long, 310)):
        one = new_run(bars)
        one.advance_to(stop)
        assert state(one) == without_checkpoints(long, stop)
    assert new_run(short).checkpoints is new_run(long).checkpoints


def test_the_number_of_checkpoints_and_caches_is_limited() -> None:
    bars = market(5, 2_000)
    new_run(bars).advance_to(2_000)
    run = new_run(bars)
    for stop in range(1, 2_000, 7):
        run.advance_to(stop)
    assert len(run.checkpoints._checkpoints) <= checkpoints._MAX_CHECKPOINTS
    for seed in range(10):
        new_run(market(seed)).advance_to(1)
    assert len(checkpoints._CACHES.caches) <= checkpoints._MAX_CACHES


def test_the_same_prices_at_other_times_do_not_share_checkpoints() -> None:
    bars = market(7)
    later = replace(bars, end=bars.end + 1_000)
    assert checkpoints.checkpoint_cache(BRACKETS, 1e-3, bars) is checkpoints.checkpoint_cache(
        BRACKETS, 1e-3, replace(bars)
    )
    assert checkpoints.checkpoint_cache(BRACKETS, 1e-3, bars) is not checkpoints.checkpoint_cache(BRACKETS, 1e-3, later)


def test_threads_do_not_share_caches() -> None:
    bars = market(8)
    with ThreadPoolExecutor(1) as other:
        elsewhere = other.submit(checkpoints.checkpoint_cache, BRACKETS, 1e-3, bars).result()
    assert elsewhere is not checkpoints.checkpoint_cache(BRACKETS, 1e-3, bars)
