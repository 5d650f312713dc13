"""Heatmap charts: cells preserve notional, shades are ordered, and the image shows the cells."""

from __future__ import annotations

import itertools
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest

from _helpers.sample_heatmap import HOUR, sample_heat, sample_realised
from _helpers.sample_map import sample_map
from liqmap._base.errors import InputError
from liqmap.charts.heatmap.cells import ColourScale, PriceRows, resample_cells
from liqmap.charts.heatmap.chart import heat_data
from liqmap.charts.heatmap.layout import DAY, HeatmapLayout, column_times, time_ranges
from liqmap.charts.png import encode_png
from liqmap.charts.shade_ramp import SHADES, shades
from liqmap.charts.theme import DARK, LIGHT, Theme

MAP = sample_map()
HEAT = sample_heat(MAP)


def layout(**changes: object) -> HeatmapLayout:
    heat = replace(HEAT, **changes) if changes else HEAT  # type: ignore[arg-type]
    return HeatmapLayout.of_heatmap(heat, MAP.clusters(), tick=0.1, realised=sample_realised(MAP))


def luminance(colour: str) -> float:
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return float(np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])


def test_rows_that_cover_the_axis_hold_all_notional() -> None:
    whole = PriceRows(float(HEAT.edges[0]) - 50, 100.0, 600)
    assert whole.high > HEAT.edges[-1]
    made = resample_cells(HEAT, whole, MAP.at - DAY, MAP.at, HOUR)
    shown = np.flatnonzero(np.isin(HEAT.at, np.arange(MAP.at - DAY, MAP.at + 1, HOUR)))
    # A cell shows one side; the other side is omitted in cells that hold both, which lie at the price.
    both = (HEAT.long + HEAT.short)[shown].sum(axis=(1, 2))
    assert made.usd.sum(axis=1) == pytest.approx(both, rel=0.01)
    assert (made.usd.sum(axis=1) <= both * (1 + 1e-12)).all()


def test_a_column_shows_the_map_at_its_left_edge() -> None:
    rows = PriceRows(60_000.0, 100.0, 300)
    made = resample_cells(HEAT, rows, MAP.at - DAY, MAP.at, HOUR)
    for number, begin in enumerate(range(MAP.at - DAY, MAP.at + 1, HOUR)):
        known = np.searchsorted(HEAT.at, begin, side="right") - 1
        assert HEAT.at[known] == begin
        # No levels are left at the prices of the preceding hour.
        inside = (rows.edges()[:-1] >= HEAT.low[known]) & (rows.edges()[1:] <= HEAT.high[known])
        assert not made.usd[number, inside].any()


def test_columns_with_missing_data_are_empty() -> None:
    begin = MAP.at - 12 * HOUR
    removed = (HEAT.at > begin - 5 * HOUR) & (HEAT.at < begin)
    kept = {
        name: getattr(HEAT, name)[~removed] for name in ("at", "long", "short", "low", "high", "close", "predicted")
    }
    made = resample_cells(replace(HEAT, **kept), PriceRows(60_000.0, 100.0, 300), MAP.at - DAY, MAP.at, HOUR)
    empty = np.flatnonzero(~(made.usd > 0).any(axis=1))
    assert empty.tolist() == [8, 9, 10, 11]


def test_the_colour_scale_is_linear_in_usd() -> None:
    scale = ColourScale(16e6)
    assert scale.shade(np.array([0, 0.5, 1, 1e6, 1.01e6, 16e6, 99e6])).tolist() == [0, 0, 1, 1, 2, 16, 16]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_shades_are_ordered_from_paper_to_the_strongest(theme: Theme) -> None:
    paper = luminance(theme.paper)
    for side in shades(theme):
        away = [abs(luminance(colour) - paper) for colour in side]
        assert len(set(side)) == SHADES
        assert all(a < b for a, b in itertools.pairwise(away))
        assert away[0] > 0.002


def test_the_image_holds_the_cells() -> None:
    part = layout().parts[1]
    indices = part.indices(ColourScale(5e6))
    light, dark = encode_png(indices, ["#ffffff"] + ["#102030"] * 32, ["#000000"] + ["#102030"] * 32)
    assert light != dark
    for image in (light, dark):
        assert struct.unpack(">II", image[16:24]) == indices.shape[::-1]
        start = image.index(b"IDAT") + 4
        (length,) = struct.unpack(">I", image[start - 8 : start - 4])
        lines = np.frombuffer(zlib.decompress(image[start : start + length]), np.uint8)
        assert (lines.reshape(len(indices), -1)[:, 1:] == indices).all()
    # The top row is the highest price: it holds shorts, the bottom row longs.
    assert set(np.unique(indices[0])) <= {0, *range(SHADES + 1, 2 * SHADES + 1)}
    assert indices[-1].max() <= SHADES


def test_ranges_are_limited_by_the_history() -> None:
    assert [days for days, _ in time_ranges(0, 90 * DAY)] == [30, 7, 1]
    assert [days for days, _ in time_ranges(0, 7 * DAY)] == [7, 1]
    assert [days for days, _ in time_ranges(0, 6 * HOUR)] == [0.25]
    assert layout().days == (10, 7, 1)
    assert layout().start == MAP.at - 7 * DAY
    short = column_times(MAP.at - 6 * HOUR, MAP.at)
    assert short[0] == MAP.at - 6 * HOUR
    assert short[-1] == MAP.at
    assert len(short) == 25


def test_the_number_of_rows_does_not_depend_on_the_number_of_cells() -> None:
    made = heat_data(layout(), everything=True)["datasets"]
    assert sum(part.usd.size for part in layout().parts) > 20_000
    assert sum(len(rows) for rows in made.values()) < 1_000
    assert [row["light"][:22] for row in made["pictures"]] == ["data:image/png;base64,"] * 3
    assert heat_data(layout(), everything=True) == {"datasets": made}


def test_an_invalid_price_is_rejected_with_its_field() -> None:
    low = HEAT.low.copy()
    low[-50] = np.nan
    with pytest.raises(InputError, match="heatmap/path, low: nan"):
        heat_data(layout(low=low), everything=False)


def test_the_notebook_chart_is_valid_vega_lite_with_one_image_of_all_columns() -> None:
    step = slice(-24, None)
    hourly = replace(
        HEAT,
        at=MAP.at - HOUR * np.arange(24)[::-1],
        **{name: getattr(HEAT, name)[step] for name in ("long", "short", "low", "high", "close", "predicted")},
    )
    chart = hourly.chart(clusters=MAP.clusters(), title="<b>title</b>")
    spec = chart.to_dict()  # validates against the schema
    assert spec["title"] == "<b>title</b>"
    (part,) = spec["datasets"]["pictures"]
    assert part["t2"] - part["t"] == 24 * HOUR // 1000  # one column per time
    assert [layer["encoding"]["url"]["field"] for layer in spec["layer"] if "url" in layer["encoding"]] == ["light"]
    with pytest.raises(InputError, match="1 columns"):
        replace(hourly, at=hourly.at[:1]).chart()
