"""The one place where an object finds its chart.

Maps, heatmaps and cascades lie below the charts that draw them. Their ``chart()`` methods name the chart, and its
module is imported at the first call. Data therefore never imports charts, and a program without charts never loads
Altair.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import altair as alt

__all__ = ["CHARTS", "chart"]

CHARTS = {
    "cascade_chain": ("liqmap.charts.cascade.chart", "chain_chart"),
    "cascade_curve": ("liqmap.charts.cascade.chart", "curve_chart"),
    "heatmap": ("liqmap.charts.heatmap.chart", "heat_chart"),
    "map": ("liqmap.charts.map.chart", "map_chart"),
    "order_book_overlay": ("liqmap.charts.order_book_overlay.chart", "overlay_chart"),
}
"""Chart name → the module and function that draw it."""


def chart(name: str, drawn: object, **options: Any) -> alt.LayerChart:  # noqa: ANN401 - each chart has its own options
    """Draw an object with the chart of this name; ``options`` are passed on to the function that draws it."""
    module, function = CHARTS[name]
    made: alt.LayerChart = getattr(import_module(module), function)(drawn, **options)
    return made
