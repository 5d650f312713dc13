"""Registered maps: keyed by their content, immutable, and reproducible to the byte."""

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


def test_registering_a_map_is_idempotent(history: History, issue: LiquidationMap) -> None:
    assert history.record(issue) == 1
    assert history.record(issue, history.map(INSTRUMENT, AT)) == 0
    (header,) = issued_maps.read_map_records(history, INSTRUMENT)
    assert header.map_id == map_id(issue) == hashlib.sha256(published_bytes(issue)).hexdigest()
    assert (header.issued_at, header.mark_price, header.bins) == (AT, issue.mark_price, issue.grid.bins)
    assert header.data_cutoff <= AT
    assert header.params_hash == issue.provenance.to_dict()["params_hash"]
    stored = issued_maps.read_map_bins(history, header.map_id)
    assert stored.notional.sum() == pytest.approx(issue.long.sum() + issue.short.sum(), rel=1e-12)
    assert stored.notional[stored.long].sum() == pytest.approx(issue.long.sum(), rel=1e-12)


def test_a_different_map_under_the_same_key_is_rejected(history: History, issue: LiquidationMap) -> None:
    header, bins = registry_entry(published_bytes(issue), issue.grid.tick)
    history.record(issue)
    for changed in ((replace(header, mark_price=1.0), bins), (header, replace(bins, notional=bins.notional * 2))):
        with pytest.raises(StorageError, match="another map with id"):
            issued_maps.record_issued_maps(history, [changed])
    assert len(issued_maps.read_map_records(history)) == 1
    assert issued_maps.read_map_bins(history, header.map_id).is_identical(bins)


@pytest.mark.parametrize(
    ("recipe", "grid"),
    [(None, None), (Recipe(mapped_share=0.11), liqmap.Grid.between(40_000, 90_000, 25, tick=0.1))],
)
def test_a_registered_map_is_recreated_to_the_byte(
    history: History, recipe: Recipe | None, grid: liqmap.Grid | None
) -> None:
    made = history.map(INSTRUMENT, AT, recipe=recipe, grid=grid)
    history.record(made)
    again = history.recreate(map_id(made)[:12])
    assert again.identical
    assert again.differences == ()
    assert published_bytes(again.map) == published_bytes(made)


def test_differences_are_reported_and_the_registered_map_is_used(history: History, issue: LiquidationMap) -> None:
    changed = replace(issue, long=issue.long * 1.5)
    history.record(changed, issue)
    again = history.recreate(map_id(changed))
    assert not again.identical
    assert [text.split(":")[0] for text in again.differences] == ["levels"]
    bars = history.market_bars(INSTRUMENT, AT)
    (snapshot,) = SnapshotRun(history.instrument(INSTRUMENT)).maps(history, [AT], bars)
    assert snapshot.differs
    assert snapshot.sums[0].max() == pytest.approx(changed.long.sum(), rel=1e-9)
    with pytest.raises(NotFoundError, match="2 maps whose name begins with ''"):
        history.recreate("")


def test_registering_an_unchanged_map_changes_no_snapshot(history: History, issue: LiquidationMap) -> None:
    bars, about = history.market_bars(INSTRUMENT, AT), history.instrument(INSTRUMENT)
    (before,) = SnapshotRun(about).maps(history, [AT], bars)
    history.record(issue)
    (after,) = SnapshotRun(about).maps(history, [AT], bars)
    assert not after.differs
    assert np.array_equal(before.sums, after.sums)


def test_a_read_only_history_registers_no_map(history: History, issue: LiquidationMap, tmp_path: Path) -> None:
    history.close()
    with liqmap.open(tmp_path / "btc.duckdb") as reader, pytest.raises(StorageError, match="read-only"):
        reader.record(issue)
