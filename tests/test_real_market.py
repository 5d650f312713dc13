"""The main job on real files, through the command line: load, map, cascade, report."""

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


def run(*words: object, status: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from liqmap.cli import main; main()", *map(str, words)]
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
def made(db: Path) -> dict[str, Any]:
    return dict(json.loads(run("map", INSTRUMENT, "--db", db, "--at", AT, "--json").stdout))


def test_the_map_has_the_public_form(made: dict[str, Any]) -> None:
    assert (made["instrument"], made["at"], made["mark_price"]) == (INSTRUMENT, "2026-06-12T00:00:00Z", 63597.9)
    bins, brackets = made["grid"]["bins"], len(made["brackets"])
    for side in ("long", "short"):
        assert np.array(made[side]).shape == (brackets, bins)
        account = made["ledger"][side]
        assert set(account) == {"opened", "closed", "liquidated", "open", "mapped", "unmapped"}
    cluster = made["clusters"][0]
    assert {"side", "low", "peak", "high", "notional", "intensity", "band", "distance", "share_20x"} <= set(cluster)
    assert cluster["intensity"] == 1
    assert {c["band"] for c in made["clusters"]} <= {"low", "medium", "high", "extreme"}
    assert not made["provenance"]["simulated"]
    assert len(made["provenance"]["inputs"]["bars"]["sha256s"]) == 1


def test_the_ledger_balances_on_both_sides(made: dict[str, Any]) -> None:
    oi = made["open_interest"]
    for side in ("long", "short"):
        a = made["ledger"][side]
        assert abs(a["opened"] - a["closed"] - a["liquidated"] - a["open"]) <= 1e-9 * oi
        assert abs(a["mapped"] + a["unmapped"] - a["open"]) <= 1e-9 * oi
        assert abs(a["open"] - oi) <= 1e-9 * oi


def test_what_is_mapped_is_on_the_map(db: Path) -> None:
    wide = liqmap.Grid.between(10_000, 300_000, 50, tick=0.1)
    with liqmap.open(db) as history:
        m = history.map(INSTRUMENT, at=AT, grid=wide)
    assert m.outside == {"long": 0, "short": 0}
    for side, account in (("long", m.ledger.long), ("short", m.ledger.short)):
        coin = (m.side(side) / wide.centres()).sum()  # type: ignore[arg-type]
        assert coin == pytest.approx(account.mapped, rel=1e-3)


def test_longs_lie_below_the_mark_and_shorts_above(made: dict[str, Any]) -> None:
    grid, mark = made["grid"], made["mark_price"]
    low = grid["low"] + grid["width"] * np.arange(grid["bins"])
    assert (low[np.array(made["long"]).sum(axis=0) > 0] + grid["width"] <= mark + 1e-6).all()
    assert (low[np.array(made["short"]).sum(axis=0) > 0] >= mark - 1e-6).all()
    assert np.array(made["long"]).sum() > 1e8
    assert np.array(made["short"]).sum() > 1e8


def test_nothing_later_than_the_map_was_used(db: Path, shared: Path, tmp_path: Path) -> None:
    source = shared / "data/binance_btcusdt_perp_5m_20260525_20260614.csv"
    lines = source.read_text().splitlines()
    cut = tmp_path / "cut.csv"
    # The row that begins at the map's time stays: its open interest is known then, its bar is not.
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


def test_a_cascade_stops_below_its_shock(db: Path, made: dict[str, Any]) -> None:
    told = json.loads(run("cascade", INSTRUMENT, "--db", db, "--at", AT, "--shock", "-2%", "--json").stdout)
    assert list(told)[:7] == [
        "shock",
        "stop_price",
        "displacement",
        "liquidated",
        "rounds",
        "amplification",
        "chain",
    ]
    mark = made["mark_price"]
    assert told["stop_price"] <= mark * 0.98
    assert told["liquidated"] > 0
    assert told["amplification"] >= 1
    # The chain holds every long between the mark and the stop, and nothing else.
    assert sum(link["notional"] for link in told["chain"]) == pytest.approx(told["liquidated"], rel=1e-9)
    assert all(told["stop_price"] <= link["high"] <= mark for link in told["chain"])


def test_the_same_inputs_give_the_same_bytes(db: Path, made: dict[str, Any]) -> None:
    again = run("map", INSTRUMENT, "--db", db, "--at", AT, "--json").stdout
    assert json.loads(again) == made


def test_the_heatmap_ends_in_the_map(db: Path) -> None:
    with liqmap.open(db) as history:
        heat = history.heatmap(INSTRUMENT, "2026-06-11T00:00Z", AT, step="1h")
        m = history.map(INSTRUMENT, at=AT)
    assert len(heat.at) == 25
    for side, heat_side, k in (("long", heat.long, 0), ("short", heat.short, 1)):
        want = m.side(side).sum() + m.outside[side]  # type: ignore[arg-type,index]
        assert heat_side[-1].sum() + heat.outside[-1, k] == pytest.approx(want, rel=1e-6)
    for ledger, oi in zip(heat.ledgers, heat.open_interest, strict=True):
        assert ledger.error(float(oi)) <= 1e-9


def test_every_step_of_a_track_is_accounted_for(db: Path) -> None:
    with liqmap.open(db) as history:
        made = history.tracks(INSTRUMENT, "2026-06-10T00:00Z", AT, step="1h")
        clusters = history.map(INSTRUMENT, at=AT).clusters()
    for track in made.tracks:
        mass = 0.0
        for step in track.steps:
            parts = step.opened + step.carried_in - step.closed - step.liquidated - step.carried_out
            assert mass + parts == pytest.approx(step.notional, rel=1e-9, abs=1)
            assert not step.migrating or (step.link is not None and step.link >= 0.5)
            mass = step.notional
    # The track that is largest at the end is a cluster of the map.
    largest = max(made.tracks, key=lambda track: track.steps[-1].notional).steps[-1]
    assert any(c.low <= largest.peak <= c.high and c.intensity > 0.5 for c in clusters)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["map", "okx:NOPE", "--at", AT], "'okx:NOPE'"),
        (["map", INSTRUMENT, "--at", "2030-01-01"], "after the last bar"),
        (["map", INSTRUMENT, "--at", "2020-01-01"], "no bars known"),
        (["map", INSTRUMENT, "--at", "soon"], "'soon'"),
        (["cascade", INSTRUMENT, "--shock", "-200%"], "shock"),
        (["cascade", INSTRUMENT, "--shock", "lots"], "lots"),
    ],
)
def test_what_the_history_does_not_have_is_one_line(db: Path, words: list[str], what: str) -> None:
    done = run(*words, "--db", db, status=1)
    assert done.stderr.startswith("liqmap: ")
    assert done.stderr.count("\n") == 1
    assert what in done.stderr
    assert "(expected " in done.stderr
    assert not done.stdout


def test_a_reader_never_creates_a_history(tmp_path: Path) -> None:
    done = run("map", INSTRUMENT, "--db", tmp_path / "nope.duckdb", status=1)
    assert "no such file" in done.stderr
    assert not list(tmp_path.iterdir())
