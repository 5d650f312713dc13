"""The bar ledger balances after every bar of real and random markets."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import liqmap
from liqmap import InputError, NotFoundError, Recipe
from liqmap._core import Cohorts
from liqmap.positions.engine.bar_ledger import BarLedger, record_bar_ledger
from liqmap.positions.engine.bar_steps import step_bars
from liqmap.positions.engine.calibrated_recipe import CalibratedRecipe
from liqmap.positions.engine.opening_flow import EngineBars
from liqmap.positions.engine.population import EngineRun

NAME = "binance:BTCUSDT"
HOUR = 3_600_000_000
BRACKETS = np.array([[0.3, 0.3, 0.2, 0.1, 100.0], [0.05, 0.05, 0.3, 0.4, 10.0], [0.01, 0.01, 0.5, 0.4, math.inf]])
EXACT = 1e-9


@pytest.fixture(scope="module")
def db(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All real series of one market: hourly bars with spot volume, hourly with volume, 5-minute without volume."""
    file = tmp_path_factory.mktemp("ledger") / "btc.duckdb"
    with liqmap.open(file, mode="w") as history:
        for name in (
            "btc_spot_1h_20250101_20260131",
            "btc_1h_20251204_20260131",
            "binance_btcusdt_perp_5m_20260525_20260614",
        ):
            history.load(shared / f"data/{name}.csv", instrument=NAME)
    return file


@pytest.mark.parametrize(
    ("end", "recipe", "bars"),
    [
        ("2026-06-14T15:00Z", Recipe(), 5_000),
        # Everything is mapped, so bars are rescaled to fit open interest.
        ("2026-06-14T15:00Z", Recipe(mapped_share=1.0), 5_000),
        ("2026-01-31T00:00Z", Recipe(), 1_000),
        ("2026-01-31T00:00Z", CalibratedRecipe.uniform(0.0005), 1_000),
    ],
)
def test_every_bar_of_real_markets_balances(db: Path, end: str, recipe: Any, bars: int) -> None:
    with liqmap.open(db) as history:
        ledger = history.ledger(NAME, end=end, recipe=recipe)
        m = history.map(NAME, end, recipe=recipe)
    assert len(ledger) > bars
    check(ledger)
    assert ledger.liquidated.sum() > 0
    total = ledger.total()
    for side, account in (("long", m.ledger.long), ("short", m.ledger.short)):
        sums = total[side]
        left = sums["opened"] - sums["closed"] - sums["liquidated"] - sums["rescaled"]
        assert left == pytest.approx(account.open, rel=EXACT)
        assert sums["closed"] + sums["rescaled"] == pytest.approx(account.closed, rel=EXACT)
        assert (sums["opened"], sums["liquidated"]) == pytest.approx((account.opened, account.liquidated), rel=EXACT)
    if getattr(recipe, "mapped_share", 0) == 1:
        assert ledger.rescaled.sum() > 0


def check(ledger: BarLedger) -> None:
    """Each bar balances on both sides, and no amount is negative beyond rounding."""
    assert ledger.error().max() <= EXACT
    scale = np.maximum(ledger.open_interest, 1)[:, None]
    for part in (ledger.opened, ledger.closed, ledger.liquidated, ledger.rescaled, ledger.mapped, ledger.unmapped):
        assert (part >= -EXACT * scale * len(ledger)).all()
    # Rescaling leaves mapped positions equal to open interest.
    assert (np.abs(ledger.unmapped) <= EXACT * scale)[ledger.rescaled > 0].all()


def random_run(rng: np.random.Generator) -> EngineRun:
    """A run over random bars: prices jump or stay constant; open interest freezes, vanishes or jumps tenfold."""
    n = int(rng.integers(1, 40))
    close = 50_000 * np.exp(np.cumsum(rng.normal(0, rng.choice([0.0, 0.003, 0.1]), n)))
    width = rng.choice([0.0, 0.002, 0.05], n)
    jumps = np.cumsum(rng.choice([0, 0, 0, 0.05, -0.05, math.log(10), -math.log(10)], n))
    oi = np.clip(1_000 * np.exp(jumps), 10, 1e6)
    oi[rng.random(n) < rng.choice([0, 0.1])] = 0.0
    scale = rng.choice([0, 1, 100, 3_000])
    bars = EngineBars(
        end=HOUR * np.arange(1, n + 1),
        hours=rng.choice([0.0, 1 / 12, 1.0, 30.0], n),
        low=close * (1 - width * rng.random(n)),
        high=close * (1 + width * rng.random(n)),
        close=close,
        open_interest=oi,
        long_flow=scale * rng.random(n),
        short_flow=scale * rng.random(n),
        assumptions=(),
    )
    return EngineRun(Cohorts(BRACKETS, 1e-3), bars, (3.0, 20.0, 100.0), BRACKETS, 1e-3, ())


