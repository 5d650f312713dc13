"""Snapshots from one engine run equal the maps at the same times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import liqmap
from liqmap import Recipe
from liqmap._base.timestamps import parse_instant
from liqmap.maps.snapshots import MapSnapshot, SnapshotRun, snapshot_run, take_snapshot

INSTRUMENT = "binance:BTCUSDT"
HALF_DAY = 12 * 3_600_000_000
END = parse_instant("2026-06-08T12:00Z")


@pytest.fixture(scope="module")
def db(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("snapshots") / "btc.duckdb"
    with liqmap.open(file, mode="w") as history:
        history.load(shared / "data/binance_btcusdt_perp_5m_20260525_20260614.csv", instrument=INSTRUMENT)
    return file


def due(count: int = 12, end: int = END) -> list[int]:
    return [end - k * HALF_DAY for k in range(count, -1, -1)]


def test_each_snapshot_equals_the_map_at_its_time(db: Path) -> None:
    with liqmap.open(db) as history:
        made = SnapshotRun(history.instrument(INSTRUMENT)).maps(history, due(), history.market_bars(INSTRUMENT, END))
        assert [one.at for one in made] == due()
        for one in made[::4]:
            issued = history.map(INSTRUMENT, one.at)
            want = take_snapshot(issued)
            assert np.array_equal(one.edges, want.edges)
            # Maps are summed in hundredths of a cent.
            assert np.abs(one.sums - want.sums).max() < 1
            found = {(int(side), low, high) for side, low, high, *_ in one.clusters.tolist()}
            assert found == {(int(c.side == "short"), c.low, c.high) for c in issued.clusters()}


def test_a_snapshot_with_a_recipe_equals_the_map_with_that_recipe(db: Path) -> None:
    recipe = Recipe(mapped_share=0.2)
    with liqmap.open(db) as history:
        bars, run = history.market_bars(INSTRUMENT, END), snapshot_run(history, INSTRUMENT)
        (default,), (with_recipe,) = run.maps(history, [END], bars), run.maps(history, [END], bars, recipe)
        want = take_snapshot(history.map(INSTRUMENT, END, recipe=recipe))
    assert np.abs(with_recipe.sums - want.sums).max() < 1
    assert with_recipe.sums[0, 0] > 1.5 * default.sums[0, 0]


def test_a_continued_run_equals_a_new_run(db: Path) -> None:
    with liqmap.open(db) as history:
        first = snapshot_run(history, INSTRUMENT)
        first.maps(history, due(end=END - 5 * HALF_DAY), history.market_bars(INSTRUMENT, END - 5 * HALF_DAY))
        assert snapshot_run(history, INSTRUMENT) is first
        continued = first.maps(history, due(), history.market_bars(INSTRUMENT, END))
        fresh = SnapshotRun(history.instrument(INSTRUMENT)).maps(history, due(), history.market_bars(INSTRUMENT, END))
    for a, b in zip(continued, fresh, strict=True):
        assert np.array_equal(a.sums, b.sums)


def test_later_data_changes_no_snapshot(db: Path) -> None:
    with liqmap.open(db) as history:
        about, early = history.instrument(INSTRUMENT), due(end=END - 5 * HALF_DAY)
        early_maps = SnapshotRun(about).maps(history, early, history.market_bars(INSTRUMENT, early[-1]))
        late_maps = SnapshotRun(about).maps(history, early, history.market_bars(INSTRUMENT))
    for a, b in zip(early_maps, late_maps, strict=True):
        assert np.array_equal(a.sums, b.sums)


def test_reached_sums_the_levels_up_to_a_price() -> None:
    axis = liqmap.Grid.between(90, 110, 1, tick=0.1)
    long, short = np.zeros(20), np.zeros(20)
    long[[8, 5]], short[12] = (10.0, 30.0), 7.0
    one = MapSnapshot.of(0, 100.0, axis, long, short)
    liquidated = one.reached(0, np.array([100.0, 99.0, 98.5, 98.0, 95.0, 80.0]))
    assert liquidated.tolist() == pytest.approx([0, 0, 5, 10, 40, 40])
    assert one.reached(1, np.array([101.0, 102.5, 200.0])).tolist() == pytest.approx([0, 3.5, 7])


def test_times_without_a_day_of_open_interest_are_skipped(db: Path) -> None:
    with liqmap.open(db) as history:
        bars = history.market_bars(INSTRUMENT)
        first = int(bars.end[0])
        run = SnapshotRun(history.instrument(INSTRUMENT))
        assert not run.maps(history, [first + HALF_DAY], bars)
        assert len(run.maps(history, [first + HALF_DAY, first + 3 * HALF_DAY], bars)) == 1
