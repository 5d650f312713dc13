"""Layers of a map chart, equal for all maps, so that no expression is built from data.

Data enters as rows, under the names of :mod:`liqmap.charts.map.rows`, or as a parameter: ``mark``; ``low`` and
``high``, the ends of the price axis; ``count``, the number of its ticks, and ``digits``, their decimals;
``top`` and ``total``, the tops of the left and right axes; ``left`` and ``right``, their ticks; ``strip``, the height
of the strip of labels; ``show_0`` … ``show_3``, whether a leverage group is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from liqmap._base.lazy_import import lazy_import
from liqmap.charts.expressions import distance, price, usd
from liqmap.maps.display_bars import GROUPS

if TYPE_CHECKING:
    import altair as alt

    from liqmap.charts.theme import Theme

if not TYPE_CHECKING:
    alt = lazy_import("altair")

__all__ = ["assumed_zones", "clusters", "cumulative_lines", "hover", "mark", "notional_bars", "observed_bars", "titles"]

# A position in pixels below the top of the chart, on the left axis; it does not move when the axis changes.
_PIXELS_BELOW_TOP = "top * (1 - ({0}) / height)"


def assumed_zones(theme: Theme) -> list[alt.Chart]:
    """Shading of the prices where the assumed leverage determines the map, with a label if there is space."""
    zones = _chart("assumed").transform_calculate(left="max(datum.low, low)", right="min(datum.high, high)")
    shading = zones.mark_rect(clip=True, color=theme.ink, opacity=0.045).encode(x=_x("low"), x2="high:Q", **_full())
    labelled = zones.transform_calculate(middle="(datum.left + datum.right) / 2").transform_filter(
        "(datum.right - datum.left) / (high - low) * width > 140"
    )
    text = labelled.mark_text(clip=True, baseline="top", fontSize=11, color=theme.quiet).encode(
        x=_x("middle"), y=alt.value(4), text="text:N"
    )
    return [shading, text]


def notional_bars(theme: Theme, *, legend: bool, pick: bool) -> alt.Chart:
    """The stacked bars. ``layer`` is ``4 · side + group``; the stack is computed after groups are hidden."""
    names = [f"{side} {group}" for side in ("longs", "shorts") for group in GROUPS]
    key = alt.Legend(title=None, columns=4, labelExpr=f"{names!r}[datum.value]", labelLimit=0) if legend else None
    chart: alt.Chart = (
        _chart("bars")
        .mark_bar(clip=True)
        .encode(
            x=_x(),
            x2="high:Q",
            y=_usd_axis("from", "left"),
            y2="to:Q",
            color=alt.Color("layer:O", scale=_leverage_colours(theme), legend=key),
        )
    )
    shows = ", ".join(f"show_{group}" for group in range(len(GROUPS)))
    chart = chart.transform_filter(f"[{shows}][datum.layer % {len(GROUPS)}]")
    if pick:
        chart = chart.transform_filter({"param": "picked"})
    order = [alt.SortField("layer", order="descending")]
    stacked: alt.Chart = chart.transform_stack(stack="usd", groupby=["low"], as_=["from", "to"], sort=order)
    return stacked


def hover(theme: Theme, *, pick: bool) -> alt.Chart:
    """A transparent column over each bar, whose tooltip lists all leverage groups, however small they are."""
    inside = alt.selection_point(name="hover", on="pointerover", clear="pointerout", empty=False, fields=["low"])
    groups = [(GROUPS[group], f"text_{group}", f"datum.group_{group}") for group in reversed(range(len(GROUPS)))]
    chart: alt.Chart = (
        _chart("columns")
        .transform_calculate(
            price=f"{price('datum.low')} + '–' + {price('datum.high')}",
            distance=distance("(datum.low + datum.high) / 2"),
            here=usd("datum.all"),
            there=usd("datum.sum"),
            **{text: usd(field) for _, text, field in groups},
        )
        .mark_rect(clip=True, color=theme.ink)
        .encode(
            x=_x(),
            x2="high:Q",
            **_full(),
            opacity=alt.condition(inside, alt.value(0.07), alt.value(0)),
            tooltip=[
                alt.Tooltip("price:N", title="title"),
                alt.Tooltip("distance:N", title="from the mark"),
                alt.Tooltip("here:N", title="liquidated here"),
                *[alt.Tooltip(f"{text}:N", title=name) for name, text, _ in groups],
                alt.Tooltip("there:N", title="from the mark to here"),
            ],
        )
        .add_params(inside)
    )
    if not pick:
        return chart
    # All selections are on one layer: with two layers Altair would hoist each of them twice.
    wheel = "wheel![event.ctrlKey || event.metaKey]"
    picking: alt.Chart = chart.add_params(
        alt.selection_interval(name="zoom", bind="scales", encodings=["x"], zoom=wheel),
        alt.selection_point(name="picked", fields=["layer"], bind="legend", toggle="true"),
    )
    return picking


def observed_bars(theme: Theme) -> alt.Chart:
    """The observed part of each bar, as a narrow bar inside it; the rest is modelled."""
    chart: alt.Chart = (
        _chart("seen")
        .transform_calculate(ground="0")
        .mark_bar(clip=True, color=theme.ink)
        .encode(x=_x(), x2="high:Q", y=_usd_axis("ground", "left"), y2="usd:Q")
    )
    return chart


def clusters(theme: Theme) -> list[alt.Chart]:
    """The strip above the bars: basins as lines, thicker for higher bands; labels of the largest, with leader lines."""
    strip = (
        _chart("basins")
        .transform_calculate(y=_PIXELS_BELOW_TOP.format("strip - 6"))
        .mark_rule(clip=True, strokeCap="butt")
        .encode(
            x=_x(),
            x2="high:Q",
            y=alt.Y("y:Q"),
            color=alt.Color("layer:O", scale=_leverage_colours(theme), legend=None),
            strokeWidth=alt.StrokeWidth("thick:Q", scale=None),
        )
    )
    # Labels are placed for the first view; in a wider view they would overlap.
    names = _chart("names").transform_filter("high - low < 1.1 * datum.span")
    names = names.transform_calculate(
        y=_PIXELS_BELOW_TOP.format("datum.pixel"),
        start=_PIXELS_BELOW_TOP.format("datum.pixel + 28"),
        end=_PIXELS_BELOW_TOP.format("strip - 11"),
    )
    at = names.encode(x=_x("label"), y=alt.Y("y:Q"))
    leader = names.mark_rule(clip=True, color=theme.quiet, strokeWidth=0.75)
    return [
        strip,
        leader.encode(x=_x("peak"), y=alt.Y("start:Q"), y2="end:Q"),
        at.mark_text(clip=True, baseline="top", fontWeight=600, color=theme.ink).encode(text="head:N"),
        at.mark_text(clip=True, baseline="top", dy=14, fontSize=11, color=theme.quiet).encode(text="tail:N"),
    ]


def mark(theme: Theme) -> list[alt.Chart]:
    """The mark price: a vertical rule and its label."""
    at = _chart("mark").encode(x=_x("at"))
    return [
        at.mark_rule(clip=True, color=theme.ink).encode(y=alt.value(18), y2=_full()["y2"]),
        at.mark_text(clip=True, baseline="top", fontWeight=600, color=theme.ink).encode(y=alt.value(2), text="text:N"),
    ]


def cumulative_lines(theme: Theme) -> alt.LayerChart:
    """Cumulative notional between the mark and each price, a line per side with its total at the end."""
    line = (
        _chart("sums")
        .mark_line(clip=True, color=theme.ink, strokeWidth=1.25)
        .encode(
            x=_x("at"),
            y=_usd_axis("sum", "right"),
            detail="side:N",
        )
    )
    style: dict[str, Any] = {"clip": True, "baseline": "bottom", "dy": -5, "color": theme.ink, "fontSize": 11}
    # The point of each line at the edge of the view. Rows are rounded to eight digits and the view is not.
    ends = (
        _chart("sums")
        .transform_filter("datum.at > low - 1e-7 * mark && datum.at < high + 1e-7 * mark")
        .transform_aggregate(first="min(at)", last="max(at)", sum="max(sum)", groupby=["side"])
        .transform_filter("datum.sum > 0")
        .transform_calculate(
            at="datum.side == 'longs' ? datum.first : datum.last",
            text=usd("datum.sum") + " + ' of ' + datum.side",
        )
        .encode(x=_x("at"), y=alt.Y("sum:Q"), text="text:N")
    )
    return alt.LayerChart(
        layer=[
            line,
            ends.mark_text(align="left", dx=4, **style).transform_filter("datum.side == 'longs'"),
            ends.mark_text(align="right", dx=-4, **style).transform_filter("datum.side == 'shorts'"),
        ]
    )


def titles(theme: Theme) -> list[alt.Chart]:
    """Titles of the vertical axes, if there is space."""
    middle = _expr("height * 0.6")
    return [
        _chart("titles")
        .mark_text(angle=angle, color=theme.quiet, clip=False)
        .encode(x=alt.value(_expr(at)), y=alt.value(middle), text=f"{side}:N")
        for side, angle, at in (("left", 270, "-64"), ("right", 90, "width + 68"))
    ]


def _full() -> dict[str, Any]:
    """The full height of the chart."""
    return {"y": alt.value(0), "y2": alt.value(alt.ExprRef(expr="height"))}


def _chart(name: str) -> alt.Chart:
    return alt.Chart(alt.NamedData(name))


def _leverage_colours(theme: Theme) -> alt.Scale:
    colours = [*theme.longs, *theme.shorts]
    return alt.Scale(domain=list(range(len(colours))), range=colours)


def _x(field: str = "low") -> alt.X:
    """Price axis; each tick has the distance from the mark on a second line."""
    return alt.X(
        f"{field}:Q",
        scale=alt.Scale(domain=[_expr("low"), _expr("high")], nice=False, zero=False),
        axis=alt.Axis(
            title=None,
            grid=False,
            tickCount=_expr("count"),
            labelExpr=f"[{price('datum.value')}, {distance('datum.value')}]",
            labelFlush=False,
            labelPadding=5,
        ),
    )


def _usd_axis(field: str, orient: Literal["left", "right"]) -> alt.Y:
    """A USD axis that ends below the strip of labels."""
    top = "top" if orient == "left" else "total"
    return alt.Y(
        f"{field}:Q",
        scale=alt.Scale(domain=[0, _expr(top)], nice=False),
        axis=alt.Axis(
            title=None,
            orient=orient,
            values=_expr(orient),
            labelExpr=usd("datum.value"),
            grid=orient == "left",
            domain=False,
            ticks=False,
            labelPadding=6,
        ),
    )


def _expr(text: str) -> alt.ExprRef:
    return alt.ExprRef(expr=text)
