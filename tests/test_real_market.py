"""The main commands on real files: load, map, cascade and report."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import liqmap

INSTRUMENT = "binance:BTCUSDT"
AT = "2026-06-12T00:00Z"


def run(*arguments: object, status: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from liqmap.cli import main; main()", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    return done


@pytest.fixture(scope="module")
def db(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bars, open interest and funding from one file; realised liquidations from another."""
    file = tmp_path_factory.mktemp("real") / "btc.duckdb"
    bars = shared / "data/binance_btcusdt_perp_5m_20260525_20260614.csv"
    first = run("load", bars, "--db", file, "--instrument", INSTRUMENT)
    for table in ("bars", "open_interest", "funding"):
        assert f"{table} {INSTRUMENT}: 5,749 rows" in first.stdout
    second = run("load", shared / "data/coinglass/regime_30m_20260521_20260608.csv", "--db", file)
    assert "liquidations coinglass:BTC" in second.stdout
    return file


@pytest.fixture(scope="module")
def map_json(db: Path) -> dict[str, Any]:
    return dict(json.loads(run("map", INSTRUMENT, "--db", db, "--at", AT, "--json").stdout))


def test_the_json_of_a_map_has_the_documented_fields(map_json: dict[str, Any]) -> None:
    assert (map_json["instrument"], map_json["at"], map_json["mark_price"]) == (
        INSTRUMENT,
        "2026-06-12T00:00:00Z",
        63597.9,
    )
    bins, brackets = map_json["grid"]["bins"], len(map_json["brackets"])
    for side in ("long", "short"):
        assert np.array(map_json[side]).shape == (brackets, bins)
        account = map_json["ledger"][side]
        assert set(account) == {"opened", "closed", "liquidated", "open", "mapped", "unmapped"}
    cluster = map_json["clusters"][0]
    assert {"side", "low", "peak", "high", "notional", "intensity", "band", "distance", "share_20x"} <= set(cluster)
    assert cluster["intensity"] == 1
    assert {c["band"] for c in map_json["clusters"]} <= {"low", "medium", "high", "extreme"}
    assert not map_json["provenance"]["simulated"]
    assert len(map_json["provenance"]["inputs"]["bars"]["sha256s"]) == 1


def test_the_ledger_balances_on_both_sides(map_json: dict[str, Any]) -> None:
    oi = map_json["open_interest"]
    for side in ("long", "short"):
        a = map_json["ledger"][side]
        assert abs(a["opened"] - a["closed"] - a["liquidated"] - a["open"]) <= 1e-9 * oi
        assert abs(a["mapped"] + a["unmapped"] - a["open"]) <= 1e-9 * oi
        assert abs(a["open"] - oi) <= 1e-9 * oi


def test_mapped_positions_of_the_ledger_equal_the_sum_of_the_map(db: Path) -> None:
    wide = liqmap.Grid.between(10_000, 300_000, 50, tick=0.1)
    with liqmap.open(db) as history:
        m = history.map(INSTRUMENT, at=AT, grid=wide)
    assert m.outside == {"long": 0, "short": 0}
    for side, account in (("long", m.ledger.long), ("short", m.ledger.short)):
        coin = (m.side(side) / wide.centres()).sum()  # type: ignore[arg-type]
        assert coin == pytest.approx(account.mapped, rel=1e-3)


def test_longs_lie_below_the_mark_and_shorts_above(map_json: dict[str, Any]) -> None:
    grid, mark = map_json["grid"], map_json["mark_price"]
    low = grid["low"] + grid["width"] * np.arange(grid["bins"])
    assert (low[np.array(map_json["long"]).sum(axis=0) > 0] + grid["width"] <= mark + 1e-6).all()
    assert (low[np.array(map_json["short"]).sum(axis=0) > 0] >= mark - 1e-6).all()
    assert np.array(map_json["long"]).sum() > 1e8
    assert np.array(map_json["short"]).sum() > 1e8


def test_no_data_after_the_time_of_the_map_is_used(db: Path, shared: Path, tmp_path: Path) -> None:
    source = shared / "data/binance_btcusdt_perp_5m_20260525_20260614.csv"
    lines = source.read_text().splitlines()
    cut = tmp_path / "cut.csv"
    # The row that starts at the time of the map is kept: its open interest is available then, its bar is not.
    known = [line for line in lines[1:] if int(line.split(",")[0]) <= 1_781_222_400_000]
    cut.write_text("\n".join([lines[0], *known]) + "\n")
    with liqmap.open(tmp_path / "cut.duckdb", mode="w") as history:
        history.load(cut, instrument=INSTRUMENT)
        short = history.map(INSTRUMENT, at=AT)
    with liqmap.open(db) as history:
        full = history.map(INSTRUMENT, at=AT)
    assert np.array_equal(short.long, full.long)
    assert np.array_equal(short.short, full.short)
    assert short.ledger == full.ledger


