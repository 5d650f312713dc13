"""Basis of dated futures: rates by hand and by a venue, a known basis from a history, and missing data."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

import liqmap
from _helpers.hand_made_map import MARK, hand_map
from liqmap._base.errors import InputError, NotFoundError
from liqmap._base.grid import Grid
from liqmap._base.timestamps import parse_instant
from liqmap.strategies.basis import annual_basis, z_score
from liqmap.strategies.colocation import colocate

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3_600_000_000
START = 1_778_630_400_000_000  # 2026-05-13
N = 400
PERPETUAL, DATED = "binance:BTCUSDT", "binance:BTCUSDT_260925"
RATE = 0.06


def test_rates_equal_those_of_the_venue(shared: Path) -> None:
    """BitMEX states ``fairBasisRate`` of its dated contracts: the simple rate of the mark over the index."""
    file = shared / "data/books/bitmex_instruments_XBT_20210722.json"
    listed = json.loads(file.read_text())
    rows = [row for row in listed["instruments"] if row["symbol"] in ("XBTU21", "XBTZ21")]
    assert len(rows) == 2
    for row in rows:
        days = (parse_instant(row["expiry"]) - listed["received_at"] * 1e6) / 86_400e6
        _, simple = annual_basis(row["markPrice"], row["indicativeSettlePrice"], days)
        assert simple == pytest.approx(row["fairBasisRate"], abs=2e-4)


@pytest.mark.parametrize("bad", [(0.0, 1.0, 1.0), (1.0, math.nan, 1.0), (1.0, 1.0, 0.0), (1.0, -1.0, 5.0)])
def test_invalid_inputs_of_a_rate_are_rejected(bad: tuple[float, float, float]) -> None:
    with pytest.raises(InputError, match=r"levels: (future|spot|days): "):
        annual_basis(*bad)


def test_a_z_score_needs_enough_different_values() -> None:
    assert z_score(np.arange(99.0)) is None
    assert z_score(np.ones(200)) is None
    values = np.append(np.tile([-1.0, 0.0, 1.0], 100), 5.0)
    assert z_score(values) == pytest.approx(5 / 1.4826)


def test_a_map_overlaps_itself_completely() -> None:
    of = hand_map((98_800, 99_200, 300e6), (101_000, 101_400, 200e6))
    both = colocate(of, of)
    assert both.overlap == {"long": pytest.approx(1), "short": pytest.approx(1)}
    assert both.distance == {"long": 0, "short": 0}
    assert [(pair.side, pair.first == pair.second) for pair in both.pairs] == [("long", True), ("short", True)]


def test_the_distance_of_a_shifted_map_is_the_shift() -> None:
    first, second = hand_map((98_800, 99_200, 300e6)), hand_map((98_700, 99_100, 30e6))
    both = colocate(first, second)
    assert both.overlap == {"long": pytest.approx(0.75), "short": None}
    assert both.distance["long"] == pytest.approx(100 / MARK)
    (pair,) = both.pairs
    assert pair.first - pair.second == pytest.approx(100, abs=40)
    far = colocate(first, hand_map((97_000, 97_400, 30e6)))
    assert far.overlap["long"] == 0
    assert not far.pairs


def test_maps_on_different_grids_are_rejected() -> None:
    of = hand_map((98_800, 99_200, 300e6))
    other = replace(of, grid=Grid(tick=0.5, low_tick=1, width_ticks=40, bins=of.grid.bins))
    with pytest.raises(InputError, match="maps on one spot-equivalent axis"):
        colocate(of, other)


def market(folder: Path, *, dated: bool = True, interest: bool = True, spot: bool = True) -> Path:
    """A perpetual at spot and a dated contract with 6 % a year, 10 % in the last hour."""
    spots = 80_000 * np.exp(np.cumsum(np.random.default_rng(6).normal(0, 0.006, N)))
    left = (parse_instant("2026-09-25T08:00Z") - (START + HOUR * np.arange(1, N + 1))) / 86_400e6 / 365
    # A constant basis has no deviation: some noise, and a jump at the end.
    rate = RATE + 0.002 * np.random.default_rng(8).normal(size=N)
    rate[-1] = 0.10
    with liqmap.open(folder / "h.duckdb", mode="w") as history:

        def load(name: str, table: str, head: str, rows: list[str]) -> None:
            (folder / "rows.csv").write_text("\n".join([head, *rows]) + "\n")
            history.load(folder / "rows.csv", table=table, instrument=name)

        series = [(PERPETUAL, spots, "last")] + ([(PERPETUAL, spots, "spot")] if spot else [])
        series += [(DATED, spots * np.exp(rate * left), "last")] if dated else []
        for name, close, source in series:
            before = np.append(close[:1], close[:-1])
            rows = [
                f"{START + i * HOUR},3600,{b:.4f},{max(b, c) * 1.002:.4f},{min(b, c) * 0.998:.4f},{c:.4f},900,{source}"
                for i, (b, c) in enumerate(zip(before, close, strict=True))
            ]
            load(name, "bars", "ts,interval_s,open,high,low,close,volume_base,price_source", rows)
        held = [(PERPETUAL, 9e4)] + ([(DATED, 2e4)] if dated and interest else [])
        for k, (name, coin) in enumerate(held):
            rows = [f"{START + (i + 1) * HOUR},{coin * (1 + 0.02 * np.sin(i / 9 + k)):.3f}" for i in range(N)]
            load(name, "open_interest", "ts,oi_base", rows)
        rows = [f"{START + i * 8 * HOUR},0.0001,8" for i in range(N // 8)]
        load(PERPETUAL, "funding", "ts,rate,interval_h", rows)
    return folder / "h.duckdb"


def test_a_known_basis_is_recovered(tmp_path: Path) -> None:
    with liqmap.open(market(tmp_path)) as history:
        found = history.basis("BTC")
        before = history.basis("BTC", START + (N - 1) * HOUR)
    (one,) = found.dated
    assert one.instrument == DATED
    assert found.spot_from == f"spot price of {PERPETUAL}"
    assert one.annual == pytest.approx(0.10, abs=1e-5)
    assert one.annual_simple == pytest.approx(one.basis * 365 / one.days)
    assert one.price == pytest.approx(found.spot * math.exp(one.annual * one.days / 365))  # type: ignore[operator]
    assert found.funding == pytest.approx(0.0001 * 3 * 365)
    assert one.carry_gap == pytest.approx(one.annual - found.funding)  # type: ignore[operator]
    assert one.readings == N
    assert one.z == pytest.approx(0.04 / 0.002, rel=0.15)
    # One hour earlier the jump is not known.
    assert before.dated[0].annual == pytest.approx(RATE, abs=0.01)
    assert abs(before.dated[0].z or 99) < 4
    assert found.none is None
    json.dumps(found.to_dict(), allow_nan=False)


def test_both_maps_are_compared_on_one_axis(tmp_path: Path) -> None:
    """The prices differ only by the basis, so on the spot-equivalent axis the clusters coincide."""
    with liqmap.open(market(tmp_path)) as history:
        both = history.basis("BTC", START + (N - 1) * HOUR).dated[0].colocation
    assert both is not None
    for side in ("long", "short"):
        assert both.overlap[side] is not None
        assert both.overlap[side] > 0.7  # type: ignore[operator]
        assert both.distance[side] < 0.02  # type: ignore[operator]
    assert len(both.pairs) >= 5


def test_a_market_without_dated_futures_explains_how_to_add_one(tmp_path: Path) -> None:
    with liqmap.open(market(tmp_path, dated=False)) as history:
        found = history.basis("BTC")
    assert not found.dated
    assert found.none is not None
    assert found.none.startswith(
        "no dated future on BTC (the history holds none); to add one, load its bars: liqmap load"
    )
    assert found.funding == pytest.approx(0.1095)


def test_without_open_interest_there_is_a_basis_but_no_map(tmp_path: Path) -> None:
    with liqmap.open(market(tmp_path, interest=False)) as history:
        (one,) = history.basis("BTC").dated
    assert one.annual == pytest.approx(0.10, abs=1e-5)
    assert one.colocation is None
    assert "no map of the contract and of a perpetual to compare: open interest is missing" in one.why


def test_without_a_spot_price_the_perpetual_is_the_fallback(tmp_path: Path) -> None:
    with liqmap.open(market(tmp_path, spot=False)) as history:
        found = history.basis("BTC")
    assert found.spot_from == f"{PERPETUAL}, as fallback for a missing spot price"
    assert found.dated[0].annual == pytest.approx(0.10, abs=1e-5)


def test_an_expired_contract_is_left_out(tmp_path: Path) -> None:
    db = market(tmp_path)
    with liqmap.open(db, mode="w") as history, history.transaction() as connection:
        connection.execute("UPDATE instruments SET expiry = $1 WHERE instrument = $2", [START + HOUR, DATED])
    with liqmap.open(db) as history:
        found = history.basis("BTC")
    assert found.left_out == {DATED: "expired"}
    assert found.none is not None
    assert f"{DATED}: expired" in found.none


def test_within_a_day_of_expiry_there_is_no_rate(tmp_path: Path) -> None:
    db = market(tmp_path)
    with liqmap.open(db, mode="w") as history, history.transaction() as connection:
        connection.execute("UPDATE instruments SET expiry = $1 WHERE instrument = $2", [START + (N + 12) * HOUR, DATED])
    with liqmap.open(db) as history:
        (one,) = history.basis("BTC").dated
    assert (one.annual, one.z, one.carry_gap) == (None, None, None)
    assert one.basis > 0
    assert "within a day of expiry no annual rate is given" in one.why


def test_the_basis_is_requested_by_base_asset(tmp_path: Path) -> None:
    with liqmap.open(market(tmp_path)) as history:
        with pytest.raises(InputError, match="a base asset, such as BTC"):
            history.basis(PERPETUAL)
        with pytest.raises(NotFoundError, match="one of the history's: BTC"):
            history.basis("ETH")
