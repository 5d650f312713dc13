"""Altair chart of a heatmap: cells by time and price, with the price path and realised liquidations."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from liqmap._base.errors import InputError
from liqmap._base.lazy_import import lazy_import
from liqmap._base.number_format import decimals
from liqmap.charts.heatmap import layers
from liqmap.charts.heatmap.layout import DAY, WIDE, HeatmapLayout, HeatmapSize
from liqmap.charts.heatmap.rows import datasets
from liqmap.charts.spec_cache import cached_spec
from liqmap.charts.theme import DARK, LIGHT, Theme

if TYPE_CHECKING:
    from collections.abc import Sequence

    import altair as alt

    from liqmap.maps.clusters import Cluster
    from liqmap.maps.heatmap import Heatmap

if not TYPE_CHECKING:
    alt = lazy_import("altair")

__all__ = ["heat_chart", "heat_data", "heat_frame", "heat_spec"]

_NARROW_WIDTH = 300
_TICK = 1e-8  # a heatmap does not hold the tick size: prices get five significant digits


def heat_chart(
    of: Heatmap,
    *,
    clusters: Sequence[Cluster] = (),
    frame: HeatmapSize = WIDE,
    theme: Theme = LIGHT,
    title: str | None = None,
) -> alt.LayerChart:
    """Draw a heatmap: time (x), price (y), a colour scale linear in USD, and the price path on top.

    The view covers the prices near the price path. Bars at the right show the latest map, in USD per cell.

    Args:
        of: The heatmap, its columns a constant step apart.
        clusters: Clusters of the map at the last column, labelled at the right.
        frame: Size of the chart.
        theme: Colours.
        title: A title above the chart, as plain text.

    Raises:
        InputError: There are fewer than two columns, or a value is NaN or infinite.
    """
    if len(of.at) < 2:  # noqa: PLR2004 - a time axis has two ends
        raise InputError("chart", "heatmap", f"{len(of.at)} columns", "two or more", "nothing drawn")
    first, second, last = int(of.at[0]), int(of.at[1]), int(of.at[-1])
    full_range = ((last - first) / DAY, second - first)
    layout = HeatmapLayout.of_heatmap(of, clusters, tick=_TICK, ranges=(full_range,))
    frame_data = heat_frame(layout, frame)
    params = [alt.param(name=param["name"], value=param["value"]) for param in frame_data["params"]]
    chart = _build_chart(theme, (theme == DARK,)).add_params(*params)
    chart = chart.properties(width=frame.width, height=frame.height, padding=frame_data["padding"])
    chart.datasets = datasets(layout, everything=True)
    return chart if title is None else chart.properties(title=title)


def heat_spec(theme: Theme) -> dict[str, Any]:
    """The Vega-Lite specification without data, equal for all heatmaps and cached.

    A page changes the parameters ``start``, ``end``, ``low`` and ``high``. The image of the cells is drawn in the light
    and in the dark theme, as layers of these names; a style sheet shows one of them.
    """
    return dict(_specification(theme))


def heat_data(layout: HeatmapLayout, *, everything: bool) -> dict[str, Any]:
    """The data that a heatmap adds to :func:`heat_spec` at every size: its rows.

    Args:
        layout: The heatmap.
        everything: Include times before the first view.

    Raises:
        InputError: The heatmap holds NaN or an infinity.
    """
    return {"datasets": datasets(layout, everything=everything)}


def heat_frame(layout: HeatmapLayout, frame: HeatmapSize) -> dict[str, Any]:
    """The data that a size adds to :func:`heat_spec`: size, parameters of the first view, padding."""
    largest = 0.0 if layout.realised is None else float(layout.realised.usd.max(initial=0.0))
    values = {
        "start": layout.start // 1000,
        "end": layout.end // 1000,
        "low": layout.view[0],
        "high": layout.view[1],
        "digits": decimals(float(layout.heat.close[-1]), layout.tick),
        "ring": frame.ring / max(largest, 1.0),
        "part": layout.first,
        "now": layers.PICTURE_WIDTH,
        "tight": frame.width < _NARROW_WIDTH,
    }
    return {
        # Space for a reader's font that is wider than the one measured here.
        "padding": {"left": 4, "right": 14, "top": 8, "bottom": 4},
        "width": frame.width,
        "height": frame.height,
        "params": [{"name": name, "value": value} for name, value in values.items()],
    }


@cache
def _specification(theme: Theme) -> dict[str, Any]:
    return cached_spec(f"heatmap {theme}", lambda: dict(_build_chart(theme).to_dict()))


def _build_chart(theme: Theme, pictures: tuple[bool, ...] = (False, True)) -> alt.LayerChart:
    parts = (
        *(layers.cell_image(dark=dark) for dark in pictures),
        *layers.bar_background(theme),
        layers.columns(theme),
        *layers.tracks(theme),
        *layers.path(theme),
        *layers.rings(theme),
        *layers.last(theme),
        *layers.names(theme),
    )
    chart: alt.LayerChart = alt.layer(*parts).configure(**theme.altair())
    return chart
