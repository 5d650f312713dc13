"""Odd open interest is flagged on the map, and the ledger balances all the same; odd parameters are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import liqmap
from liqmap import InputError, Recipe
from liqmap.maps.map import LiquidationMap
from liqmap.positions.engine.calibrated_recipe import DISTANCES, CalibratedRecipe
from liqmap.positions.engine.population import AnyRecipe

NAME = "sim:BTCUSDT"
HOUR = 3_600_000_000
START = 1_735_689_600_000_000
N = 120
RECIPES: list[AnyRecipe] = [Recipe(), CalibratedRecipe.even(0.001)]
Make = Callable[[np.ndarray, AnyRecipe], LiquidationMap]


@pytest.fixture
def made(tmp_path: Path) -> Make:
    """The map of five days of bars beside this open interest; NaN: not told."""

    def make(oi: np.ndarray, recipe: AnyRecipe) -> LiquidationMap:
        rng = np.random.default_rng(4)
        close = 80_000 * np.exp(np.cumsum(rng.normal(0, 0.006, N)))
        bars, interest = ["ts,interval_s,open,high,low,close,volume_base,price_source"], ["ts,oi_base"]
        for i, price in enumerate(close):
            ts = START + i * HOUR
            bars.append(f"{ts},3600,{price:.1f},{price * 1.003:.1f},{price * 0.997:.1f},{price:.1f},900,mark")
            if np.isfinite(oi[i]):
                interest.append(f"{ts + HOUR},{oi[i]:.3f}")
        (tmp_path / "bars.csv").write_text("\n".join(bars) + "\n")
        (tmp_path / "oi.csv").write_text("\n".join(interest) + "\n")
        with liqmap.open(tmp_path / "h.duckdb", mode="w") as history:
            history.load(tmp_path / "bars.csv", table="bars", instrument=NAME)
            history.load(tmp_path / "oi.csv", table="open_interest", instrument=NAME)
            books = history.ledger(NAME, recipe=recipe)
            assert books.error().max() <= 1e-9
            return history.map(NAME, recipe=recipe)

    return make


def usual() -> np.ndarray:
    return 20_000 + 100 * np.sin(np.arange(N) / 3)


def said(m: LiquidationMap) -> list[str]:
    return [note for note in m.provenance.assumptions if note.startswith(("open interest", "the last open"))]


@pytest.mark.parametrize("recipe", RECIPES)
def test_nothing_odd_nothing_said(made: Make, recipe: AnyRecipe) -> None:
    assert said(made(usual(), recipe)) == []


@pytest.mark.parametrize("recipe", RECIPES)
def test_frozen_at_the_end(made: Make, recipe: AnyRecipe) -> None:
    oi = usual()
    oi[-10:] = oi[-10]
    assert said(made(oi, recipe)) == ["open interest has not changed for the last 9 hours: it may be stale"]


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_frozen_input_freezes_the_map(made: Make, tmp_path: Path, recipe: AnyRecipe) -> None:
    oi = usual()
    oi[-40:] = oi[-40]
    assert any("nothing opens or ages" in note for note in made(oi, recipe).provenance.assumptions)
    with liqmap.open(tmp_path / "h.duckdb") as history:
        books = history.ledger(NAME, recipe=recipe)
    # From the fourth hour on what is mapped only falls by what the price sweeps.
    mapped, swept = books.mapped[-37:], books.liquidated[-36:]
    assert np.diff(mapped, axis=0) == pytest.approx(-swept, abs=1e-9)
    before = np.diff(books.mapped[:-40], axis=0) + books.liquidated[1:-40]
    assert np.abs(before).max() > 1e-3


@pytest.mark.parametrize("recipe", RECIPES)
def test_frozen_on_the_way(made: Make, recipe: AnyRecipe) -> None:
    oi = usual()
    oi[20:50] = oi[20]
    assert said(made(oi, recipe)) == ["open interest stood still once for 30 hours until 2025-01-03T03:00:00Z"]


@pytest.mark.parametrize("recipe", RECIPES)
def test_not_told_for_hours(made: Make, recipe: AnyRecipe) -> None:
    oi = usual()
    oi[-6:] = np.nan
    assert said(made(oi, recipe))[1:] == ["the last open interest is 6 hours old"]


@pytest.mark.parametrize("recipe", RECIPES)
def test_tenfold(made: Make, recipe: AnyRecipe) -> None:
    oi = usual()
    oi[60:63] *= 10
    want = "open interest jumped tenfold or more at 2025-01-03T13:00:00Z (the first of 2 jumps): a change of units?"
    m = made(oi, recipe)
    assert said(m) == [want]
    assert m.ledger.error(m.open_interest) <= 1e-9


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda: Recipe(stock=(0.3, *Recipe().stock[1:])), "shares that sum to 1.1"),
        (lambda: Recipe(stock=Recipe().stock[1:]), "10, 9, 10"),
        (lambda: Recipe(mapped_share=1.5), "mapped_share 1.5"),
        (lambda: CalibratedRecipe.even(0.05), "shares that sum to 1.2 and 1.2"),
        (lambda: CalibratedRecipe(DISTANCES, (-0.1,) * 24, (0.01,) * 24), "shares that sum to -2.4"),
    ],
)
def test_shares_that_do_not_sum_are_refused_in_one_line(make: Callable[[], AnyRecipe], found: str) -> None:
    with pytest.raises(InputError, match=found) as error:
        make()
    assert str(error.value).startswith("liqmap: recipe: ")
    assert str(error.value).count("\n") == 0
    assert "(expected " in str(error.value)
