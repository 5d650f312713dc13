"""Layers of a heatmap chart, equal for all heatmaps, so that no expression is built from data.

Data enters as rows, under the names of :mod:`liqmap.charts.heatmap.rows`, or as a parameter: ``start`` and ``end``,
milliseconds; ``low`` and ``high``, price; ``digits``, decimals of a price; ``ring``, pixels of area per USD; ``tight``,
whether labels are shortened; ``now``, the share of the width for the time axis; ``part``, index of the range in whose
columns the price is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from liqmap._base.lazy_import import lazy_import
from liqmap.charts import expressions

if TYPE_CHECKING:
    import altair as alt

    from liqmap.charts.theme import Theme

if not TYPE_CHECKING:
    alt = lazy_import("altair")

__all__ = [
    "CROSS",
    "PICTURE_WIDTH",
    "bar_background",
    "cell_image",
    "columns",
    "last",
    "names",
    "path",
    "price_axis",
    "rings",
    "time_axis",
    "tracks",
]

PICTURE_WIDTH = 0.86
"""Share of the chart width for the time axis; the bars of the latest map are to its right."""
CROSS = "M-1,-1L1,1M-1,1L1,-1"
"""Symbol of the end of a swept cluster."""
_LABEL_LIMIT = 28
_LABEL_SPACING = 25


def cell_image(*, dark: bool) -> alt.Chart:
    """The cells, one image per range; a page holds the images of both themes and shows one."""
    theme = "dark" if dark else "light"
    chart: alt.Chart = (
        _chart("pictures", theme)
        .mark_image(
            align="left",
            baseline="top",
            aspect=False,
            clip=True,
            width=_expr("(datum.t2 - datum.t) / (end - start) * width * now"),
            height=_expr("(datum.p2 - datum.p) / (high - low) * height"),
        )
        .encode(x=time_axis("t"), y=price_axis("p2"), url=f"{theme}:N")
    )
    return chart


def bar_background(theme: Theme) -> list[alt.Chart]:
    """Background of the bars of the latest map, so that no cell extends below them."""
    left = _expr("width * now")
    base = _chart("last")
    full: dict[str, Any] = {"y": alt.value(0), "y2": alt.value(_expr("height"))}
    background = base.mark_rect(color=theme.paper).encode(x=alt.value(left), x2=alt.value(_expr("width")), **full)
    return [background, base.mark_rule(color=theme.quiet, strokeWidth=0.75).encode(x=alt.value(left), **full)]


def columns(theme: Theme) -> alt.Chart:
    """The latest map, as bars from right to left."""
    colours = alt.Scale(domain=[0, 1], range=[theme.longs[2], theme.shorts[2]])
    chart: alt.Chart = (
        _chart("now")
        .mark_rect(clip=True)
        .encode(
            x=alt.value(_expr("width * now + 1")),
            x2=alt.value(_expr("width * (now + (1 - now) * datum.share)")),
            y=price_axis("p"),
            y2="p2:Q",
            color=alt.Color("side:O", scale=colours, legend=None),
        )
    )
    return chart


def path(theme: Theme) -> list[alt.Chart]:
    """The price: its range in each column and a line through the closes, outlined in the paper colour."""
    at = _chart("path").transform_filter("datum.part == part").encode(x=time_axis("t"))
    closes = at.encode(y=price_axis("close"))
    return [
        closes.mark_line(clip=True, color=theme.paper, strokeWidth=3.5, strokeJoin="round", opacity=0.85),
        at.mark_area(clip=True, color=theme.ink, opacity=0.4, interpolate="step-before").encode(
            y=price_axis("low"), y2="high:Q"
        ),
        closes.mark_line(clip=True, color=theme.ink, strokeWidth=1.25, strokeJoin="round"),
    ]


def tracks(theme: Theme) -> list[alt.Chart]:
    """Tracks as thin lines, with a cross at the price and time of a sweep."""
    style: dict[str, Any] = {"clip": True, "color": theme.ink, "strokeWidth": 1, "opacity": 0.75, "strokeDash": [2, 2]}
    line = _chart("tracks").mark_line(order=False, **style)
    cross = _chart("sweeps").mark_point(
        clip=True, shape=CROSS, size=26, stroke=theme.ink, strokeWidth=1.5, fill=None, opacity=1
    )
    return [
        line.encode(x=time_axis("t"), y=price_axis("p")),
        cross.encode(x=time_axis("t"), y=price_axis("p")),
    ]


def rings(theme: Theme) -> list[alt.Chart]:
    """The largest realised liquidations in view, area by USD: longs as discs below the price, shorts as rings above."""
    shown = (
        _chart("rings")
        .transform_filter("datum.t >= start && datum.t <= end && datum.p >= low && datum.p <= high")
        .transform_window(rank="rank()", sort=[alt.SortField("usd", order="descending")])
        .transform_filter(f"datum.rank <= {_LABEL_LIMIT}")
    )
    radius = "(sqrt(datum.usd * ring / PI) + 4)"
    style: dict[str, Any] = {"clip": True, "shape": "circle", "opacity": 1}
    size = _expr("max(8, datum.usd * ring)")
    long = shown.transform_filter("datum.side == 0").mark_point(
        **style, size=size, fill=theme.longs[2], stroke=theme.paper, strokeWidth=1.25, yOffset=_expr(radius)
    )
    short = shown.transform_filter("datum.side == 1").mark_point(
        **style, size=size, fill=theme.paper, stroke=theme.shorts[2], strokeWidth=2, yOffset=_expr(f"-{radius}")
    )
    return [mark.encode(x=time_axis("t"), y=price_axis("p")) for mark in (long, short)]


def names(theme: Theme) -> list[alt.Chart]:
    """Labels of the latest clusters at the right; of two overlapping ones, the smaller cluster's is omitted."""
    inside = "datum.p >= low && datum.p <= high && datum.room / (high - low) * height > "
    base = (
        _chart("names")
        .transform_filter(inside + str(_LABEL_SPACING))
        .encode(x=alt.value(_expr("width + 6")), y=price_axis("p"))
    )
    style: dict[str, Any] = {"align": "left", "clip": False}
    return [
        base.mark_text(**style, dy=-2, baseline="bottom", fontWeight=600, color=theme.ink).encode(text="head:N"),
        base.transform_calculate(text="tight ? datum.short : datum.tail")
        .mark_text(**style, dy=0, baseline="top", fontSize=11, color=theme.quiet)
        .encode(text="text:N"),
    ]


