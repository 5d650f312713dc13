"""Maps of observed and modelled positions: observed ones are exact, modelled ones fill the rest, ledgers balance."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

import liqmap
from liqmap import Grid
from liqmap._base import timestamps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from liqmap import History, LiquidationMap

NAME = "binance:BTCUSDT"
AT = timestamps.parse_instant("2026-06-12T00:00Z")
HOUR = 3_600_000_000
HEAD = (
    "ts,account,side,size_base,entry_price,leverage,margin_mode,margin,mark_price,liquidation,liquidation_price,source"
)
GRID = Grid.between(20_000, 200_000, 100, tick=0.1)


@pytest.fixture
def history(shared: Path, tmp_path: Path) -> Iterator[History]:
    with liqmap.open(tmp_path / "h.duckdb", mode="w") as history:
        history.load(shared / "data/binance_btcusdt_perp_5m_20260525_20260614.csv", instrument=NAME)
        yield history


def load_positions(history: History, folder: Path, *rows: str) -> None:
    file = folder / "book.csv"
    file.write_text("\n".join([HEAD, *rows]) + "\n")
    history.load(file, table="positions", instrument=NAME)


def row(account: str, side: str, coin: float, price: str, *, ts: int = AT, leverage: float = 10) -> str:
    liquidation = "none" if price == "" else "reported"
    return f"{ts},{account},{side},{coin},63000,{leverage},isolated,,63600,{liquidation},{price},book"


def assert_balanced(made: LiquidationMap) -> None:
    assert made.ledger.error(made.open_interest) <= 1e-9
    for side, account in (("long", made.ledger.long), ("short", made.ledger.short)):
        coin = made.side(side) / made.grid.centres()  # type: ignore[arg-type]
        assert coin.sum() == pytest.approx(
            account.mapped, rel=2e-3
        )  # prices within a bin are approximated by its centre


def test_observed_positions_are_exact_and_open_interest_is_unchanged(history: History, tmp_path: Path) -> None:
    before = history.map(NAME, AT, grid=GRID)
    load_positions(
        history, tmp_path,
        row("a", "long", 800.0, "60050"), row("b", "short", 300.0, "70050", leverage=50), row("c", "long", 700.0, ""),
    )  # fmt: skip
    made = history.map(NAME, AT, grid=GRID)
    assert_balanced(made)
    assert made.open_interest == before.open_interest
    assert made.observed is not None
    assert made.observed.coverage["long"] == pytest.approx(1500 / before.open_interest)
    assert made.observed.coverage["short"] == pytest.approx(300 / before.open_interest)
    at = GRID.bin_of(60_050)
    assert made.observed.side("long")[at] == pytest.approx(800 * 60_050)
    assert np.count_nonzero(made.observed.side("long")) == np.count_nonzero(made.observed.side("short")) == 1
    # Modelled positions are scaled by one factor: open interest less the observed amount, over open interest.
    for side, coin in (("long", 1500), ("short", 300)):
        rest = made.side(side) - made.observed.side(side)  # type: ignore[arg-type]
        cut = 1 - coin / before.open_interest
        assert rest == pytest.approx(before.side(side) * cut, rel=1e-6, abs=0.01)  # type: ignore[arg-type]
    # A position at 50x is in the 50x bracket.
    assert made.observed.short[made.brackets.index(50)].sum() == pytest.approx(300 * 70_050)
    assert made.ledger.long.mapped - before.ledger.long.mapped * (1 - 1500 / before.open_interest) == pytest.approx(800)


def test_clusters_and_json_report_the_observed_share(history: History, tmp_path: Path) -> None:
    load_positions(history, tmp_path, row("a", "long", 5_000.0, "60050"))
    made = history.map(NAME, AT)
    plain = json.loads(made.to_json())
    biggest = plain["clusters"][0]
    assert biggest["low"] <= 60_050 < biggest["high"]
    assert 0.9 < biggest["observed_share"] <= 1
    assert any(c["observed_share"] == 0 for c in plain["clusters"])
    assert plain["observed"]["positions"] == 1
    assert 0 < plain["provenance"]["observed_share"] < 1
    total = sum(sum(side) for bracket in ("long", "short") for side in plain[bracket])
    assert sum(plain["observed"]["long"]) / total == pytest.approx(plain["provenance"]["observed_share"], rel=0.2)
    assert any("of the longs' and 0.00% of the shorts' open interest" in s for s in plain["provenance"]["assumptions"])


def test_later_snapshots_and_snapshots_older_than_a_day_are_ignored(history: History, tmp_path: Path) -> None:
    load_positions(
        history, tmp_path, row("a", "long", 10, "60000", ts=AT + 1), row("b", "long", 10, "60000", ts=AT - 25 * HOUR)
    )
    assert history.map(NAME, AT).observed is None
    later = history.map(NAME, AT + 300_000_000)
    assert later.observed is not None
    assert later.observed.positions == 1


def test_a_position_swept_since_its_snapshot_is_left_out(history: History, tmp_path: Path) -> None:
    bars = history.market_bars(NAME, AT)
    since = AT - 20 * HOUR
    low = float(bars.low[bars.ts >= since].min())
    passed, held = low + 10, low - 10
    load_positions(
        history, tmp_path,
        row("a", "long", 50.0, f"{passed}", ts=since), row("b", "long", 20.0, f"{held}", ts=since),
    )  # fmt: skip
    made = history.map(NAME, AT, grid=GRID)
    assert_balanced(made)
    assert made.observed is not None
    assert made.observed.positions == 1
    assert made.observed.side("long").sum() == pytest.approx(20 * held)
    assert any("1 observed positions are left out" in s for s in made.provenance.assumptions)


def test_an_observed_amount_above_open_interest_is_used_and_noted(history: History, tmp_path: Path) -> None:
    recorded = history.map(NAME, AT).open_interest
    load_positions(history, tmp_path, row("a", "long", recorded * 2, "60000"))
    made = history.map(NAME, AT, grid=GRID)
    assert made.open_interest == pytest.approx(recorded * 2)
    assert made.ledger.error(made.open_interest) <= 1e-9
    assert made.observed is not None
    assert made.side("long") == pytest.approx(made.observed.side("long"))
    assert any("more was observed" in s for s in made.provenance.assumptions)


def test_an_instrument_without_bars_is_mapped_from_observed_positions(tmp_path: Path) -> None:
    with liqmap.open(tmp_path / "alone.duckdb", mode="w") as history:
        load_positions(history, tmp_path, row("a", "long", 3.0, "60000"), row("b", "short", 1.0, "70000"))
        made = history.map(NAME)
    assert_balanced(made)
    assert (made.at, made.mark_price, made.open_interest) == (AT, 63_600, 3.0)
    assert made.provenance.observed_share == 1
    assert made.ledger.short.unmapped == pytest.approx(2.0)
    assert [c.side for c in made.clusters()] == ["long", "short"]
    assert any("open interest is not known" in s for s in made.provenance.assumptions)


def test_the_chart_draws_the_observed_part_of_bars(history: History, tmp_path: Path) -> None:
    assert history.map(NAME, AT).chart().datasets["seen"] == []
    load_positions(history, tmp_path, row("a", "long", 800.0, "60050"))
    drawn = history.map(NAME, AT).chart().datasets["seen"]
    assert len(drawn) == 1
    width = drawn[0]["high"] - drawn[0]["low"]
    assert abs((drawn[0]["low"] + drawn[0]["high"]) / 2 - 60_050) <= width / 0.28 / 2  # in the middle of its bar
    assert drawn[0]["usd"] == pytest.approx(800 * 60_050, abs=1)
