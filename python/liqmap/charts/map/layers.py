"""The layers of a map's chart: the same text for every map, so that no expression can be made from data.

What differs from map to map enters as rows, under the names of :mod:`liqmap.charts.map.rows`, or as a parameter:
``mark``; ``low`` and ``high``, the ends of the price axis; ``count``, its ticks, and ``digits``, their decimals;
``top`` and ``total``, the tops of the left and right axes; ``left`` and ``right``, their ticks; ``strip``, the height
of the strip of labels; ``show_0`` … ``show_3``, whether a leverage group is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from liqmap._base.lazy_import import lazy_import
from liqmap.maps.display_bars import GROUPS

if TYPE_CHECKING:
    import altair as alt

    from liqmap.charts.theme import Theme

if not TYPE_CHECKING:
    alt = lazy_import("altair")

__all__ = ["assumed_zones", "clusters", "cumulative_lines", "hover", "mark", "notional_bars", "observed_bars", "titles"]

# Vega writes k and G for a thousand and a thousand million; readers of markets write K and B.
_USD = "replace(replace(format({0}, '$.3~s'), 'G', 'B'), 'k', 'K')"
_PRICE = "format({0}, ',.' + digits + 'f')"
_PERCENT = "format(100 * ({0} / mark - 1), '+.1f') + ' %'"

# Pixels below the top of the frame, on the left axis: they hold their place when the axis changes.
_PIXELS_BELOW_TOP = "top * (1 - ({0}) / height)"


def assumed_zones(theme: Theme) -> list[alt.Chart]:
    """A wash over the prices where the assumed leverage decides, and where there is room the words that say so."""
    zones = _chart("assumed").transform_calculate(left="max(datum.low, low)", right="min(datum.high, high)")
    wash = zones.mark_rect(clip=True, color=theme.ink, opacity=0.045).encode(x=_x("low"), x2="high:Q", **_full())
    words = zones.transform_calculate(middle="(datum.left + datum.right) / 2").transform_filter(
        "(datum.right - datum.left) / (high - low) * width > 140"
    )
    text = words.mark_text(clip=True, baseline="top", fontSize=11, color=theme.quiet).encode(
        x=_x("middle"), y=alt.value(4), text="text:N"
    )
    return [wash, text]


def notional_bars(theme: Theme, *, legend: bool, pick: bool) -> alt.Chart:
    """The stacked bars. A layer is ``4 · side + group``; the stack is worked out after groups are hidden."""
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
    """An unseen column over each bar: it answers for all its leverage groups at once, however thin they are."""
    inside = alt.selection_point(name="hover", on="pointerover", clear="pointerout", empty=False, fields=["low"])
    groups = [(GROUPS[group], f"text_{group}", f"datum.group_{group}") for group in reversed(range(len(GROUPS)))]
    chart: alt.Chart = (
        _chart("columns")
        .transform_calculate(
            price=f"{_PRICE.format('datum.low')} + '–' + {_PRICE.format('datum.high')}",
            distance=_PERCENT.format("(datum.low + datum.high) / 2"),
            here=_USD.format("datum.all"),
            there=_USD.format("datum.sum"),
            **{text: _USD.format(field) for _, text, field in groups},
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
                alt.Tooltip("there:N", title="all the way here"),
            ],
        )
        .add_params(inside)
    )
    if not pick:
        return chart
    # All selections sit on one layer: over two, Altair lifts each of them twice.
    wheel = "wheel![event.ctrlKey || event.metaKey]"
    picking: alt.Chart = chart.add_params(
        alt.selection_interval(name="zoom", bind="scales", encodings=["x"], zoom=wheel),
        alt.selection_point(name="picked", fields=["layer"], bind="legend", toggle="true"),
    )
    return picking


def observed_bars(theme: Theme) -> alt.Chart:
    """The core of each bar that was observed, from the ground up: the rest of the bar is modelled."""
    chart: alt.Chart = (
        _chart("seen")
        .transform_calculate(ground="0")
        .mark_bar(clip=True, color=theme.ink)
        .encode(x=_x(), x2="high:Q", y=_usd_axis("ground", "left"), y2="usd:Q")
    )
    return chart


def clusters(theme: Theme) -> list[alt.Chart]:
    """The strip above the bars: basins as lines, the thicker the higher the band; the largest named, with leaders."""
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
    # Labels are placed for the first view; further out they would run into each other.
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
    """The mark price: a rule from top to bottom and its figure."""
    at = _chart("mark").encode(x=_x("at"))
    return [
        at.mark_rule(clip=True, color=theme.ink).encode(y=alt.value(18), y2=_full()["y2"]),
        at.mark_text(clip=True, baseline="top", fontWeight=600, color=theme.ink).encode(y=alt.value(2), text="text:N"),
    ]


def cumulative_lines(theme: Theme) -> alt.LayerChart:
    """What would be liquidated between the mark and each price, as a line per side with its sum at the end."""
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
    # Where a line leaves the view: the furthest point of it that is seen. Rows keep eight figures, a view keeps all.
    ends = (
        _chart("sums")
        .transform_filter("datum.at > low - 1e-7 * mark && datum.at < high + 1e-7 * mark")
        .transform_aggregate(first="min(at)", last="max(at)", sum="max(sum)", groupby=["side"])
        .transform_filter("datum.sum > 0")
        .transform_calculate(
            at="datum.side == 'longs' ? datum.first : datum.last",
            text=_USD.format("datum.sum") + " + ' of ' + datum.side",
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
    """What the vertical axes count, where there is room for the words."""
    middle = _expr("height * 0.6")
    return [
        _chart("titles")
        .mark_text(angle=angle, color=theme.quiet, clip=False)
        .encode(x=alt.value(_expr(at)), y=alt.value(middle), text=f"{side}:N")
        for side, angle, at in (("left", 270, "-64"), ("right", 90, "width + 68"))
    ]


def _full() -> dict[str, Any]:
    """From the top of the frame to its bottom."""
    return {"y": alt.value(0), "y2": alt.value(alt.ExprRef(expr="height"))}


def _chart(name: str) -> alt.Chart:
    return alt.Chart(alt.NamedData(name))


def _leverage_colours(theme: Theme) -> alt.Scale:
    colours = [*theme.longs, *theme.shorts]
    return alt.Scale(domain=list(range(len(colours))), range=colours)


def _x(field: str = "low") -> alt.X:
    """Price; each tick says its distance from the mark on a second line."""
    return alt.X(
        f"{field}:Q",
        scale=alt.Scale(domain=[_expr("low"), _expr("high")], nice=False, zero=False),
        axis=alt.Axis(
            title=None,
            grid=False,
            tickCount=_expr("count"),
            labelExpr=f"[{_PRICE.format('datum.value')}, {_PERCENT.format('datum.value')}]",
            labelFlush=False,
            labelPadding=5,
        ),
    )


def _usd_axis(field: str, orient: Literal["left", "right"]) -> alt.Y:
    """A dollar axis that stops where the strip of labels begins."""
    top = "top" if orient == "left" else "total"
    return alt.Y(
        f"{field}:Q",
        scale=alt.Scale(domain=[0, _expr(top)], nice=False),
        axis=alt.Axis(
            title=None,
            orient=orient,
            values=_expr(orient),
            labelExpr=_USD.format("datum.value"),
            grid=orient == "left",
            domain=False,
            ticks=False,
            labelPadding=6,
        ),
    )


def _expr(text: str) -> alt.ExprRef:
    return alt.ExprRef(expr=text)
