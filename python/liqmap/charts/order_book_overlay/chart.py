"""Altair chart of a map and its order book: liquidations upwards, resting orders downwards, voids shaded.

The specification is equal for all maps; data enters as rows and parameters, so that no expression is built from data.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from liqmap._base.lazy_import import lazy_import
from liqmap._base.number_format import decimals, percent, price, usd
from liqmap.charts import expressions
from liqmap.charts.spec_cache import cached_spec
from liqmap.charts.theme import LIGHT, Theme
from liqmap.charts.vega_data import Row, plain_rows

if TYPE_CHECKING:
    import altair as alt

    from liqmap.strategies.overlay import Overlay
    from liqmap.strategies.trading_levels import TradingLevels

if not TYPE_CHECKING:
    alt = lazy_import("altair")

__all__ = ["overlay_chart", "overlay_data", "overlay_spec"]

_MAX_BARS = 60
_HEADROOM = 1.06


def overlay_chart(
    of: TradingLevels, *, width: int = 900, height: int = 420, theme: Theme = LIGHT, title: str | None = None
) -> alt.LayerChart:
    """Draw liquidations (up) and resting orders (down) by price, each on its own USD axis.

    Raises:
        InputError: A value is NaN or infinite.
    """
    data = overlay_data(of, width=width, height=height)
    params = [alt.param(**one) for one in data["params"]]
    chart = _build_chart(theme).add_params(*params).properties(width=width, height=height)
    chart.datasets = data["datasets"]
    return chart if title is None else chart.properties(title=title)


def overlay_spec(theme: Theme) -> dict[str, Any]:
    """The specification without data; :func:`overlay_data` provides the data."""
    return dict(_specification(theme))


def overlay_data(of: TradingLevels, *, width: int, height: int) -> dict[str, Any]:
    """The data that a map adds to :func:`overlay_spec`: ``width``, ``height``, ``params``, ``datasets``.

    Raises:
        InputError: A value is NaN or infinite.
    """
    bars = [row for overlay in of.overlay for row in _bars(overlay)]
    ends = [float(at) for row in bars for at in (row["low"], row["high"])] or [
        of.mark_price * 0.99,
        of.mark_price * 1.01,
    ]
    forced, orders = (
        _HEADROOM * max((float(row[name]) for row in bars), default=0.0) or 1.0 for name in ("forced", "orders")
    )
    shown = [row for row in of.voids.rows if row.low < max(ends) and row.high > min(ends)]
    parameters = {
        "low": min(ends),
        "high": max(ends),
        "forced": forced,
        "orders": orders,
        "mark": of.mark_price,
        "digits": decimals(of.mark_price),
    }
    return {
        "width": width,
        "height": height,
        "params": [{"name": name, "value": value} for name, value in parameters.items()],
        "datasets": {
            "bars": plain_rows("overlay/bars", bars),
            "voids": plain_rows("overlay/voids", ({"low": row.low, "high": row.high} for row in shown)),
            "mark": plain_rows("overlay/mark", [{"at": of.mark_price, "text": f"mark {price(of.mark_price)}"}]),
        },
    }


def _bars(overlay: Overlay) -> list[Row]:
    """Bins summed outward from the mark into fewer bars; the last bar may be narrower."""
    count = overlay.depth.size
    if count == 0:
        return []
    starts = np.arange(0, count, -(-count // _MAX_BARS))
    forced, orders = (np.add.reduceat(column, starts) for column in (overlay.forced, overlay.depth))
    ends = np.append(overlay.edge[starts], overlay.edge[count])
    return [
        {
            "low": float(min(ends[i : i + 2])),
            "high": float(max(ends[i : i + 2])),
            "side": overlay.side,
            "forced": float(forced[i]),
            "orders": float(orders[i]),
            "title": f"{price(float(min(ends[i : i + 2])))}–{price(float(max(ends[i : i + 2])))}",
            "comparison": f"{usd(float(forced[i]))} against {usd(float(orders[i]))}",
            "ratio": percent(float(forced[i] / orders[i]), 0) if orders[i] > 0 else "–",
        }
        for i in range(starts.size)
    ]


@cache
def _specification(theme: Theme) -> dict[str, Any]:
    return cached_spec(f"overlay {theme}", lambda: dict(_build_chart(theme).to_dict()))


def _build_chart(theme: Theme) -> alt.LayerChart:
    sides = alt.Scale(domain=["long", "short"], range=[theme.longs[2], theme.shorts[2]])
    bars = _dataset_chart("bars").transform_calculate(ground="0", down="-datum.orders")
    full: dict[str, Any] = {"y": alt.value(0), "y2": alt.value(_expr("height"))}
    shading = (
        _dataset_chart("voids")
        .mark_rect(clip=True, color=theme.ink, opacity=0.09)
        .encode(x=_x("low"), x2="high:Q", **full)
    )
    forced = bars.mark_bar(clip=True, stroke=theme.paper, strokeWidth=0.3).encode(
        x=_x("low"),
        x2="high:Q",
        y=_y("ground", "forced", "left", "liquidated"),
        y2="forced:Q",
        color=alt.Color("side:N", scale=sides, legend=None),
    )
    orders = bars.mark_bar(clip=True, color=theme.quiet, opacity=0.5, stroke=theme.paper, strokeWidth=0.3).encode(
        x=_x("low"), x2="high:Q", y=_y("ground", "orders", "right", "resting orders"), y2="down:Q"
    )
    tooltip = [
        alt.Tooltip("title:N"),
        alt.Tooltip("comparison:N", title="liquidations against orders"),
        alt.Tooltip("ratio:N", title="ratio"),
    ]
    hover = bars.mark_rect(color=theme.ink, opacity=0).encode(x=_x("low"), x2="high:Q", **full, tooltip=tooltip)
    mark = _dataset_chart("mark").encode(x=_x("at"))
    lines = [
        mark.mark_rule(color=theme.ink).encode(**full),
        mark.mark_text(align="left", baseline="top", dx=4, fontWeight=600, color=theme.ink).encode(
            y=alt.value(2), text="text:N"
        ),
    ]
    front = alt.LayerChart(layer=[shading, forced, *lines, hover])
    chart: alt.LayerChart = alt.layer(front, orders).resolve_scale(y="independent")
    styled: alt.LayerChart = chart.configure(**theme.altair())
    return styled


def _dataset_chart(name: str) -> alt.Chart:
    return alt.Chart(alt.NamedData(name))


def _expr(text: str) -> alt.ExprRef:
    return alt.ExprRef(expr=text)


def _x(field: str) -> alt.X:
    label = expressions.price_and_distance()
    axis = alt.Axis(title=None, grid=False, labelExpr=label, tickCount=_expr("width / 90"))
    return alt.X(f"{field}:Q", axis=axis, scale=alt.Scale(domain=[_expr("low"), _expr("high")], nice=False, zero=False))


def _y(field: str, top: str, orient: Any, title: str) -> alt.Y:  # noqa: ANN401 - Altair's own literals
    """A USD axis with zero in the middle, of which one half is used."""
    scale = alt.Scale(domain=[_expr(f"-{top}"), _expr(top)], nice=False)
    half = "datum.value >= 0" if orient == "left" else "datum.value <= 0"
    label = f"{half} ? {expressions.usd('abs(datum.value)')} : ''"
    axis = alt.Axis(title=title, orient=orient, labelExpr=label, grid=False, domain=False, ticks=False, tickCount=6)
    return alt.Y(f"{field}:Q", axis=axis, scale=scale)
