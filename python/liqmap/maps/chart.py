"""The map as one Altair chart: notional by price, the sum on the way there, and the names of the clusters."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import altair as alt

from liqmap.charts.theme import LIGHT, Theme
from liqmap.maps import layers
from liqmap.maps.rows import datasets
from liqmap.maps.scene import WIDE, Frame, Scene

if TYPE_CHECKING:
    from liqmap.maps.map import LiquidationMap

__all__ = ["map_chart", "map_spec"]


def map_chart(
    of: LiquidationMap,
    *,
    frame: Frame = WIDE,
    theme: Theme = LIGHT,
    interactive: bool = True,
    title: str | None = None,
) -> alt.LayerChart:
    """Draw a map: price to the right, notional up, longs left of the mark and shorts right of it.

    Bars are stacked by leverage group, the group with the strongest contrast the one with the highest leverage. Lines
    count what would be liquidated between the mark and each price, on the axis at the right. The first view is
    :func:`liqmap.maps.view.window`; the rest of the map is there to be panned to, and Ctrl + wheel zooms.

    Args:
        of: The map.
        frame: The room there is.
        theme: Colours.
        interactive: With zoom, pan, tooltips, and a legend whose entries can be clicked (shift-click adds one).
        title: A title above the chart, as plain text.

    Raises:
        InputError: The map holds NaN or an infinity.
    """
    scene = Scene.of_map(of, frame)
    given = [alt.param(name=name, value=value) for name, value in scene.parameters().items()]
    chart = _drawing(frame, theme, hover=interactive, legend=True).add_params(*given)
    chart.datasets = datasets(scene, everything=interactive)
    return chart if title is None else chart.properties(title=title)


def map_spec(of: LiquidationMap, *, frame: Frame, theme: Theme, interactive: bool) -> dict[str, Any]:
    """The chart as a Vega-Lite specification for a page that brings its own legend, zoom and title.

    It is quick, for pages by the hundred: the drawing is made once, the map enters as rows and parameters, and the
    page changes ``low``, ``high`` and ``show_0`` … ``show_3``.

    Raises:
        InputError: The map holds NaN or an infinity.
    """
    scene = Scene.of_map(of, frame)
    spec = _specification(frame, theme, interactive=interactive)
    given = [{"name": name, "value": value} for name, value in scene.parameters().items()]
    return {
        **spec,
        "params": [*spec.get("params", []), *given],
        "datasets": datasets(scene, everything=interactive),
    }


@cache
def _specification(frame: Frame, theme: Theme, *, interactive: bool) -> dict[str, Any]:
    spec: dict[str, Any] = _drawing(frame, theme, hover=interactive, legend=False).to_dict()
    return spec


def _drawing(frame: Frame, theme: Theme, *, hover: bool, legend: bool) -> alt.LayerChart:
    front = alt.layer(
        *layers.assumed(frame, theme),
        layers.columns(frame, theme, legend=legend, hover=hover),
        *([layers.hover(frame, theme, legend=legend)] if hover else []),
        *layers.clusters(frame, theme),
        *layers.mark(frame, theme),
    )
    chart: alt.LayerChart = alt.layer(front, layers.sums(frame, theme)).resolve_scale(y="independent")
    chart = chart.properties(width=frame.width, height=frame.height)
    styled: alt.LayerChart = chart.configure(**theme.altair())
    return styled
