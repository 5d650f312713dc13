"""Order book overlay: notional of both is drawn completely, voids are shaded, and no text becomes an expression."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

import liqmap
from _helpers.hand_made_map import CALM, MARK, hand_map
from liqmap.charts.order_book_overlay.chart import overlay_data, overlay_spec
from liqmap.charts.theme import PAGE
from liqmap.report.vega.static_svg import static_svg
from liqmap.stress.book_side import RestingOrders
from liqmap.stress.depth import Depth

if TYPE_CHECKING:
    from liqmap.strategies.trading_levels import TradingLevels


def found(name: str = "sim:HAND", *, measured: bool = True) -> TradingLevels:
    away = np.arange(10, 3000, 10.0)
    usd = np.where((away > 1700) & (away < 1900), 5e5, 5e6)
    book = Depth.of_orders(name, 0, RestingOrders(MARK - away, usd, MARK + away, usd))
    of = replace(hand_map((98_000, 98_400, 60e6), (101_000, 101_400, 40e6)), instrument=name)
    return liqmap.trading_levels(of, book if measured else None, conditions=CALM)


def test_all_notional_is_drawn() -> None:
    levels = found()
    drawn = overlay_data(levels, width=900, height=400)["datasets"]["bars"]
    for overlay in levels.overlay:
        mine = [row for row in drawn if row["side"] == overlay.side]
        assert sum(row["forced"] for row in mine) == pytest.approx(overlay.forced.sum())
        assert sum(row["orders"] for row in mine) == pytest.approx(overlay.depth.sum())
        assert len(mine) <= 60
    edges = sorted((row["low"], row["high"]) for row in drawn)
    assert all(a[1] == pytest.approx(b[0]) for a, b in pairwise(edges)), "no gap, no overlap"


def test_voids_are_shaded_at_their_prices() -> None:
    levels = found()
    shaded = overlay_data(levels, width=900, height=400)["datasets"]["voids"]
    assert len(shaded) == len(levels.voids.rows) > 0
    assert any(row["low"] == pytest.approx(98_100, abs=30) for row in shaded)


@pytest.mark.parametrize("measured", [True, False], ids=["a book", "a law"])
def test_a_page_can_draw_the_overlay(measured: bool) -> None:
    data = overlay_data(found(measured=measured), width=560, height=360)
    drawing = overlay_spec(PAGE)
    spec = {**drawing, **data, "params": [*drawing.get("params", ()), *data["params"]]}
    assert static_svg(spec, "overlay").marks > 50


def test_no_expression_is_built_from_data() -> None:
    plain, odd = found().chart().to_dict(), found("sim:');alert(1)//").chart(title="plain").to_dict()
    assert "alert" not in json.dumps({key: value for key, value in odd.items() if key != "title"})
    assert plain["layer"] == odd["layer"]


def test_a_map_without_liquidations_is_drawn() -> None:
    empty = liqmap.trading_levels(hand_map(), conditions=CALM)
    assert static_svg(empty.chart().to_dict(), "empty").marks > 50, "the stated law's orders"
