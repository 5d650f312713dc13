"""A heatmap as one Altair chart: time to the right, price up, cells as a picture, the price and what it set off."""

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

_TIGHT = 300
_TICK = 1e-8  # a heatmap does not know its instrument's: prices get their five figures


def heat_chart(
    of: Heatmap,
    *,
    clusters: Sequence[Cluster] = (),
    frame: HeatmapSize = WIDE,
    theme: Theme = LIGHT,
    title: str | None = None,
) -> alt.LayerChart:
    """Draw a heatmap: time to the right, price up, twice the dollars twice as far from paper, the price on top.

    Prices are those that the price came near; what stands now is at the right, in USD per cell.

    Args:
        of: The heatmap, its columns a constant step apart.
        clusters: Those of the map at its last column, to be named at the right.
        frame: The room there is.
        theme: Colours.
        title: A title above the chart, as plain text.

    Raises:
        InputError: Fewer than two columns, NaN or an infinity.
    """
    if len(of.at) < 2:  # noqa: PLR2004 - a time axis has two ends
        raise InputError("chart", "heatmap", f"{len(of.at)} columns", "two or more", "nothing drawn")
    first, second, last = int(of.at[0]), int(of.at[1]), int(of.at[-1])
    whole = ((last - first) / DAY, second - first)
    scene = HeatmapLayout.of_heatmap(of, clusters, tick=_TICK, ranges=(whole,))
    room = heat_frame(scene, frame)
    given = [alt.param(name=given["name"], value=given["value"]) for given in room["params"]]
    chart = _drawing(theme, (theme == DARK,)).add_params(*given)
    chart = chart.properties(width=frame.width, height=frame.height, padding=room["padding"])
    chart.datasets = datasets(scene, everything=True)
    return chart if title is None else chart.properties(title=title)


def heat_spec(theme: Theme) -> dict[str, Any]:
    """The Vega-Lite specification without a heatmap in it: the same for every one, made once.

    A page changes the parameters ``start``, ``end``, ``low`` and ``high``. Both pictures of the cells are drawn, the
    light one and the dark one, as layers of that name: a style sheet shows one of them.
    """
    return dict(_specification(theme))


def heat_data(scene: HeatmapLayout, *, everything: bool) -> dict[str, Any]:
    """What a heatmap adds to :func:`heat_spec` in every frame: its rows.

    Args:
        scene: The heatmap.
        everything: Also what lies before the first view.

    Raises:
        InputError: The heatmap holds NaN or an infinity.
    """
    return {"datasets": datasets(scene, everything=everything)}


def heat_frame(scene: HeatmapLayout, frame: HeatmapSize) -> dict[str, Any]:
    """What a frame adds: its size, and the first view."""
    largest = 0.0 if scene.realised is None else float(scene.realised.usd.max(initial=0.0))
    values = {
        "start": scene.start // 1000,
        "end": scene.end // 1000,
        "low": scene.view[0],
        "high": scene.view[1],
        "digits": decimals(float(scene.heat.close[-1]), scene.tick),
        "ring": frame.ring / max(largest, 1.0),
        "part": scene.first,
        "now": layers.PICTURE_WIDTH,
        "tight": frame.width < _TIGHT,
    }
    return {
        # Room for a reader's own font, which may be wider than the one measured here.
        "padding": {"left": 4, "right": 14, "top": 8, "bottom": 4},
        "width": frame.width,
        "height": frame.height,
        "params": [{"name": name, "value": value} for name, value in values.items()],
    }


@cache
def _specification(theme: Theme) -> dict[str, Any]:
    return cached_spec(f"heatmap {theme}", lambda: dict(_drawing(theme).to_dict()))


def _drawing(theme: Theme, pictures: tuple[bool, ...] = (False, True)) -> alt.LayerChart:
    parts = (
        *(layers.picture(dark=dark) for dark in pictures),
        *layers.frame(theme),
        layers.columns(theme),
        *layers.tracks(theme),
        *layers.path(theme),
        *layers.rings(theme),
        *layers.last(theme),
        *layers.names(theme),
    )
    chart: alt.LayerChart = alt.layer(*parts).configure(**theme.altair())
    return chart
