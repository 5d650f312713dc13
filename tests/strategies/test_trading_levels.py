"""All rules on one map: from a history, from the command line, and where there is nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import liqmap
from _helpers.five_minute_market import END, NAME, write_market
from _helpers.hand_made_map import CALM, hand_map
from liqmap._base.errors import InputError
from liqmap.strategies.stops import OwnPosition

if TYPE_CHECKING:
    from pathlib import Path

USES = ("clusters", "breakout", "scalping", "stops", "liquidity", "voids", "traps", "volatility")


def run(*words: object, status: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from liqmap.cli import main; main()", "levels", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    return done


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_market(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def told(db: Path) -> dict[str, Any]:
    return dict(json.loads(run(NAME, "--db", db, "--json").stdout))


def test_every_use_states_its_rule(told: dict[str, Any]) -> None:
    assert list(told) == ["instrument", "at", "mark_price", "conditions", *USES]
    for name in USES:
        use = told[name]
        assert set(use) == {"rule", "rows", "none", "limits"}
        assert use["rule"].endswith(".")
        assert use["rows"] or use["none"], name
        assert use["limits"]


def test_the_command_line_prints_what_python_gives(db: Path, told: dict[str, Any]) -> None:
    with liqmap.open(db) as history:
        assert json.loads(json.dumps(history.levels(NAME).to_dict())) == told
    text = run(NAME, "--db", db).stdout
    for name in USES:
        assert f"\n{name}: {told[name]['rule']}\n" in text


def test_nothing_later_is_used(db: Path) -> None:
    at = END - 36 * 3_600_000_000
    with liqmap.open(db) as history:
        found = history.trading_levels(NAME, at)
        close = history.market_bars(NAME, until=at)
    assert found.at == at
    assert found.conditions == liqmap.Conditions.of_bars(close)
    # The only book came a day and a half later.
    assert found.voids.none == "there is no measured book at that time: a stated law has no holes"


def test_the_stored_book_is_walked(told: dict[str, Any]) -> None:
    assert told["traps"]["limits"][0].startswith(f"depth: book of {NAME}; visible to")


def test_the_forecast_compares_with_the_days_before(told: dict[str, Any]) -> None:
    # Five days of bars: the maps of four days before can be made.
    assert told["volatility"]["limits"][0] == "compared with 4 maps before, under today's book"


def test_an_own_position_limits_its_stops(db: Path, told: dict[str, Any]) -> None:
    near = told["mark_price"] * 0.999
    words = (NAME, "--db", db, "--liquidation", near, "--size", 1e6, "--json")
    longs = [row for row in json.loads(run(*words).stdout)["stops"]["rows"] if row["side"] == "long"]
    assert longs
    assert all(row["price"] is None and row["limit"] > near for row in longs)


def test_an_empty_map_has_nothing_to_use() -> None:
    found = liqmap.trading_levels(hand_map(), conditions=CALM)
    plain = found.to_dict()
    json.dumps(plain, allow_nan=False)
    for name in ("clusters", "breakout", "scalping", "stops", "traps"):
        assert not found.rule_results[name].rows
        assert found.rule_results[name].none is not None
    assert [row.ratio for row in found.volatility.rows] == [1, 1, 1]


@pytest.mark.parametrize("bad", [np.nan, -1.0])
def test_notional_that_is_none(bad: float) -> None:
    of = hand_map((98_800, 99_200, 300e6))
    held = of.long.copy()
    held[0, 940] = bad
    with pytest.raises(InputError, match="a long bin negative or not finite"):
        liqmap.trading_levels(replace(of, long=held), conditions=CALM)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["binance:NOPE"], "'binance:NOPE'"),
        ([NAME, "--at", "2020-01-01"], "no bars known"),
        ([NAME, "--entry", "-5"], "-5.0"),
        ([NAME, "--liquidation", "nan"], "nan"),
    ],
)
def test_what_cannot_be_answered_is_one_line(db: Path, words: list[str], what: str) -> None:
    done = run(*words, "--db", db, status=1)
    assert done.stderr.startswith("liqmap: ")
    assert done.stderr.count("\n") == 1
    assert what in done.stderr


def test_own_is_of_one_side_only() -> None:
    of = hand_map((98_800, 99_200, 300e6), (100_800, 101_200, 300e6))
    long, short = liqmap.trading_levels(of, conditions=CALM, own=OwnPosition(liquidation_price=99_900.0)).stops.rows
    assert long.price is None
    assert short.price is not None


def test_a_market_has_levels_too(db: Path) -> None:
    """One instrument with a book: its market has the same clusters, and that book."""
    with liqmap.open(db) as history:
        one, all_of_it = history.trading_levels(NAME), history.levels("BTC")
    assert (all_of_it.instrument, all_of_it.mark_price) == ("BTC", one.mark_price)
    assert all_of_it.conditions == one.conditions
    assert all_of_it.traps.limits == one.traps.limits
    assert [row.notional for row in all_of_it.clusters.rows] == pytest.approx(
        [row.notional for row in one.clusters.rows], rel=1e-6
    )
    assert [row.ratio for row in all_of_it.volatility.rows] == pytest.approx(
        [row.ratio for row in one.volatility.rows], rel=0.02
    )
    with liqmap.open(db) as history:
        book = history.depth("BTC", END)
        assert book is not None
        assert book.instruments == (NAME,)
        with pytest.raises(liqmap.NotFoundError, match="a market of the history: BTC"):
            history.depth("ETH", END)
    assert json.loads(run("BTC", "--db", db, "--json").stdout)["instrument"] == "BTC"
