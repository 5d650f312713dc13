"""Score of the calibrated recipe on the three weeks after the fitted span and on the two weeks before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from liqmap._base.timestamps import parse_instant
from liqmap.history import open_store
from liqmap.score.evaluation import Evaluation, ScoreRow, score_tables
from liqmap.score.periods import match_periods

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="module")
def winter(shared: Path) -> Callable[[str, str], Evaluation]:
    """Evaluations on hourly data, fitted on 2025-12-18 → 2026-01-08 after a warm-up over the whole of 2025."""
    with open_store(":memory:", "w") as store:
        for name in ("btc_spot_1h_20250101_20260131.csv", "btc_1h_20251204_20260131.csv"):
            store.load(shared / "data" / name, instrument="binance:BTCUSDT")
        end = parse_instant("2026-02-01")
        bars = store.market_bars("binance:BTCUSDT", end, interval_s=3600, price_source="spot")
        periods = match_periods(bars, store.liquidations("coinglass:BTC", parse_instant("2025-12-04"), end))
    fitted = periods.between(parse_instant("2025-12-18"), parse_instant("2026-01-08"))

    def evaluation(start: str, end: str) -> Evaluation:
        return Evaluation(bars, periods, fitted, periods.between(parse_instant(start), parse_instant(end)))

    return evaluation


@pytest.fixture(scope="module")
def tables(winter: Callable[[str, str], Evaluation]) -> dict[str, tuple[ScoreRow, ...]]:
    return score_tables(winter("2026-01-08", "2026-02-01"), placebos=False)


@pytest.fixture(scope="module")
def january(tables: dict[str, tuple[ScoreRow, ...]]) -> dict[str, ScoreRow]:
    return {row.name: row for row in tables["skill"]}


def test_price_alone_equals_an_independent_implementation(january: dict[str, ScoreRow]) -> None:
    """An independent prototype of the same baseline gave 752 and 353."""
    assert january["price alone"].deviance == pytest.approx((752, 353), rel=0.05)


def test_map_alone_beats_price_alone(january: dict[str, ScoreRow]) -> None:
    for name in ("map alone", "map alone, existing levels only"):
        assert min(january[name].gain) > 0
        assert min(january[name].low) > 0


def test_price_and_map_beat_price_alone_by_a_margin(january: dict[str, ScoreRow]) -> None:
    for name in ("price + map", "price + map, existing levels only"):
        long, short = january[name].gain
        assert long >= 0.25
        assert short >= 0.15
        assert min(january[name].low) > 0


def test_the_map_improves_the_harder_baseline(tables: dict[str, tuple[ScoreRow, ...]]) -> None:
    row = tables["harder"][-1]
    assert row.name == "price, range and close + map, existing levels only"
    assert min(row.gain) > 0.15
    assert min(row.low) > 0


def test_the_two_weeks_before_agree(winter: Callable[[str, str], Evaluation]) -> None:
    rows = {row.name: row for row in score_tables(winter("2025-12-04", "2025-12-18"), placebos=False)["skill"]}
    assert min(rows["map alone"].gain) > 0.15
    assert min(rows["price + map"].gain) > 0.10


@pytest.mark.slow
def test_placebos_gain_little(winter: Callable[[str, str], Evaluation]) -> None:
    tables = score_tables(winter("2026-01-08", "2026-02-01"))
    real = {row.name: row for row in tables["skill"]}["price + map"]
    assert len(tables["placebo"]) == 12
    for row in tables["placebo"]:
        assert row.gain[0] < real.gain[0] / 2
        assert row.gain[1] < real.gain[1] / 2