def rescaled_bars(histories: int, seed: int) -> int:
    """Check the ledgers of random runs and return the number of rescaled bars."""
    rng = np.random.default_rng(seed)
    cuts = 0
    for _ in range(histories):
        run = random_run(rng)
        ledger = record_bar_ledger(run, 0, len(run.bars.end))
        check(ledger)
        cuts += int((ledger.rescaled > 0).any(axis=1).sum())
    return cuts


def test_every_bar_of_random_markets_balances() -> None:
    assert rescaled_bars(400, seed=1) > 100


@pytest.mark.slow
def test_every_bar_of_ten_thousand_random_markets_balances() -> None:
    assert rescaled_bars(10_000, seed=2) > 2_500


def test_stepping_bar_by_bar_gives_the_same_state_and_the_rescaled_amount() -> None:
    rng = np.random.default_rng(3)
    seen = 0
    for _ in range(200):
        run = random_run(rng)
        n = len(run.bars.end)
        plain = Cohorts(BRACKETS, 1e-3)
        usd, rescaled = run.feed(plain, 0, n)
        steps = step_bars(run, 0, n)
        assert run.engine.accounts() == plain.accounts()
        assert all(np.array_equal(a, b) for a, b in zip(run.engine.levels(), plain.levels(), strict=True))
        assert np.array_equal(steps.usd, usd)
        assert ((steps.kept < 1).any(axis=1)).sum() == rescaled
        assert ((steps.rescaled > 0) == (steps.kept < 1)).all()
        seen += rescaled
    assert seen > 50


def test_the_rescaled_amount_is_the_excess_over_open_interest() -> None:
    """One bar opens 60 coin of longs and 10 of shorts far from price; the next has 40 of open interest."""
    flat = np.full(2, 50_000.0)
    flows = np.array([60.0, 0.0]), np.array([10.0, 0.0])
    rows = np.array([[0.3, 0.3, 1.0, 1.0, math.inf]])
    bars = EngineBars(HOUR * np.arange(1, 3), np.ones(2), flat, flat, flat, np.array([100.0, 40.0]), *flows, ())
    ledger = record_bar_ledger(EngineRun(Cohorts(rows, 1e-3), bars, (3.0,), rows, 1e-3, ()), 0, 2)
    assert ledger.rescaled.tolist() == [[0, 0], [20, 0]]
    assert ledger.mapped[1].tolist() == [40, 10]
    assert ledger.closed.tolist() == [[60, 10], [40, 60]]
    sums = ledger.total()["long"]
    assert sums == {"before": 0, "opened": 160, "closed": 100, "liquidated": 0, "rescaled": 20, "open": 40}


def test_a_ledger_of_a_span_matches_the_whole_ledger_and_exports_to_arrow(db: Path) -> None:
    with liqmap.open(db) as history:
        ledger = history.ledger(NAME, "2026-06-10", "2026-06-11")
        whole = history.ledger(NAME, end="2026-06-11")
        assert len(ledger) == 288
        assert np.array_equal(ledger.liquidated, whole.liquidated[-288:])
        assert ledger.before == pytest.approx(np.repeat(whole.open_interest[-289], 2))
        table = ledger.to_arrow()
        assert table.num_rows == 2 * 288
        assert table.column("open").to_pylist()[-1] == pytest.approx(ledger.open_interest[-1])
        with pytest.raises(InputError, match="an end after the start"):
            history.ledger(NAME, "2026-06-11", "2026-06-10")
        with pytest.raises(NotFoundError, match="no bar that ends after"):
            history.ledger(NAME, "2027-06-11")
