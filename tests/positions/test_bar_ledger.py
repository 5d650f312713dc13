"""The ledger bar by bar: it balances at every bar, of real markets and of random ones."""

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
from liqmap.positions.engine.inputs import EngineBars
from liqmap.positions.engine.population import EngineRun

NAME = "binance:BTCUSDT"
HOUR = 3_600_000_000
BRACKETS = np.array([[0.3, 0.3, 0.2, 0.1, 100.0], [0.05, 0.05, 0.3, 0.4, 10.0], [0.01, 0.01, 0.5, 0.4, math.inf]])
EXACT = 1e-9


@pytest.fixture(scope="module")
def db(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every real series there is of one market: an hour with spot volume, an hour with volume, five minutes without."""
    file = tmp_path_factory.mktemp("books") / "btc.duckdb"
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
        # Everything mapped: bars are cut down to open interest.
        ("2026-06-14T15:00Z", Recipe(mapped_share=1.0), 5_000),
        ("2026-01-31T00:00Z", Recipe(), 1_000),
        ("2026-01-31T00:00Z", CalibratedRecipe.even(0.0005), 1_000),
    ],
)
def test_every_bar_of_real_markets_balances(db: Path, end: str, recipe: Any, bars: int) -> None:
    with liqmap.open(db) as history:
        books = history.ledger(NAME, end=end, recipe=recipe)
        m = history.map(NAME, end, recipe=recipe)
    assert len(books) > bars
    check(books)
    assert books.liquidated.sum() > 0
    total = books.total()
    for side, account in (("long", m.ledger.long), ("short", m.ledger.short)):
        sums = total[side]
        left = sums["opened"] - sums["closed"] - sums["liquidated"] - sums["rescaled"]
        assert left == pytest.approx(account.open, rel=EXACT)
        assert sums["closed"] + sums["rescaled"] == pytest.approx(account.closed, rel=EXACT)
        assert (sums["opened"], sums["liquidated"]) == pytest.approx((account.opened, account.liquidated), rel=EXACT)
    if getattr(recipe, "mapped_share", 0) == 1:
        assert books.rescaled.sum() > 0


def check(books: BarLedger) -> None:
    """Each bar balances on both sides, and nothing is opened or closed less than not at all."""
    assert books.error().max() <= EXACT
    scale = np.maximum(books.open_interest, 1)[:, None]
    for part in (books.opened, books.closed, books.liquidated, books.rescaled, books.mapped, books.unmapped):
        assert (part >= -EXACT * scale * len(books)).all()
    # What is cut is cut to open interest.
    assert (np.abs(books.unmapped) <= EXACT * scale)[books.rescaled > 0].all()


def made_up(rng: np.random.Generator) -> EngineRun:
    """A market that jumps, stands still, leaves its range; open interest that freezes, vanishes, jumps tenfold."""
    n = int(rng.integers(1, 40))
    close = 50_000 * np.exp(np.cumsum(rng.normal(0, rng.choice([0.0, 0.003, 0.1]), n)))
    width = rng.choice([0.0, 0.002, 0.05], n)
    jumps = np.cumsum(rng.choice([0, 0, 0, 0.05, -0.05, math.log(10), -math.log(10)], n))
    oi = np.clip(1_000 * np.exp(jumps), 10, 1e6)
    oi[rng.random(n) < rng.choice([0, 0.1])] = 0.0
    scale = rng.choice([0, 1, 100, 3_000])
    fed = EngineBars(
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
    return EngineRun(Cohorts(BRACKETS, 1e-3), fed, (3.0, 20.0, 100.0), BRACKETS, 1e-3, ())


def balance(histories: int, seed: int) -> int:
    """Returns how many bars were cut."""
    rng = np.random.default_rng(seed)
    cuts = 0
    for _ in range(histories):
        nursery = made_up(rng)
        books = record_bar_ledger(nursery, 0, len(nursery.bars.end))
        check(books)
        cuts += int((books.rescaled > 0).any(axis=1).sum())
    return cuts


def test_every_bar_of_random_markets_balances() -> None:
    assert balance(400, seed=1) > 100


@pytest.mark.slow
def test_every_bar_of_ten_thousand_random_markets_balances() -> None:
    assert balance(10_000, seed=2) > 2_500


def test_walking_changes_nothing_and_tells_the_cut() -> None:
    rng = np.random.default_rng(3)
    seen = 0
    for _ in range(200):
        nursery = made_up(rng)
        n = len(nursery.bars.end)
        plain = Cohorts(BRACKETS, 1e-3)
        usd, rescaled = nursery.feed(plain, 0, n)
        told = step_bars(nursery, 0, n)
        assert nursery.engine.accounts() == plain.accounts()
        assert all(np.array_equal(a, b) for a, b in zip(nursery.engine.levels(), plain.levels(), strict=True))
        assert np.array_equal(told.usd, usd)
        assert ((told.kept < 1).any(axis=1)).sum() == rescaled
        assert ((told.cut > 0) == (told.kept < 1)).all()
        seen += rescaled
    assert seen > 50


def test_a_cut_is_what_exceeds_open_interest() -> None:
    """One bar opens 60 coin of longs and 10 of shorts, all far away; the next leaves 40 of open interest."""
    flat = np.full(2, 50_000.0)
    flows = np.array([60.0, 0.0]), np.array([10.0, 0.0])
    rows = np.array([[0.3, 0.3, 1.0, 1.0, math.inf]])
    fed = EngineBars(HOUR * np.arange(1, 3), np.ones(2), flat, flat, flat, np.array([100.0, 40.0]), *flows, ())
    books = record_bar_ledger(EngineRun(Cohorts(rows, 1e-3), fed, (3.0,), rows, 1e-3, ()), 0, 2)
    assert books.rescaled.tolist() == [[0, 0], [20, 0]]
    assert books.mapped[1].tolist() == [40, 10]
    assert books.closed.tolist() == [[60, 10], [40, 60]]
    sums = books.total()["long"]
    assert sums == {"before": 0, "opened": 160, "closed": 100, "liquidated": 0, "rescaled": 20, "open": 40}


def test_the_ledger_as_a_table_and_what_is_not_there(db: Path) -> None:
    with liqmap.open(db) as history:
        books = history.ledger(NAME, "2026-06-10", "2026-06-11")
        whole = history.ledger(NAME, end="2026-06-11")
        assert len(books) == 288
        assert np.array_equal(books.liquidated, whole.liquidated[-288:])
        assert books.before == pytest.approx(np.repeat(whole.open_interest[-289], 2))
        table = books.to_arrow()
        assert table.num_rows == 2 * 288
        assert table.column("open").to_pylist()[-1] == pytest.approx(books.open_interest[-1])
        with pytest.raises(InputError, match="an end after the start"):
            history.ledger(NAME, "2026-06-11", "2026-06-10")
        with pytest.raises(NotFoundError, match="no bar that ends after"):
            history.ledger(NAME, "2027-06-11")
