"""Suspicious open interest is reported with the map and the ledger still balances; invalid recipes are rejected."""

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
RECIPES: list[AnyRecipe] = [Recipe(), CalibratedRecipe.uniform(0.001)]
Make = Callable[[np.ndarray, AnyRecipe], LiquidationMap]


@pytest.fixture
def made(tmp_path: Path) -> Make:
    """Makes the map of five days of bars with this open interest; NaN: no row."""

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
            ledger = history.ledger(NAME, recipe=recipe)
            assert ledger.error().max() <= 1e-9
            return history.map(NAME, recipe=recipe)

    return make


def usual() -> np.ndarray:
    return 20_000 + 100 * np.sin(np.arange(N) / 3)


def warnings(m: LiquidationMap) -> list[str]:
    return [note for note in m.provenance.assumptions if note.startswith(("open interest", "the last open"))]


@pytest.mark.parametrize("recipe", RECIPES)
def test_regular_open_interest_gives_no_warning(made: Make, recipe: AnyRecipe) -> None:
    assert warnings(made(usual(), recipe)) == []


@pytest.mark.parametrize("recipe", RECIPES)
def test_open_interest_frozen_at_the_end_is_reported(made: Make, recipe: AnyRecipe) -> None:
    oi = usual()
    oi[-10:] = oi[-10]
    assert warnings(made(oi, recipe)) == ["open interest has not changed for the last 9 hours: it may be stale"]


@pytest.mark.parametrize("recipe", RECIPES)
def test_no_positions_are_opened_or_closed_in_frozen_bars(made: Make, tmp_path: Path, recipe: AnyRecipe) -> None:
    oi = usual()
    oi[-40:] = oi[-40]
    assert any("no positions are opened or closed" in note for note in made(oi, recipe).provenance.assumptions)
    with liqmap.open(tmp_path / "h.duckdb") as history:
        ledger = history.ledger(NAME, recipe=recipe)
    # From the fourth hour on, mapped positions change only by liquidations.
    mapped, swept = ledger.mapped[-37:], ledger.liquidated[-36:]
    assert np.diff(mapped, axis=0) == pytest.approx(-swept, abs=1e-9)
    before = np.diff(ledger.mapped[:-40], axis=0) + ledger.liquidated[1:-40]
    assert np.abs(before).max() > 1e-3


@pytest.mark.parametrize("recipe", RECIPES)
def test_open_interest_frozen_in_the_past_is_reported(made: Make, recipe: AnyRecipe) -> None:
    oi = usual()
    oi[20:50] = oi[20]
    assert warnings(made(oi, recipe)) == ["open interest was frozen once for 30 hours until 2025-01-03T03:00:00Z"]


@pytest.mark.parametrize("recipe", RECIPES)
def test_stale_open_interest_is_reported(made: Make, recipe: AnyRecipe) -> None:
    oi = usual()
    oi[-6:] = np.nan
    assert warnings(made(oi, recipe))[1:] == ["the last open interest is 6 hours old"]


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_tenfold_jump_is_reported(made: Make, recipe: AnyRecipe) -> None:
    oi = usual()
    oi[60:63] *= 10
    want = "open interest jumped tenfold or more at 2025-01-03T13:00:00Z (the first of 2 jumps): a change of units?"
    m = made(oi, recipe)
    assert warnings(m) == [want]
    assert m.ledger.error(m.open_interest) <= 1e-9


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda: Recipe(stock=(0.3, *Recipe().stock[1:])), "shares that sum to 1.1"),
        (lambda: Recipe(stock=Recipe().stock[1:]), "10, 9, 10"),
        (lambda: Recipe(mapped_share=1.5), "mapped_share 1.5"),
        (lambda: CalibratedRecipe.uniform(0.05), "shares that sum to 1.2 and 1.2"),
        (lambda: CalibratedRecipe(DISTANCES, (-0.1,) * 24, (0.01,) * 24), "shares that sum to -2.4"),
    ],
)
def test_an_invalid_recipe_is_rejected_with_a_one_line_error(make: Callable[[], AnyRecipe], found: str) -> None:
    with pytest.raises(InputError, match=found) as error:
        make()
    assert str(error.value).startswith("liqmap: recipe: ")
    assert str(error.value).count("\n") == 0
    assert "(expected " in str(error.value)
