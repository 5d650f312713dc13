"""Issued maps are recorded in the history if the history is writable."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import liqmap
from liqmap.history.registry import issued_maps

INSTRUMENT = "binance:BTCUSDT"


def report(db: Path, site: Path, *words: str) -> str:
    file = db.with_name("r.toml")
    file.write_text(
        f'title = "x"\ninstruments = ["{INSTRUMENT}"]\nevery = "12h"\npages = ["map", "scorecard", "data"]\n'
    )
    command = [sys.executable, "-c", "from liqmap.cli import main; main()", "report", str(file), "--db", str(db)]
    done = subprocess.run([*command, "--out", str(site), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def db(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("freeze") / "btc.duckdb"
    with liqmap.open(file, mode="w") as history:
        history.load(shared / "data/binance_btcusdt_perp_5m_20260525_20260614.csv", instrument=INSTRUMENT)
        history.load(shared / "data/coinglass/regime_30m_20260521_20260608.csv")
    return file


def test_maps_are_recorded_under_their_manifest_hash(db: Path, tmp_path: Path) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    report(db, first, "--from", "2026-06-07T12:00Z", "--to", "2026-06-08T12:00Z", "--workers", "2")
    with liqmap.open(db) as history:
        kept = issued_maps.read_map_records(history)
        named = {header.map_id for header in kept}
        assert history.recreate(kept[0].map_id).identical
    entries = json.loads((first / "manifest.json").read_text())["files"]
    published = {entry["sha256"] for name, entry in entries.items() if name.startswith("2026-") and "/map.json" in name}
    assert len(published) == 3
    assert published == named
    # With the maps recorded, the report gives the same bytes and records no further maps.
    report(db, again, "--from", "2026-06-07T12:00Z", "--to", "2026-06-08T12:00Z", "--workers", "1")
    assert (first / "manifest.json").read_bytes() == (again / "manifest.json").read_bytes()
    with liqmap.open(db) as history:
        assert len(issued_maps.read_map_records(history)) == 3


def test_a_history_in_use_is_not_written(db: Path, tmp_path: Path) -> None:
    with liqmap.open(db) as reader:
        before = len(issued_maps.read_map_records(reader))
        message = report(db, tmp_path / "site", "--at", "2026-06-10T12:00Z")
        assert message.startswith("maps not recorded in the history, only in the site: liqmap: ")
        assert message.count("\n") == 1
        assert len(issued_maps.read_map_records(reader)) == before
    assert list((tmp_path / "site").glob("2026-06-10/1200/*/map.json"))
