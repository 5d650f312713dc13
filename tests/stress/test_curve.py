"""The cascade curve and both charts: points equal cascades, bounds are marked, and data is never code."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from _helpers.sample_map import sample_map
from _helpers.small_maps import FIVE, by_levels
from liqmap._base.errors import InputError
from liqmap.charts.cascade.chart import chain_spec, curve_chart, curve_spec, layout_data
from liqmap.charts.cascade.rows import MEDIUM, NARROW, WIDE, chain_layout, curve_layout
from liqmap.charts.theme import LIGHT, PAGE
from liqmap.charts.vega_data import with_data
from liqmap.report.vega.static_svg import static_svg
from liqmap.stress.cascade import cascade
from liqmap.stress.cascade_curve import LAWS, cascade_curve
from liqmap.stress.impact import Linear, PowerLaw, SquareRoot

T2 = Linear(depth=1e11)
BOTH = {**FIVE, 100_500.0: 300e6, 100_800.0: 200e6}


def texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for key, inner in value.items() if key != "datasets" for text in texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in texts(inner)]
    return [value] if isinstance(value, str) else []


def test_each_point_equals_a_single_cascade() -> None:
    of = by_levels(BOTH)
    curve = cascade_curve(of, T2, furthest=0.02, steps=40)
    assert [leg.side for leg in curve.legs] == ["long", "short"]
    for leg in curve.legs:
        for i, shock in enumerate(leg.shock):
            one = cascade(of, float(shock), T2)
            for name, want in zip(LAWS, (one.base, one.stressed, one.square_root), strict=True):
                line = leg.lines[name]
                assert line.stop_price[i] == pytest.approx(want.stop_price)
                assert line.liquidated[i] == pytest.approx(want.liquidated)
                assert line.exhausted[i] == want.depth_exhausted


def test_the_curve_of_five_levels_equals_the_hand_computed_table() -> None:
    (leg,) = cascade_curve(by_levels(FIVE), T2, furthest=0.01, steps=10).legs
    stops = dict(zip(np.round(leg.shock, 4).tolist(), leg.lines["calm"].stop_price.tolist(), strict=True))
    assert (stops[-0.004], stops[-0.005], stops[-0.01]) == (99_600, 99_000, 97_600)


def test_json_is_null_beyond_the_end_of_the_book() -> None:
    curve = cascade_curve(by_levels(FIVE), Linear(depth=1e10, reach=0.05), furthest=0.02, steps=20)
    plain = json.loads(json.dumps(curve.to_dict(), allow_nan=False))
    line, calm = plain["legs"][0]["calm"], curve.legs[0].lines["calm"]
    assert [price is None for price in line["stop_price"]] == calm.exhausted.tolist()
    assert any(calm.exhausted)
    assert not all(calm.exhausted)


@pytest.mark.parametrize(("furthest", "steps"), [(0.0, 10), (1.0, 10), (float("nan"), 10), (0.1, 0)])
def test_an_invalid_range_of_shocks_is_rejected(furthest: float, steps: int) -> None:
    with pytest.raises(InputError, match=r"cascade: (furthest|steps): "):
        cascade_curve(by_levels(FIVE), T2, furthest=furthest, steps=steps)


def test_an_empty_map_has_no_curve() -> None:
    of = by_levels(FIVE)
    empty = replace(of, long=np.zeros_like(of.long))
    with pytest.raises(InputError, match="an empty map"):
        cascade_curve(empty, T2)


def test_bounds_are_marked_in_the_chart() -> None:
    curve = cascade_curve(by_levels(BOTH), Linear(depth=1e11, reach=0.05), furthest=0.02, steps=20)
    scene = curve_layout(curve)
    stressed = [row for row in scene.datasets["laws"] if row["law"] == 1]
    known = sum(int((~leg.lines["stressed"].exhausted).sum()) for leg in curve.legs)
    assert len(stressed) == known + 2, "and the mark itself, once per leg"
    assert {row["text"] for row in scene.datasets["ends"]} == {"stressed book: order book exhausted"}
    open_end = [row for row in scene.datasets["band"] if row["low"] == scene.parameters["bottom"]]
    assert len(open_end) == int(curve.legs[0].lines["stressed"].exhausted.sum())
    calm = [row["stop"] for row in scene.datasets["laws"] if row["law"] == 0]
    assert scene.parameters["bottom"] < min(calm) < max(calm) < scene.parameters["top"]  # type: ignore[type-var,operator]


def test_the_chain_chart_cumulates_triggered_notional() -> None:
    found = cascade(by_levels(FIVE), -0.01, T2)
    scene = chain_layout(found)
    steps = scene.datasets["steps"]
    assert [row["after"] - row["before"] for row in steps] == [step.notional for step in found.chain]  # type: ignore[operator]
    assert [row["before"] for row in steps[1:]] == [row["after"] for row in steps[:-1]]
    assert steps[-1]["after"] == found.liquidated
    rules = [str(row["text"]) for row in scene.datasets["rules"]]
    assert "calm book stops at 97,600" in rules
    assert "mark 100,000" in rules


@pytest.mark.parametrize("size", [WIDE, MEDIUM, NARROW], ids=["wide", "medium", "narrow"])
def test_both_charts_are_drawn_at_every_page_width(size: Any) -> None:
    of = sample_map()
    law, square_root = PowerLaw(), SquareRoot()
    curve = cascade_curve(of, law, square_root=square_root)
    first = static_svg(with_data(curve_spec(PAGE), layout_data(curve_layout(curve, size))), "curve")
    assert first.marks > 10
    for shock in (-0.05, 0.05):
        found = of.cascade(shock, law)
        drawing = chain_spec(PAGE, up=shock > 0)
        assert static_svg(with_data(drawing, layout_data(chain_layout(found, size))), "chain").marks > 3


def test_chart_expressions_do_not_contain_data() -> None:
    """A hostile instrument name changes only rows and numbers of the specification, not its text."""
    plain, odd = by_levels(FIVE), replace(by_levels(FIVE), instrument="sim:');alert(1)//{{x}}")
    specs = [cascade_curve(of, T2, furthest=0.02).chart().to_dict() for of in (plain, odd)]
    assert texts(specs[0]) == texts(specs[1])
    assert "alert" not in json.dumps(specs[1])
    assert curve_spec(LIGHT) == curve_spec(LIGHT)


def test_a_shock_without_triggered_levels_has_a_chart() -> None:
    found = cascade(by_levels(FIVE), -0.004, T2)
    assert not found.chain
    spec = found.chart(title="nothing").to_dict()
    assert static_svg(spec, "nothing").marks >= 2


def test_a_curve_with_one_side_has_a_chart() -> None:
    curve = cascade_curve(by_levels(FIVE), T2, furthest=0.02)
    scene = curve_layout(curve)
    assert (scene.parameters["left"], scene.parameters["right"]) == (-0.02, 0.0)
    assert curve_chart(curve).to_dict()


def test_a_value_that_is_not_a_number_is_rejected_with_its_field() -> None:
    curve = cascade_curve(by_levels(FIVE), T2, furthest=0.02, steps=4)
    curve.legs[0].lines["calm"].stop_price[2] = np.nan
    with pytest.raises(InputError, match=r"chart: curve/band, \w+: nan"):
        curve_layout(curve)
