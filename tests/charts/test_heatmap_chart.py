"""A heatmap's chart: cells hold what the bins held, shades keep their order, the picture shows the cells."""

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
from liqmap.charts.palette import SHADES, shades
from liqmap.charts.png import encode_png
from liqmap.charts.theme import DARK, LIGHT, Theme

MAP = sample_map()
HEAT = sample_heat(MAP)


def scene(**changes: object) -> HeatmapLayout:
    heat = replace(HEAT, **changes) if changes else HEAT  # type: ignore[arg-type]
    return HeatmapLayout.of_heatmap(heat, MAP.clusters(), tick=0.1, realised=sample_realised(MAP))


def luminance(colour: str) -> float:
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return float(np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])


def test_rows_that_cover_the_axis_hold_all_that_its_bins_hold() -> None:
    whole = PriceRows(float(HEAT.edges[0]) - 50, 100.0, 600)
    assert whole.high > HEAT.edges[-1]
    made = resample_cells(HEAT, whole, MAP.at - DAY, MAP.at, HOUR)
    shown = np.flatnonzero(np.isin(HEAT.at, np.arange(MAP.at - DAY, MAP.at + 1, HOUR)))
    # One side per cell is shown; where both stand, at the price alone, the other is left out.
    both = (HEAT.long + HEAT.short)[shown].sum(axis=(1, 2))
    assert made.usd.sum(axis=1) == pytest.approx(both, rel=0.01)
    assert (made.usd.sum(axis=1) <= both * (1 + 1e-12)).all()


def test_a_column_shows_what_was_known_when_it_began() -> None:
    rows = PriceRows(60_000.0, 100.0, 300)
    made = resample_cells(HEAT, rows, MAP.at - DAY, MAP.at, HOUR)
    for number, begin in enumerate(range(MAP.at - DAY, MAP.at + 1, HOUR)):
        known = np.searchsorted(HEAT.at, begin, side="right") - 1
        assert HEAT.at[known] == begin
        # Nothing stands where the price was in the hour before.
        inside = (rows.edges()[:-1] >= HEAT.low[known]) & (rows.edges()[1:] <= HEAT.high[known])
        assert not made.usd[number, inside].any()


def test_a_hole_in_the_data_is_a_hole_in_the_picture() -> None:
    begin = MAP.at - 12 * HOUR
    lost = (HEAT.at > begin - 5 * HOUR) & (HEAT.at < begin)
    kept = {name: getattr(HEAT, name)[~lost] for name in ("at", "long", "short", "low", "high", "close", "predicted")}
    made = resample_cells(replace(HEAT, **kept), PriceRows(60_000.0, 100.0, 300), MAP.at - DAY, MAP.at, HOUR)
    empty = np.flatnonzero(~(made.usd > 0).any(axis=1))
    assert empty.tolist() == [8, 9, 10, 11]


def test_shades_are_equal_steps_of_dollars() -> None:
    scale = ColourScale(16e6)
    assert scale.shade(np.array([0, 0.5, 1, 1e6, 1.01e6, 16e6, 99e6])).tolist() == [0, 0, 1, 1, 2, 16, 16]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_shades_go_from_paper_to_the_strongest_in_order(theme: Theme) -> None:
    paper = luminance(theme.paper)
    for side in shades(theme):
        away = [abs(luminance(colour) - paper) for colour in side]
        assert len(set(side)) == SHADES
        assert all(a < b for a, b in itertools.pairwise(away))
        assert away[0] > 0.002


def test_the_picture_is_the_cells() -> None:
    part = scene().parts[1]
    indices = part.indices(ColourScale(5e6))
    light, dark = encode_png(indices, ["#ffffff"] + ["#102030"] * 32, ["#000000"] + ["#102030"] * 32)
    assert light != dark
    for image in (light, dark):
        assert struct.unpack(">II", image[16:24]) == indices.shape[::-1]
        start = image.index(b"IDAT") + 4
        (length,) = struct.unpack(">I", image[start - 8 : start - 4])
        lines = np.frombuffer(zlib.decompress(image[start : start + length]), np.uint8)
        assert (lines.reshape(len(indices), -1)[:, 1:] == indices).all()
    # The top row is the highest price: shorts above, longs below.
    assert set(np.unique(indices[0])) <= {0, *range(SHADES + 1, 2 * SHADES + 1)}
    assert indices[-1].max() <= SHADES


def test_ranges_are_as_long_as_the_history() -> None:
    assert [days for days, _ in time_ranges(0, 90 * DAY)] == [30, 7, 1]
    assert [days for days, _ in time_ranges(0, 7 * DAY)] == [7, 1]
    assert [days for days, _ in time_ranges(0, 6 * HOUR)] == [0.25]
    assert scene().days == (10, 7, 1)
    assert scene().start == MAP.at - 7 * DAY
    short = column_times(MAP.at - 6 * HOUR, MAP.at)
    assert short[0] == MAP.at - 6 * HOUR
    assert short[-1] == MAP.at
    assert len(short) == 25


def test_few_rows_are_drawn_whatever_the_number_of_cells() -> None:
    made = heat_data(scene(), everything=True)["datasets"]
    assert sum(part.usd.size for part in scene().parts) > 20_000
    assert sum(len(rows) for rows in made.values()) < 1_000
    assert [row["light"][:22] for row in made["pictures"]] == ["data:image/png;base64,"] * 3
    assert heat_data(scene(), everything=True) == {"datasets": made}


def test_a_price_that_is_no_number_is_told_by_its_field() -> None:
    low = HEAT.low.copy()
    low[-50] = np.nan
    with pytest.raises(InputError, match="heatmap/path, low: nan"):
        heat_data(scene(low=low), everything=False)


def test_the_notebook_chart_is_valid_vega_lite_with_one_picture_of_all_columns() -> None:
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
    assert part["t2"] - part["t"] == 24 * HOUR // 1000  # a column of its own for each time
    assert [layer["encoding"]["url"]["field"] for layer in spec["layer"] if "url" in layer["encoding"]] == ["light"]
    with pytest.raises(InputError, match="1 columns"):
        replace(hourly, at=hourly.at[:1]).chart()