def last(theme: Theme) -> list[alt.Chart]:
    """The last price, across the bars of the latest map."""
    base = _chart("last").transform_filter("datum.p >= low && datum.p <= high").encode(y=price_axis("p"))
    rule = base.mark_rule(color=theme.ink, strokeWidth=1).encode(
        x=alt.value(_expr("width * now")), x2=alt.value(_expr("width + 4"))
    )
    text = base.mark_text(align="left", clip=False, color=theme.ink, fontWeight=600).encode(
        x=alt.value(_expr("width + 6")), text="text:N"
    )
    return [rule, text]


def _chart(name: str, layer: str | None = None) -> alt.Chart:
    return alt.Chart(alt.NamedData(name)) if layer is None else alt.Chart(alt.NamedData(name), name=layer)


def _expr(text: str) -> alt.ExprRef:
    return alt.ExprRef(expr=text)


def time_axis(field: str) -> alt.X:
    """Time axis, labelled with the date at midnight and the hour otherwise."""
    return alt.X(
        f"{field}:T",
        scale=alt.Scale(type="utc", domain=[_expr("start"), _expr("end")], range=[0, _expr("width * now")]),
        axis=alt.Axis(
            title=None,
            grid=False,
            domain=False,
            tickCount=_expr("width * now / 72"),
            labelExpr="utcFormat(datum.value, utchours(datum.value) + utcminutes(datum.value) ? '%H:%M' : '%-d %b')",
            labelFlush=False,
            labelOverlap="greedy",
            labelPadding=5,
        ),
    )


def price_axis(field: str) -> alt.Y:
    """Linear price axis."""
    return alt.Y(
        f"{field}:Q",
        scale=alt.Scale(domain=[_expr("low"), _expr("high")], nice=False, zero=False),
        axis=alt.Axis(
            title=None,
            grid=False,
            domain=False,
            tickCount=_expr("height / 60"),
            labelExpr=expressions.price("datum.value"),
            labelPadding=4,
        ),
    )
