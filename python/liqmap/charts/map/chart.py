"""The map as one Altair chart: notional by price, the sum on the way there, and the names of the clusters."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from liqmap._base.lazy_import import lazy_import
from liqmap.charts.map import layers
from liqmap.charts.map.layout import WIDE, Frame, Scene
from liqmap.charts.map.rows import bar_rows, datasets, name_rows
from liqmap.charts.spec_cache import kept
from liqmap.charts.theme import LIGHT, Theme

if TYPE_CHECKING:
    from collections.abc import Mapping

    import altair as alt

    from liqmap.maps.map import LiquidationMap

if not TYPE_CHECKING:
    alt = lazy_import("altair")

__all__ = ["map_chart", "map_close", "map_data", "map_drawing"]

CLOSE = 0.05
"""Distance from the mark within which a page can show finer bars."""
CLOSE_BARS = 200


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
    :func:`liqmap.maps.display_bars.window`; the rest of the map is there to be panned to, and Ctrl + wheel zooms.

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
    made = datasets(scene, everything=interactive)
    given = [alt.param(name=name, value=value) for name, value in scene.parameters().items()]
    chart = _drawing(theme, legend=True, pick=interactive).add_params(*given)
    chart = chart.properties(width=frame.width, height=frame.height)
    chart.datasets = made
    return chart if title is None else chart.properties(title=title)


def map_drawing(theme: Theme) -> dict[str, Any]:
    """The Vega-Lite specification without a map in it: the same for every map and frame, made once.

    :func:`liqmap.charts.vega_data.complete` puts a map in. There is no legend, zoom or title: a page brings its own,
    and changes the parameters ``low``, ``high`` and ``show_0`` … ``show_3``.
    """
    return dict(_specification(theme))


def map_data(of: LiquidationMap, *, frame: Frame, everything: bool) -> dict[str, Any]:
    """What a map adds to :func:`map_drawing`: ``width``, ``height``, ``params``, ``datasets``.

    Args:
        of: The map.
        frame: The room there is.
        everything: Also what lies outside the first view, and the columns that answer to a pointer.

    Raises:
        InputError: The map holds NaN or an infinity.
    """
    scene = Scene.of_map(of, frame)
    return {
        "width": frame.width,
        "height": frame.height,
        "datasets": datasets(scene, everything=everything),
        "params": [{"name": name, "value": value} for name, value in scene.parameters().items()],
    }


def map_close(of: LiquidationMap, frames: Mapping[str, Frame]) -> dict[str, Any]:
    """What a page that looks closer puts in the place of the first view's rows.

    Returns:
        ``reach``, the distance from the mark it holds for; ``step``, the width of its bars; ``datasets``, the finer
        bars, the same for all frames; ``names``, the labels by frame.
    """
    scenes = {key: Scene.of_map(of, replace(frame, most=CLOSE_BARS), CLOSE) for key, frame in frames.items()}
    one = next(iter(scenes.values()))
    return {
        "reach": CLOSE,
        "step": one.bars.step,
        "datasets": bar_rows(one),
        "names": {key: name_rows(scene) for key, scene in scenes.items()},
    }


@cache
def _specification(theme: Theme) -> dict[str, Any]:
    return kept(f"map {theme}", lambda: dict(_drawing(theme, legend=False, pick=False).to_dict()))


def _drawing(theme: Theme, *, legend: bool, pick: bool) -> alt.LayerChart:
    front = alt.layer(
        *layers.assumed(theme),
        layers.columns(theme, legend=legend, pick=pick),
        layers.seen(theme),
        layers.hover(theme, pick=pick),
        *layers.clusters(theme),
        *layers.mark(theme),
        *layers.titles(theme),
    )
    chart: alt.LayerChart = alt.layer(front, layers.sums(theme)).resolve_scale(y="independent")
    styled: alt.LayerChart = chart.configure(**theme.altair())
    return styled
