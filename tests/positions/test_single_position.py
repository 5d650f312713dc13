"""The price of a single position, and ``liqmap position``."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import liqmap
from _helpers.sample_map import sample_map
from liqmap._base.errors import InputError, NotFoundError
from liqmap.maps.position_on_map import place_position
from liqmap.positions.single_position import Position, margin_for, price_position
from liqmap.venues.catalogue import find_entry

if TYPE_CHECKING:
    from pathlib import Path

BINANCE = find_entry("binance:BTCUSDT")
assert BINANCE is not None


def position(**changes: Any) -> Position:
    facts = {"side": "long", "entry_price": 77_000.0, "size_base": 0.5, "leverage": 20.0} | changes
    return Position(BINANCE.instrument, **facts)


def run(*words: object, status: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from liqmap.cli import main; main()", "position", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    return done


@pytest.mark.parametrize("side", ["long", "short"])
@pytest.mark.parametrize("leverage", [3.0, 20.0, 100.0])
def test_the_margin_found_gives_the_requested_liquidation_price(side: str, leverage: float) -> None:
    asked = position(side=side, leverage=leverage)
    now = price_position(asked, BINANCE.tiers).liquidation_price
    assert now is not None
    target = now * (0.99 if side == "long" else 1.01)
    margin = margin_for(asked, BINANCE.tiers, target)
    assert margin is not None
    assert margin > asked.own_margin
    moved = price_position(position(side=side, leverage=leverage, margin=margin), BINANCE.tiers).liquidation_price
    assert moved == pytest.approx(target, rel=1e-9)


def test_added_margin_moves_the_price_out_of_every_cluster_of_its_side() -> None:
    on = sample_map()
    cluster = next(c for c in on.clusters() if c.side == "long")
    # The leverage whose liquidation price is the cluster's peak: L = E·(1 − 1/x)/(1 − m), first tier.
    leverage = 1 / (1 - cluster.peak / 77_000.0 * (1 - 0.004))
    asked = position(leverage=leverage)
    placed = place_position(price_position(asked, BINANCE.tiers), on, BINANCE.tiers)
    assert placed is not None
    assert placed.exit is not None
    assert placed.exit.margin is not None
    assert placed.cluster == cluster
    out = place_position(
        price_position(position(leverage=leverage, margin=placed.exit.margin), BINANCE.tiers), on, BINANCE.tiers
    )
    assert out is not None
    assert (out.cluster, out.exit) == (None, None)
    assert placed.ahead < out.ahead
    less = position(leverage=leverage, margin=placed.exit.margin - 2 * 0.5)
    inside = place_position(price_position(less, BINANCE.tiers), on, BINANCE.tiers)
    assert inside is not None
    assert inside.cluster is not None


def test_a_fully_covered_position_has_no_price_and_no_place_on_a_map() -> None:
    found = price_position(position(margin=80_000 * 0.5), BINANCE.tiers)
    assert found.liquidation_price is None
    assert place_position(found, sample_map(), BINANCE.tiers) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"leverage": 151.0}, "leverage is above the tier's maximum"),
        ({"size_base": 20_000.0, "leverage": 1.0, "entry_price": 100_000.0}, "size is above the last tier"),
        ({"size_base": 0.0}, "size is not above 0"),
        ({"size_base": -1.0}, "size is not above 0"),
        ({"entry_price": 0.0}, "entry price is not above 0"),
        ({"leverage": None}, "neither margin nor leverage is given"),
    ],
)
def test_invalid_inputs_raise_an_error(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        price_position(position(**changes), BINANCE.tiers)


def test_a_tier_table_valid_at_the_time_is_required() -> None:
    with pytest.raises(NotFoundError, match="no margin tiers"):
        price_position(position(), ())
    with pytest.raises(NotFoundError, match="earliest tier table is of 2026-09-29"):
        price_position(position(), BINANCE.tiers, at=BINANCE.tiers[0].valid_from - 1)


def test_a_position_is_priced_by_its_venues_rule_without_a_history() -> None:
    words = ("--venue", "okx", "--side", "long", "--entry", 65_000, "--size", 0.5, "--leverage", 20)
    plain = json.loads(run(*words, "--json").stdout)
    # (E − E/20) / (1 − m − f), m 0.4 %, fee 0.05 %, and one tick.
    assert plain["liquidation_price"] == pytest.approx(65_000 * 0.95 / (1 - 0.004 - 0.0005) + 0.1, rel=1e-12)
    assert plain["bankruptcy_price"] == 61_750
    assert plain["tier"]["since"] == "2026-09-25T00:00:00Z"
    assert "liquidation     62,029.2" in run(*words).stdout


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--venue", "ftx"), "liqmap: position: venue: 'ftx' (expected one of binance, bybit"),
        (("--instrument", "okx:NO"), "liqmap: position: okx:NO: not in the catalogue"),
        (("--instrument", "okx:BTC-USDT-SWAP", "--venue", "bybit"), "liqmap: position: venue: 'bybit'"),
        (("--venue", "okx", "--leverage", 101), "liqmap: position: okx:BTC-USDT-SWAP, leverage: leverage is above"),
    ],
)
def test_invalid_options_give_a_one_line_error(words: tuple[object, ...], line: str) -> None:
    done = run("--side", "long", "--entry", 65_000, "--size", 0.5, *words, status=1)
    assert done.stderr.startswith(line)
    assert done.stderr.count("\n") == 1


def test_the_cluster_of_a_position_on_a_real_map_is_reported(shared: Path, tmp_path: Path) -> None:
    db = tmp_path / "h.duckdb"
    with liqmap.open(db, mode="w") as history:
        file = shared / "data/binance_btcusdt_perp_5m_20260525_20260614.csv"
        history.load(file, instrument="binance:BTCUSDT")
        peak = next(c for c in history.map("binance:BTCUSDT").clusters() if c.side == "long").peak
    leverage = 1 / (1 - peak / 70_000 * (1 - 0.004 - 0.0005))
    words = ("--venue", "okx", "--side", "long", "--entry", 70_000, "--size", 0.1, "--leverage", leverage, "--db", db)
    out = json.loads(run(*words, "--json").stdout)
    assert out["map"]["instrument"] == "binance:BTCUSDT"
    cluster = out["map"]["cluster"]
    assert cluster["low"] <= out["liquidation_price"] < cluster["high"]
    assert out["map"]["exit"]["price"] < cluster["low"]
    assert out["map"]["exit"]["added"] > 0
    assert "additional margin moves the liquidation price out, to" in run(*words).stdout
