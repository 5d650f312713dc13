"""The map of a market is the exact sum of its instruments' maps on one axis."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

import liqmap
from liqmap import NotFoundError
from liqmap.maps.histogram import UNITS_PER_NOTIONAL, histogram
from liqmap.maps.market import MarketMap, add_maps
from liqmap.positions.engine.calibrated_recipe import CalibratedRecipe

HOUR = 3_600_000_000
START = 1_778_630_400_000_000  # 2026-05-13
N = 240
BASIS = {"binance:BTCUSDT": 0.004, "bybit:BTCUSDT": -0.002, "okx:BTC-USDT-SWAP": 0.0, "sim:BTCUSDT": 0.1}
COIN = {"binance:BTCUSDT": 9e4, "bybit:BTCUSDT": 5e4, "okx:BTC-USDT-SWAP": 3e4, "sim:BTCUSDT": 2e4}
HOURS = {"binance:BTCUSDT": N, "bybit:BTCUSDT": N - 1, "okx:BTC-USDT-SWAP": N - 72, "sim:BTCUSDT": N}


def price() -> np.ndarray:
    return np.asarray(80_000 * np.exp(np.cumsum(np.random.default_rng(6).normal(0, 0.006, N))))


def bars_of(close: np.ndarray, source: str) -> str:
    first = np.concatenate([close[:1], close[:-1]])
    volume = np.random.default_rng(7).exponential(900, len(close))
    lines = ["ts,interval_s,open,high,low,close,volume_base,price_source"]
    for i in range(len(close)):
        top, bottom = max(first[i], close[i]) * 1.002, min(first[i], close[i]) * 0.998
        row = (first[i], top, bottom, close[i])
        numbers = ",".join(f"{x:.1f}" for x in row)
        lines.append(f"{START + i * HOUR},3600,{numbers},{volume[i]:.3f},{source}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three venues with different bases, one with data that ends early; an aggregate; a simulation; a spot price."""
    folder = tmp_path_factory.mktemp("market")
    with liqmap.open(folder / "h.duckdb", mode="w") as history:

        def load(name: str, table: str, text: str) -> None:
            (folder / "rows.csv").write_text(text)
            history.load(folder / "rows.csv", table=table, instrument=name)

        for k, (name, basis) in enumerate(BASIS.items()):
            close = price()[: HOURS[name]] * (1 + basis)
            load(name, "bars", bars_of(close, "last"))
            interest = ["ts,oi_base"]
            interest += [
                f"{START + (i + 1) * HOUR},{COIN[name] * (1 + 0.02 * np.sin(i / 9 + k)):.3f}" for i in range(N)
            ]
            load(name, "open_interest", "\n".join(interest) + "\n")
        load("binance:BTCUSDT", "bars", bars_of(price(), "spot"))
        load("coinglass:BTC", "liquidations", f"ts,window_s,side,usd,feed\n{START},1800,long,1e6,aggregate\n")
    return folder / "h.duckdb"


@pytest.fixture(scope="module")
def market(db: Path) -> MarketMap:
    with liqmap.open(db) as history:
        made = history.map("BTC")
    assert isinstance(made, MarketMap)
    return made


def units(usd: np.ndarray) -> np.ndarray:
    return np.rint(usd * UNITS_PER_NOTIONAL).astype(np.int64)


def test_each_bin_is_the_sum_of_its_parts(market: MarketMap) -> None:
    assert [part.instrument for part in market.parts] == ["binance:BTCUSDT", "bybit:BTCUSDT"]
    for side in ("long", "short"):
        whole = units(market.side(side))  # type: ignore[arg-type]
        assert whole.sum() > 0
        assert np.array_equal(whole, sum(units(part.side(side)) for part in market.parts))  # type: ignore[arg-type]
        assert np.array_equal(whole, sum(units(bins[side]) for bins in market.venues().values()))  # type: ignore[index]
    assert market.open_interest == sum(part.open_interest for part in market.parts)
    assert market.ledger.error(market.open_interest) <= 1e-9


def test_the_order_of_the_parts_does_not_matter(market: MarketMap) -> None:
    for parts in permutations(market.parts):
        again = add_maps(
            "BTC",
            parts,
            at=market.at,
            spot=market.mark_price,
            grid=market.grid,
            basis=market.basis,
            left_out={},
            notes=(),
        )
        assert np.array_equal(again.long, market.long)
        assert np.array_equal(again.short, market.short)
        assert again.outside == market.outside


