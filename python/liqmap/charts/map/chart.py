"""The map as one Altair chart: notional by price, the sum on the way there, and the names of the clusters."""

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
"""Distance from the mark within which a page can show finer bars."""
CLOSE_MAX_BARS = 200


def map_chart(
    of: LiquidationMap,
    *,
    frame: MapChartSize = WIDE,
    theme: Theme = LIGHT,
    interactive: bool = True,
    title: str | None = None,
) -> alt.LayerChart:
    """Draw a map: price to the right, notional up, longs left of the mark and shorts right of it.

    Bars are stacked by leverage group, the group with the strongest contrast the one with the highest leverage. Lines
    count what would be liquidated between the mark and each price, on the axis at the right. The first view is
    :func:`liqmap.maps.display_bars.first_view`; the rest of the map is there to be panned to, and Ctrl + wheel zooms.

    Args:
        of: The map.
        frame: The room there is.
        theme: Colours.
        interactive: With zoom, pan, tooltips, and a legend whose entries can be clicked (shift-click adds one).
        title: A title above the chart, as plain text.

    Raises:
        InputError: The map holds NaN or an infinity.
    """
    scene = MapLayout.of_map(of, frame)
    made = datasets(scene, everything=interactive)
    given = [alt.param(name=name, value=value) for name, value in scene.parameters().items()]
    chart = _drawing(theme, legend=True, pick=interactive).add_params(*given)
    chart = chart.properties(width=frame.width, height=frame.height)
    chart.datasets = made
    return chart if title is None else chart.properties(title=title)


def map_spec(theme: Theme) -> dict[str, Any]:
    """The Vega-Lite specification without a map in it: the same for every map and frame, made once.

    :func:`liqmap.charts.vega_data.with_data` puts a map in. There is no legend, zoom or title: a page brings its own,
    and changes the parameters ``low``, ``high`` and ``show_0`` … ``show_3``.
    """
    return dict(_specification(theme))


def map_data(of: LiquidationMap, *, frame: MapChartSize, everything: bool) -> dict[str, Any]:
    """What a map adds to :func:`map_spec`: ``width``, ``height``, ``params``, ``datasets``.

    Args:
        of: The map.
        frame: The room there is.
        everything: Also what lies outside the first view, and the columns that answer to a pointer.

    Raises:
        InputError: The map holds NaN or an infinity.
    """
    scene = MapLayout.of_map(of, frame)
    return {
        "width": frame.width,
        "height": frame.height,
        "datasets": datasets(scene, everything=everything),
        "params": [{"name": name, "value": value} for name, value in scene.parameters().items()],
    }


def map_close_view(of: LiquidationMap, frames: Mapping[str, MapChartSize]) -> dict[str, Any]:
    """What a page that looks closer puts in the place of the first view's rows.

    Returns:
        ``reach``, the distance from the mark it holds for; ``step``, the width of its bars; ``datasets``, the finer
        bars, the same for all frames; ``names``, the labels by frame.
    """
    scenes = {
        key: MapLayout.of_map(of, replace(frame, most=CLOSE_MAX_BARS), CLOSE_DISTANCE) for key, frame in frames.items()
    }
    one = next(iter(scenes.values()))
    return {
        "reach": CLOSE_DISTANCE,
        "step": one.bars.step,
        "datasets": bar_rows(one),
        "names": {key: label_rows(scene) for key, scene in scenes.items()},
    }


@cache
def _specification(theme: Theme) -> dict[str, Any]:
    return cached_spec(f"map {theme}", lambda: dict(_drawing(theme, legend=False, pick=False).to_dict()))


def _drawing(theme: Theme, *, legend: bool, pick: bool) -> alt.LayerChart:
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
