"""Map charts draw all notional of the map, and no text of it becomes an expression."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from _helpers.sample_map import sample_map
from liqmap._base.errors import InputError
from liqmap._base.grid import Grid
from liqmap.charts.map.chart import map_close_view, map_data, map_spec
from liqmap.charts.map.layout import MEDIUM, NARROW, WIDE
from liqmap.charts.theme import LIGHT
from liqmap.charts.vega_data import with_data
from liqmap.maps.display_bars import GROUPS, display_bars, first_view, leverage_group, reached


def texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in texts(inner)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("frame", [WIDE, MEDIUM, NARROW], ids=["wide", "medium", "narrow"])
def test_bars_preserve_notional_and_no_bar_holds_both_sides(frame: Any) -> None:
    sample = sample_map()
    shown = display_bars(sample, most=frame.most)
    for side, binned in (("long", shown.long), ("short", shown.short)):
        assert binned.sum() == pytest.approx(sample.side(side).sum(), rel=1e-12)
        for group in range(len(GROUPS)):
            rows = [i for i, leverage in enumerate(sample.brackets) if leverage_group(leverage) == group]
            brackets = sample.long if side == "long" else sample.short
            assert binned[group].sum() == pytest.approx(brackets[rows].sum(), rel=1e-12)
    assert not np.any((shown.long.sum(axis=0) > 0) & (shown.short.sum(axis=0) > 0))
    assert shown.low[shown.first_short] == pytest.approx(sample.mark_price)
    low, high = first_view(sample)
    assert np.count_nonzero((shown.high > low) & (shown.low < high)) <= frame.most + 2


@settings(deadline=None, max_examples=60)
@given(
    bins=st.integers(1, 700),
    start=st.integers(1, 900),
    mark=st.floats(1, 2000),
    most=st.integers(5, 200),
    seed=st.integers(0, 9),
)
def test_bars_preserve_notional_on_any_grid(bins: int, start: int, mark: float, most: int, seed: int) -> None:
    """Grids may be off centre, exclude the mark, or have a single bin."""
    grid = Grid(tick=1, low_tick=start, width_ticks=1, bins=bins)
    rng = np.random.default_rng(seed)
    sample = sample_map()
    shape = (len(sample.brackets), bins)
    made = replace(sample, mark_price=mark, grid=grid, long=rng.random(shape), short=rng.random(shape))
    shown = display_bars(made, most=most)
    assert shown.long.sum() == pytest.approx(made.long.sum(), rel=1e-12)
    assert shown.short.sum() == pytest.approx(made.short.sum(), rel=1e-12)
    assert np.all(np.diff(shown.low) > 0)
    assert len(shown.cumulative) == len(shown.low)


@pytest.mark.parametrize("frame", [WIDE, MEDIUM, NARROW], ids=["wide", "medium", "narrow"])
def test_the_cumulative_line_is_exact_at_the_ends_of_a_view(frame: Any) -> None:
    sample = sample_map()
    made = map_data(sample, frame=frame, everything=True)["datasets"]["sums"]
    low, high = first_view(sample)
    for end in (low, high, sample.mark_price * 0.98, sample.mark_price * 1.05):
        (point,) = (row for row in made if row["at"] == pytest.approx(end, rel=1e-7))
        assert point["sum"] == round(reached(sample, end))
        assert point["side"] == ("longs" if end < sample.mark_price else "shorts")


def test_the_cumulative_line_equals_that_of_the_map() -> None:
    sample = sample_map()
    below, above = display_bars(sample).cumulative_by_side()
    whole = sample.cumulative()
    for (at, total), side in ((below, "long"), (above, "short")):
        for price, usd in zip(at[:-1], total[:-1], strict=True):
            if side == "long":
                expected = whole.long[sample.grid.bin_of(float(price))]
            else:
                expected = whole.short[sample.grid.bin_of(float(price)) - 1]
            assert usd == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("frame", [WIDE, MEDIUM, NARROW], ids=["wide", "medium", "narrow"])
def test_a_chart_holds_at_most_two_thousand_marks(frame: Any) -> None:
    data = map_data(sample_map(), frame=frame, everything=True)["datasets"]
    assert 200 < len(data["bars"]) + len(data["columns"]) <= 2000
    static = map_data(sample_map(), frame=frame, everything=False)["datasets"]
    assert len(static["bars"]) < len(data["bars"])
    assert static["columns"] == []


def test_the_specification_is_equal_for_all_maps_and_holds_no_data() -> None:
    hostile = sample_map("sim:</script><img onerror=alert(1)>'];alert(1)//", seed=3, mark=0.01234, tick=0.00001)
    drawing = map_spec(LIGHT)
    for sample in (sample_map(), hostile):
        data = map_data(sample, frame=WIDE, everything=True)
        assert set(data) == {"width", "height", "params", "datasets"}
        assert all(isinstance(param["value"], (int, float, list)) for param in data["params"])
    assert map_spec(LIGHT) == drawing
    assert not any("alert" in text for text in texts(map_data(hostile, frame=WIDE, everything=True)))


def test_field_names_are_alphanumeric() -> None:
    data = map_data(sample_map(), frame=WIDE, everything=True)["datasets"]
    fields = {field for rows in data.values() for row in rows for field in row}
    assert all(field.replace("_", "").isalnum() for field in fields), fields


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_invalid_number_is_rejected_with_its_chart_and_field(bad: float) -> None:
    sample = sample_map()
    broken = sample.long.copy()
    broken[0, 700] = bad
    with pytest.raises(InputError, match=r"^liqmap: chart: map/\w+, \w+: (nan|inf) \(expected a finite number\)"):
        map_data(replace(sample, long=broken), frame=WIDE, everything=True)


def test_bars_of_the_close_view_are_finer_and_preserve_notional() -> None:
    sample = sample_map()
    close = map_close_view(sample, {"wide": WIDE, "narrow": NARROW})
    assert close["step"] == sample.grid.width
    assert len(close["names"]["wide"]) >= len(close["names"]["narrow"]) > 0
    edges = sample.grid.edges()
    near = (edges[:-1] >= sample.mark_price * (1 - close["reach"])) & (
        edges[1:] <= sample.mark_price * (1 + close["reach"])
    )
    mass = (sample.side("long") + sample.side("short"))[near].sum()
    drawn = sum(row["usd"] for row in close["datasets"]["bars"])
    assert mass <= drawn * (1 + 1e-6)
    assert drawn <= mass + 2 * (sample.side("long") + sample.side("short")).max()
    assert drawn == pytest.approx(sum(row["all"] for row in close["datasets"]["columns"]), rel=1e-6)


def test_an_empty_map_has_axes() -> None:
    sample = sample_map()
    empty = replace(sample, long=np.zeros_like(sample.long), short=np.zeros_like(sample.short))
    params = {p["name"]: p["value"] for p in map_data(empty, frame=WIDE, everything=True)["params"]}
    assert params["low"] < sample.mark_price < params["high"]
    assert params["top"] > 0
    assert params["left"][0] == 0


def test_the_notebook_chart_is_valid_vega_lite_with_the_data_of_the_map() -> None:
    chart = sample_map().chart(title="<b>title</b>")
    spec = chart.to_dict()  # validates against the schema
    assert spec["title"] == "<b>title</b>"
    assert {"picked", "zoom", "hover", "mark"} <= {param["name"] for param in spec["params"]}
    json.dumps(spec, allow_nan=False)
    drawn = with_data(map_spec(LIGHT), map_data(sample_map(), frame=WIDE, everything=True))
    assert drawn["datasets"]["bars"] == spec["datasets"]["bars"]