def test_levels_lie_at_their_spot_equivalent(db: Path, market: MarketMap) -> None:
    """Each part equals the instrument's own map with prices scaled by spot over mark."""
    with liqmap.open(db) as history:
        for part in market.parts:
            own = history.map(part.instrument, market.at)
            factor = market.mark_price / own.mark_price
            assert 1 / factor - 1 == pytest.approx(market.basis[part.instrument], abs=1e-9)
            assert market.basis[part.instrument] == pytest.approx(BASIS[part.instrument], abs=1e-4)
            for side in ("long", "short"):
                total = own.side(side).sum() + own.outside[side]  # type: ignore[arg-type,index]
                here = part.side(side).sum() + part.outside[side]  # type: ignore[arg-type,index]
                assert here == pytest.approx(total, rel=1e-9)
                centre = (own.side(side) * own.grid.centres()).sum() / own.side(side).sum()  # type: ignore[arg-type]
                moved = (part.side(side) * part.grid.centres()).sum() / part.side(side).sum()  # type: ignore[arg-type]
                assert moved == pytest.approx(centre * factor, rel=2e-4)
    # Longs lie below spot and shorts above, for any basis.
    edges = market.grid.edges()
    assert not market.side("long")[edges[:-1] >= market.mark_price].any()
    assert not market.side("short")[edges[1:] <= market.mark_price].any()


def test_instruments_left_out_are_named(db: Path, market: MarketMap) -> None:
    assert set(market.left_out) == {"okx:BTC-USDT-SWAP", "coinglass:BTC", "sim:BTCUSDT"}
    for name in market.left_out:
        assert any(name in note for note in market.provenance.assumptions)
    assert not market.provenance.simulated
    # The latest time with data of all instruments: bybit's bars end an hour before the others'.
    assert market.at == START + (N - 1) * HOUR
    with liqmap.open(db) as history:
        early = history.map("BTC", START + (N - 80) * HOUR)
        assert isinstance(early, MarketMap)
        assert len(early.parts) == 3
        assert any("spot price of binance:BTCUSDT" in note for note in early.provenance.assumptions)
        with pytest.raises(NotFoundError, match=r"no instrument at 2027-01-01T00:00:00Z \(.*bybit:BTCUSDT: "):
            history.map("BTC", "2027-01-01")
        with pytest.raises(NotFoundError, match="one of the history's: BTC"):
            history.map("DOGE")


def test_brackets_of_different_leverage_are_not_merged(db: Path, market: MarketMap) -> None:
    """Leverages of calibrated recipes differ by venue, and all are present in the market's map."""
    with liqmap.open(db) as history:
        made = history.map("BTC", recipe=CalibratedRecipe.uniform(0.0003))
    assert isinstance(made, MarketMap)
    assert made.brackets == tuple(sorted({x for part in made.parts for x in part.brackets}))
    assert np.array_equal(units(made.long.sum(axis=1)).sum(), sum(units(p.long).sum() for p in made.parts))
    assert len(market.brackets) < len(made.brackets)


def test_the_command_splits_by_venue(db: Path, market: MarketMap) -> None:
    def run(*words: str) -> str:
        command = [sys.executable, "-c", "from liqmap.cli import main; main()", "map", "BTC", "--db", str(db), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    made = json.loads(run("--json"))
    assert list(made["venues"]) == ["binance", "bybit"]
    assert made["venues"]["bybit"]["short"] == market.venues()["bybit"]["short"].tolist()
    assert made["instruments"][0]["basis"] == pytest.approx(0.004, abs=1e-4)
    assert made["max_pain"]["long"] < made["mark_price"] < made["max_pain"]["short"]
    assert "left_out" in made
    printed = run()
    assert printed.startswith("BTC   ")
    long, short = (market.venues()["binance"][side].sum() / 1e6 for side in ("long", "short"))  # type: ignore[index]
    assert f"binance          {long:>10,.1f}M long {short:>10,.1f}M short   basis +0.40%" in printed


def test_a_market_map_has_clusters_cascades_and_tables(market: MarketMap) -> None:
    assert market.clusters()
    assert market.cascade(-0.02).stop_price <= market.mark_price * 0.98
    assert market.to_arrow().num_rows > 0


def test_units_equal_those_of_the_core() -> None:
    empty = liqmap.Grid.between(1, 2, 1, tick=1)
    with liqmap.open(":memory:", mode="w") as store, store.reading() as connection:
        none = connection.sql("SELECT 1.0 AS price, 1.0 AS notional, 1::TINYINT AS side")
        assert histogram(none, empty).units_per_notional == UNITS_PER_NOTIONAL
