"""All rules on one map: from a history, from the command line, and on an empty map."""

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

RULES = ("clusters", "breakout", "scalping", "stops", "liquidity", "voids", "traps", "volatility")


def run(*words: object, status: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from liqmap.cli import main; main()", "levels", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    return done


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_market(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def printed(db: Path) -> dict[str, Any]:
    return dict(json.loads(run(NAME, "--db", db, "--json").stdout))


def test_every_result_states_its_rule(printed: dict[str, Any]) -> None:
    assert list(printed) == ["instrument", "at", "mark_price", "conditions", *RULES]
    for name in RULES:
        result = printed[name]
        assert set(result) == {"rule", "rows", "none", "limits"}
        assert result["rule"].endswith(".")
        assert result["rows"] or result["none"], name
        assert result["limits"]


def test_the_command_line_prints_the_results_of_python(db: Path, printed: dict[str, Any]) -> None:
    with liqmap.open(db) as history:
        assert json.loads(json.dumps(history.levels(NAME).to_dict())) == printed
    text = run(NAME, "--db", db).stdout
    for name in RULES:
        assert f"\n{name}: {printed[name]['rule']}\n" in text


def test_later_data_is_not_used(db: Path) -> None:
    at = END - 36 * 3_600_000_000
    with liqmap.open(db) as history:
        found = history.trading_levels(NAME, at)
        close = history.market_bars(NAME, until=at)
    assert found.at == at
    assert found.conditions == liqmap.Conditions.of_bars(close)
    # The only order book is a day and a half later.
    assert found.voids.none == "no measured order book at that time; an impact law has no voids"


def test_the_stored_order_book_is_used(printed: dict[str, Any]) -> None:
    assert printed["traps"]["limits"][0].startswith(f"depth: book of {NAME}; visible to")


def test_the_forecast_compares_with_the_days_before(printed: dict[str, Any]) -> None:
    # Five days of bars permit maps of the four days before.
    assert printed["volatility"]["limits"][0] == "compared with 4 past maps under the present book"


def test_an_own_position_limits_its_stops(db: Path, printed: dict[str, Any]) -> None:
    near = printed["mark_price"] * 0.999
    words = (NAME, "--db", db, "--liquidation", near, "--size", 1e6, "--json")
    longs = [row for row in json.loads(run(*words).stdout)["stops"]["rows"] if row["side"] == "long"]
    assert longs
    assert all(row["price"] is None and row["limit"] > near for row in longs)


def test_an_empty_map_gives_reasons() -> None:
    found = liqmap.trading_levels(hand_map(), conditions=CALM)
    plain = found.to_dict()
    json.dumps(plain, allow_nan=False)
    for name in ("clusters", "breakout", "scalping", "stops", "traps"):
        assert not found.rule_results[name].rows
        assert found.rule_results[name].none is not None
    assert [row.ratio for row in found.volatility.rows] == [1, 1, 1]


@pytest.mark.parametrize("bad", [np.nan, -1.0])
def test_invalid_notional_is_rejected(bad: float) -> None:
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
def test_invalid_requests_are_one_line_errors(db: Path, words: list[str], what: str) -> None:
    done = run(*words, "--db", db, status=1)
    assert done.stderr.startswith("liqmap: ")
    assert done.stderr.count("\n") == 1
    assert what in done.stderr


def test_an_own_position_limits_one_side_only() -> None:
    of = hand_map((98_800, 99_200, 300e6), (100_800, 101_200, 300e6))
    long, short = liqmap.trading_levels(of, conditions=CALM, own=OwnPosition(liquidation_price=99_900.0)).stops.rows
    assert long.price is None
    assert short.price is not None


def test_a_market_has_trading_levels(db: Path) -> None:
    """A market of one instrument has the same clusters and the same order book."""
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
