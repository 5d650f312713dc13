"""Altair chart of a map: notional by price, cumulative notional from the mark, and cluster labels."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from liqmap._base.lazy_import import lazy_import
from liqmap.charts.map import layers
from liqmap.charts.map.layout import WIDE, MapChartSize, MapLayout
from liqmap.charts.map.rows import bar_rows, datasets, label_rows
from liqmap.charts.spec_cache import cached_spec
from liqmap.charts.theme import LIGHT, Theme

if TYPE_CHECKING:
    from collections.abc import Mapping

    import altair as alt

    from liqmap.maps.map import LiquidationMap

if not TYPE_CHECKING:
    alt = lazy_import("altair")

__all__ = ["map_chart", "map_close_view", "map_data", "map_spec"]

CLOSE_DISTANCE = 0.05
"""Distance from the mark within which a page can show finer bars, as a fraction of the mark."""
CLOSE_MAX_BARS = 200


def map_chart(
    of: LiquidationMap,
    *,
    frame: MapChartSize = WIDE,
    theme: Theme = LIGHT,
    interactive: bool = True,
    title: str | None = None,
) -> alt.LayerChart:
    """Draw a map: notional (y) by price (x), with longs left of the mark and shorts right of it.

    Bars are stacked by leverage group; the highest leverage has the strongest contrast. Lines show the notional that
    would be liquidated between the mark and each price, on the right axis. The chart opens with
    :func:`liqmap.maps.display_bars.first_view`; dragging pans to the rest of the map and Ctrl + wheel zooms.

    Args:
        of: The map.
        frame: Size of the chart.
        theme: Colours.
        interactive: Add zoom, pan, tooltips and a legend whose entries select groups (shift-click adds one).
        title: A title above the chart, as plain text.

    Raises:
        InputError: A value of the map is NaN or infinite.
    """
    layout = MapLayout.of_map(of, frame)
    made = datasets(layout, everything=interactive)
    params = [alt.param(name=name, value=value) for name, value in layout.parameters().items()]
    chart = _build_chart(theme, legend=True, pick=interactive).add_params(*params)
    chart = chart.properties(width=frame.width, height=frame.height)
    chart.datasets = made
    return chart if title is None else chart.properties(title=title)


def map_spec(theme: Theme) -> dict[str, Any]:
    """The Vega-Lite specification without data, equal for all maps and sizes and cached.

    :func:`liqmap.charts.vega_data.with_data` adds the data of a map. There is no legend, zoom or title: a page provides
    its own and changes the parameters ``low``, ``high`` and ``show_0`` … ``show_3``.
    """
    return dict(_specification(theme))


def map_data(of: LiquidationMap, *, frame: MapChartSize, everything: bool) -> dict[str, Any]:
    """The data that a map adds to :func:`map_spec`: ``width``, ``height``, ``params``, ``datasets``.

    Args:
        of: The map.
        frame: Size of the chart.
        everything: Include prices outside the first view, and the columns that react to the pointer.

    Raises:
        InputError: A value of the map is NaN or infinite.
    """
    layout = MapLayout.of_map(of, frame)
    return {
        "width": frame.width,
        "height": frame.height,
        "datasets": datasets(layout, everything=everything),
        "params": [{"name": name, "value": value} for name, value in layout.parameters().items()],
    }


def map_close_view(of: LiquidationMap, frames: Mapping[str, MapChartSize]) -> dict[str, Any]:
    """Rows with which a page replaces those of the first view to show prices near the mark.

    Returns:
        ``reach``, the distance from the mark that they cover; ``step``, the width of the bars; ``datasets``, the finer
        bars, equal for all sizes; ``names``, the labels by size.
    """
    layouts = {
        key: MapLayout.of_map(of, replace(frame, most=CLOSE_MAX_BARS), CLOSE_DISTANCE) for key, frame in frames.items()
    }
    one = next(iter(layouts.values()))
    return {
        "reach": CLOSE_DISTANCE,
        "step": one.bars.step,
        "datasets": bar_rows(one),
        "names": {key: label_rows(layout) for key, layout in layouts.items()},
    }


@cache
def _specification(theme: Theme) -> dict[str, Any]:
    return cached_spec(f"map {theme}", lambda: dict(_build_chart(theme, legend=False, pick=False).to_dict()))


def _build_chart(theme: Theme, *, legend: bool, pick: bool) -> alt.LayerChart:
    front = alt.layer(
        *layers.assumed_zones(theme),
        layers.notional_bars(theme, legend=legend, pick=pick),
        layers.observed_bars(theme),
        layers.hover(theme, pick=pick),
        *layers.clusters(theme),
        *layers.mark(theme),
        *layers.titles(theme),
    )
    chart: alt.LayerChart = alt.layer(front, layers.cumulative_lines(theme)).resolve_scale(y="independent")
    styled: alt.LayerChart = chart.configure(**theme.altair())
    return styled
