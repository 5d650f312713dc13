"""A heatmap as one Altair chart: time to the right, price up, cells as a picture, the price and what it set off."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from liqmap.charts.kept import kept, lazily
from liqmap.charts.numbers import decimals
from liqmap.maps import heat_layers as layers
from liqmap.maps.heat_rows import datasets

if TYPE_CHECKING:
    import altair as alt

    from liqmap.charts.theme import Theme
    from liqmap.maps.heat_scene import HeatFrame, HeatScene

if not TYPE_CHECKING:
    alt = lazily("altair")

__all__ = ["heat_data", "heat_drawing", "heat_frame"]

_TIGHT = 300


def heat_drawing(theme: Theme) -> dict[str, Any]:
    """The Vega-Lite specification without a heatmap in it: the same for every one, made once.

    A page changes the parameters ``start``, ``end``, ``low`` and ``high``. Both pictures of the cells are drawn, the
    light one and the dark one, as layers of that name: a style sheet shows one of them.
    """
    return dict(_specification(theme))


def heat_data(scene: HeatScene, *, everything: bool) -> dict[str, Any]:
    """What a heatmap adds to :func:`heat_drawing` in every frame: its rows.

    Args:
        scene: The heatmap.
        everything: Also what lies before the first view.

    Raises:
        InputError: The heatmap holds NaN or an infinity.
    """
    return {"datasets": datasets(scene, everything=everything)}


def heat_frame(scene: HeatScene, frame: HeatFrame) -> dict[str, Any]:
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
        "now": layers.NOW,
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
    return kept(f"heatmap {theme}", lambda: dict(_drawing(theme).to_dict()))


def _drawing(theme: Theme) -> alt.LayerChart:
    parts = (
        *layers.pictures(),
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