def test_a_cascade_of_longs_stops_below_its_shock(db: Path, map_json: dict[str, Any]) -> None:
    cascade = json.loads(run("cascade", INSTRUMENT, "--db", db, "--at", AT, "--shock", "-2%", "--json").stdout)
    assert list(cascade)[:7] == [
        "shock",
        "stop_price",
        "displacement",
        "liquidated",
        "rounds",
        "amplification",
        "chain",
    ]
    mark = map_json["mark_price"]
    assert cascade["stop_price"] <= mark * 0.98
    assert cascade["liquidated"] > 0
    assert cascade["amplification"] >= 1
    # The chain holds exactly the longs between the mark and the stop price.
    assert sum(link["notional"] for link in cascade["chain"]) == pytest.approx(cascade["liquidated"], rel=1e-9)
    assert all(cascade["stop_price"] <= link["high"] <= mark for link in cascade["chain"])


def test_the_same_inputs_give_the_same_bytes(db: Path, map_json: dict[str, Any]) -> None:
    again = run("map", INSTRUMENT, "--db", db, "--at", AT, "--json").stdout
    assert json.loads(again) == map_json


def test_the_last_column_of_the_heatmap_equals_the_map(db: Path) -> None:
    with liqmap.open(db) as history:
        heat = history.heatmap(INSTRUMENT, "2026-06-11T00:00Z", AT, step="1h")
        m = history.map(INSTRUMENT, at=AT)
    assert len(heat.at) == 25
    for side, heat_side, k in (("long", heat.long, 0), ("short", heat.short, 1)):
        want = m.side(side).sum() + m.outside[side]  # type: ignore[arg-type,index]
        assert heat_side[-1].sum() + heat.outside[-1, k] == pytest.approx(want, rel=1e-6)
    for ledger, oi in zip(heat.ledgers, heat.open_interest, strict=True):
        assert ledger.error(float(oi)) <= 1e-9


def test_the_changes_of_a_track_add_up_at_every_step(db: Path) -> None:
    with liqmap.open(db) as history:
        tracks = history.tracks(INSTRUMENT, "2026-06-10T00:00Z", AT, step="1h")
        clusters = history.map(INSTRUMENT, at=AT).clusters()
    for track in tracks.tracks:
        notional = 0.0
        for step in track.steps:
            parts = step.opened + step.carried_in - step.closed - step.liquidated - step.carried_out
            assert notional + parts == pytest.approx(step.notional, rel=1e-9, abs=1)
            assert not step.migrating or (step.link is not None and step.link >= 0.5)
            notional = step.notional
    # The largest track at the end is a cluster of the map.
    largest = max(tracks.tracks, key=lambda track: track.steps[-1].notional).steps[-1]
    assert any(c.low <= largest.peak <= c.high and c.intensity > 0.5 for c in clusters)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["map", "okx:NOPE", "--at", AT], "'okx:NOPE'"),
        (["map", INSTRUMENT, "--at", "2030-01-01"], "after the last bar"),
        (["map", INSTRUMENT, "--at", "2020-01-01"], "no bars known"),
        (["map", INSTRUMENT, "--at", "soon"], "'soon'"),
        (["cascade", INSTRUMENT, "--shock", "-200%"], "shock"),
        (["cascade", INSTRUMENT, "--shock", "lots"], "lots"),
    ],
)
def test_invalid_or_missing_input_gives_an_error_of_one_line(db: Path, arguments: list[str], what: str) -> None:
    done = run(*arguments, "--db", db, status=1)
    assert done.stderr.startswith("liqmap: ")
    assert done.stderr.count("\n") == 1
    assert what in done.stderr
    assert "(expected " in done.stderr
    assert not done.stdout


def test_a_reader_never_creates_a_history(tmp_path: Path) -> None:
    done = run("map", INSTRUMENT, "--db", tmp_path / "nope.duckdb", status=1)
    assert "no such file" in done.stderr
    assert not list(tmp_path.iterdir())
