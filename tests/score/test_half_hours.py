"""The default recipe, without calibration, on half hours of May and June 2026."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.stats import spearmanr

from liqmap.history import open_store
from liqmap.score.backtest import BacktestResult, run_backtests
from liqmap.score.plan import read_plan
from liqmap.score.stats.rank import spearman

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def card(shared: Path, pytestconfig: pytest.Config) -> BacktestResult:
    with open_store(":memory:", "w") as store:
        data = shared / "data"
        store.load(data / "binance_btcusdt_perp_5m_20260525_20260614.csv", instrument="binance:BTCUSDT")
        store.load(data / "coinglass" / "regime_30m_20260521_20260608.csv")
        plan = read_plan(pytestconfig.rootpath / "reports" / "skill.toml")
        (card,) = run_backtests(store, [test for test in plan.test if test.recipe == "default"])
    return card


def test_rank_correlations_are_high_and_above_price_alone(card: BacktestResult) -> None:
    by_name = {c.name: c for c in card.correlations}
    for name in ("map alone", "map alone, existing levels only"):
        assert by_name[name].long >= 0.84
        assert by_name[name].short >= 0.80
    best = max((c for c in card.correlations if "map" not in c.name), key=lambda c: c.long)
    assert by_name["map alone"].long > best.long + 0.05
    assert by_name["map alone"].short > best.short + 0.05


def test_the_score_table_has_the_documented_rows(card: BacktestResult) -> None:
    assert [row.name for row in card.tables["skill"]] == [
        "the move alone",
        "price alone",
        "map alone",
        "price + map",
        "map alone, existing levels only",
        "price + map, existing levels only",
    ]
    assert card.periods == (256, 271)
    assert card.warm_up_days == pytest.approx(3, abs=0.01)


def test_spearman_equals_scipys_with_ties() -> None:
    random = np.random.default_rng(3)
    for _ in range(20):
        a, b = random.integers(0, 6, (2, 40)).astype(float)
        assert spearman(a, b) == pytest.approx(spearmanr(a, b).statistic, abs=1e-12)
    assert np.isnan(spearman(np.ones(5), np.arange(5.0)))
