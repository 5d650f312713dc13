"""Altair charts of cascades: stop price against shock with the law range, and the chain of triggered clusters.

The specifications are equal for all cascades. Data enters as rows (:mod:`liqmap.charts.cascade.rows`) and as parameters
(``left``, ``right``, ``bottom``, ``top``; ``low``, ``high``, ``mark``; ``digits``), so that no expression is built from
data.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from liqmap._base.lazy_import import lazy_import
from liqmap.charts import expressions
from liqmap.charts.cascade.rows import LAW_NAMES, WIDE, CascadeChartSize, CascadeLayout, chain_layout, curve_layout
from liqmap.charts.spec_cache import cached_spec
from liqmap.charts.theme import LIGHT, Theme
from liqmap.stress.cascade_curve import LAWS

if TYPE_CHECKING:
    import altair as alt

    from liqmap.stress.cascade import Cascade
    from liqmap.stress.cascade_curve import CascadeCurve

if not TYPE_CHECKING:
    alt = lazy_import("altair")

__all__ = ["chain_chart", "chain_spec", "curve_chart", "curve_spec", "layout_data"]

_DASHES = [[1, 0], [6, 3], [2, 2]]


def curve_chart(
    of: CascadeCurve, *, room: CascadeChartSize = WIDE, theme: Theme = LIGHT, title: str | None = None
) -> alt.LayerChart:
    """Draw the stop price (y) against the shock (x): a line per law, the law range, and the shock alone as a thin line.

    Raises:
        InputError: The curve holds NaN or an infinity.
    """
    return _with_data(_curve(theme, legend=True), curve_layout(of, room), title)


def chain_chart(
    of: Cascade, *, room: CascadeChartSize = WIDE, theme: Theme = LIGHT, title: str | None = None
) -> alt.LayerChart:
    """Draw cumulative triggered notional (y) against price (x), one step per cluster, darker by round.

    Vertical rules mark the mark price, the shock, and the stop price of each law.

    Raises:
        InputError: The cascade holds NaN or an infinity.
    """
    return _with_data(_chain(theme, of.side == "short"), chain_layout(of, room), title)


def curve_spec(theme: Theme) -> dict[str, Any]:
    """The specification without data and without a legend, which a page provides itself.

    :func:`liqmap.charts.vega_data.with_data` adds the data of a curve.
    """
    return dict(_specification("curve", theme))


def chain_spec(theme: Theme, *, up: bool) -> dict[str, Any]:
    """The specification without data, for a downward or an upward cascade."""
    return dict(_specification("up" if up else "down", theme))


def layout_data(layout: CascadeLayout) -> dict[str, Any]:
    """The data that a layout adds to a specification: ``width``, ``height``, ``params``, ``datasets``."""
    return {
        "width": layout.size.width,
        "height": layout.size.height,
        "datasets": layout.datasets,
        "params": [{"name": name, "value": value} for name, value in layout.parameters.items()],
    }


def _with_data(chart: alt.LayerChart, layout: CascadeLayout, title: str | None) -> alt.LayerChart:
    params = [alt.param(name=name, value=value) for name, value in layout.parameters.items()]
    sized = chart.add_params(*params).properties(width=layout.size.width, height=layout.size.height)
    sized.datasets = layout.datasets
    return sized if title is None else sized.properties(title=title)


@cache
def _specification(which: str, theme: Theme) -> dict[str, Any]:
    def build() -> dict[str, Any]:
        return dict((_curve(theme, legend=False) if which == "curve" else _chain(theme, which == "up")).to_dict())

    return cached_spec(f"cascade {which} {theme}", build)


def _curve(theme: Theme, *, legend: bool) -> alt.LayerChart:
    stop_title = "stops at" if legend else None
    x, y = _shock_axis("shock"), _stop_axis("stop", stop_title)
    sides = alt.Scale(domain=["long", "short"], range=[theme.longs[0], theme.shorts[0]])
    dashes = alt.Scale(domain=list(range(len(LAWS))), range=_DASHES)
    names = [LAW_NAMES[law] for law in LAWS]
    label = f"{names!r}[datum.value]"
    key = alt.Legend(title=None, labelExpr=label, symbolType="stroke", symbolSize=400, columnPadding=20, labelLimit=0)
    band = _dataset_chart("band").mark_area(clip=True, opacity=0.45, line=False)
    lines = _dataset_chart("laws").mark_line(clip=True, color=theme.ink, strokeWidth=1.5)
    ends = _dataset_chart("ends").encode(x=x, y=y)
    hover = alt.selection_point(name="hover", on="pointerover", clear="pointerout", empty=False, fields=["shock"])
    tooltips = [alt.Tooltip("title:N"), *(alt.Tooltip(f"{law}:N", title=LAW_NAMES[law]) for law in LAWS)]
    mark = _dataset_chart("mark").encode(y=_stop_axis("at", stop_title))
    style: dict[str, Any] = {"fontSize": 11, "color": theme.ink}
    layers = [
        band.encode(
            x=x, y=_stop_axis("low", stop_title), y2="high:Q", color=alt.Color("side:N", scale=sides, legend=None)
        ),
        _dataset_chart("alone").mark_line(clip=True, color=theme.quiet, strokeWidth=0.75).encode(x=x, y=y),
        mark.mark_rule(color=theme.rule).encode(x=alt.value(0), x2=alt.value(_expr("width"))),
        mark.mark_text(align="left", baseline="bottom", color=theme.quiet).encode(x=alt.value(4), text="text:N"),
        lines.encode(
            x=x, y=y, strokeDash=alt.StrokeDash("law:O", scale=dashes, legend=key if legend else None), detail="side:N"
        ),
        ends.mark_point(shape="cross", angle=45, size=60, color=theme.ink, filled=True),
        ends.mark_text(align="left", dx=9, dy=9, **style).encode(text="text:N").transform_filter("datum.shock < 0"),
        ends.mark_text(align="right", dx=-9, dy=-9, **style).encode(text="text:N").transform_filter("datum.shock > 0"),
        _dataset_chart("tooltips")
        .mark_rule(strokeWidth=9, color=theme.ink)
        .encode(x=x, y=alt.value(0), y2=alt.value(_expr("height")), opacity=_opacity_when(hover), tooltip=tooltips)
        .add_params(hover),
    ]
    return _styled(layers, theme)


def _chain(theme: Theme, up: bool) -> alt.LayerChart:
    colours = theme.shorts if up else theme.longs
    shades = alt.Scale(domain=list(range(len(colours))), range=list(colours))
    rules = _dataset_chart("rules").transform_calculate(y="top * (1 - (14 * datum.line + 4) / height)")
    rule = rules.mark_rule(clip=True, color=theme.ink, strokeWidth=0.75)
    style: dict[str, Any] = {"baseline": "top", "fontSize": 11, "color": theme.ink}
    labels = rules.encode(x=_price_axis("at"), y=alt.Y("y:Q"), text="text:N")
    layers = [
        _dataset_chart("steps")
        .mark_bar(clip=True, stroke=theme.paper, strokeWidth=0.5)
        .encode(
            x=_price_axis("low"),
            x2="high:Q",
            y=_usd_axis("before"),
            y2="after:Q",
            color=alt.Color("shade:O", scale=shades, legend=None),
            tooltip=[alt.Tooltip("where:N", title="title"), alt.Tooltip("text:N", title="triggered")],
        ),
        rule.encode(x=_price_axis("at"), y=alt.value(0), y2=alt.value(_expr("height"))),
        labels.mark_text(align="left", dx=4, **style).transform_filter("!datum.right"),
        labels.mark_text(align="right", dx=-4, **style).transform_filter("datum.right"),
    ]
    return _styled(layers, theme)


def _styled(layers: list[Any], theme: Theme) -> alt.LayerChart:
    styled: alt.LayerChart = alt.LayerChart(layer=layers).configure(**theme.altair())
    return styled


def _opacity_when(selection: alt.Parameter) -> Any:  # noqa: ANN401 - Altair's own condition
    return alt.condition(selection, alt.value(0.1), alt.value(0))


def _dataset_chart(name: str) -> alt.Chart:
    return alt.Chart(alt.NamedData(name))


def _expr(text: str) -> alt.ExprRef:
    return alt.ExprRef(expr=text)


def _shock_axis(field: str) -> alt.X:
    axis = alt.Axis(
        title="shock", grid=False, labelExpr=expressions.percent("datum.value"), tickCount=_expr("width / 90")
    )
    return alt.X(f"{field}:Q", axis=axis, scale=alt.Scale(domain=[_expr("left"), _expr("right")], nice=False))


def _stop_axis(field: str, title: str | None) -> alt.Y:
    axis = alt.Axis(title=title, labelExpr=expressions.price("datum.value"), domain=False, ticks=False, tickCount=6)
    return alt.Y(f"{field}:Q", axis=axis, scale=alt.Scale(domain=[_expr("bottom"), _expr("top")], nice=False))


def _price_axis(field: str) -> alt.X:
    label = expressions.price_and_distance()
    axis = alt.Axis(title=None, grid=False, labelExpr=label, tickCount=_expr("width / 90"))
    return alt.X(f"{field}:Q", axis=axis, scale=alt.Scale(domain=[_expr("low"), _expr("high")], nice=False, zero=False))


def _usd_axis(field: str) -> alt.Y:
    axis = alt.Axis(
        title="liquidated", labelExpr=expressions.usd("datum.value"), domain=False, ticks=False, tickCount=4
    )
    return alt.Y(f"{field}:Q", axis=axis, scale=alt.Scale(domain=[0, _expr("top")], nice=False))
