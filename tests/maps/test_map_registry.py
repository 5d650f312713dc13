"""Maps on record: named by their content, never changed, made again to the byte."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import liqmap
from liqmap._base.errors import NotFoundError, StorageError
from liqmap._base.timestamps import parse_instant
from liqmap.history.registry import issued_maps
from liqmap.maps.map import LiquidationMap
from liqmap.maps.map_registry import map_id, published_bytes, registry_entry
from liqmap.maps.snapshots import SnapshotRun
from liqmap.positions.engine.recipe import Recipe
from liqmap.public import History

INSTRUMENT = "binance:BTCUSDT"
AT = parse_instant("2026-06-08T12:00Z")


@pytest.fixture
def history(shared: Path, tmp_path: Path) -> History:
    opened = liqmap.open(tmp_path / "btc.duckdb", mode="w")
    opened.load(shared / "data/binance_btcusdt_perp_5m_20260525_20260614.csv", instrument=INSTRUMENT)
    return opened


@pytest.fixture
def issue(history: History) -> LiquidationMap:
    return history.map(INSTRUMENT, AT)


def test_the_same_map_twice_is_there_once(history: History, issue: LiquidationMap) -> None:
    assert history.record(issue) == 1
    assert history.record(issue, history.map(INSTRUMENT, AT)) == 0
    (header,) = issued_maps.read_map_records(history, INSTRUMENT)
    assert header.map_id == map_id(issue) == hashlib.sha256(published_bytes(issue)).hexdigest()
    assert (header.issued_at, header.mark_price, header.bins) == (AT, issue.mark_price, issue.grid.bins)
    assert header.data_cutoff <= AT
    assert header.params_hash == issue.provenance.to_dict()["params_hash"]
    kept = issued_maps.read_map_bins(history, header.map_id)
    assert kept.notional.sum() == pytest.approx(issue.long.sum() + issue.short.sum(), rel=1e-12)
    assert kept.notional[kept.long].sum() == pytest.approx(issue.long.sum(), rel=1e-12)


def test_another_map_under_the_same_name_is_refused(history: History, issue: LiquidationMap) -> None:
    header, bins = registry_entry(published_bytes(issue), issue.grid.tick)
    history.record(issue)
    for odd in ((replace(header, mark_price=1.0), bins), (header, replace(bins, notional=bins.notional * 2))):
        with pytest.raises(StorageError, match="another map with id"):
            issued_maps.record_issued_maps(history, [odd])
    assert len(issued_maps.read_map_records(history)) == 1
    assert issued_maps.read_map_bins(history, header.map_id).is_identical(bins)


@pytest.mark.parametrize(
    ("recipe", "grid"),
    [(None, None), (Recipe(mapped_share=0.11), liqmap.Grid.between(40_000, 90_000, 25, tick=0.1))],
)
def test_a_map_on_record_is_made_again_to_the_byte(
    history: History, recipe: Recipe | None, grid: liqmap.Grid | None
) -> None:
    made = history.map(INSTRUMENT, AT, recipe=recipe, grid=grid)
    history.record(made)
    again = history.recreate(map_id(made)[:12])
    assert again.identical
    assert again.differences == ()
    assert published_bytes(again.map) == published_bytes(made)


def test_what_changed_since_is_said_and_the_record_is_what_counts(history: History, issue: LiquidationMap) -> None:
    odd = replace(issue, long=issue.long * 1.5)
    history.record(odd, issue)
    again = history.recreate(map_id(odd))
    assert not again.identical
    assert [text.split(":")[0] for text in again.differences] == ["levels"]
    bars = history.market_bars(INSTRUMENT, AT)
    (told,) = SnapshotRun(history.instrument(INSTRUMENT)).maps(history, [AT], bars)
    assert told.differs
    assert told.sums[0].max() == pytest.approx(odd.long.sum(), rel=1e-9)
    with pytest.raises(NotFoundError, match="2 maps whose name begins with ''"):
        history.recreate("")


def test_a_recorded_map_that_comes_out_again_changes_nothing(history: History, issue: LiquidationMap) -> None:
    bars, about = history.market_bars(INSTRUMENT, AT), history.instrument(INSTRUMENT)
    (before,) = SnapshotRun(about).maps(history, [AT], bars)
    history.record(issue)
    (after,) = SnapshotRun(about).maps(history, [AT], bars)
    assert not after.differs
    assert np.array_equal(before.sums, after.sums)


def test_readers_record_nothing(history: History, issue: LiquidationMap, tmp_path: Path) -> None:
    history.close()
    with liqmap.open(tmp_path / "btc.duckdb") as reader, pytest.raises(StorageError, match="read-only"):
        reader.record(issue)
