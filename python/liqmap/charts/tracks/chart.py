"""Altair chart of tracks: each cluster as a trail through time with its notional as width, and its start and end."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from liqmap._base.lazy_import import lazy_import
from liqmap._base.number_format import decimals, price, usd
from liqmap.charts.heatmap import layers
from liqmap.charts.heatmap.rows import price_labels
from liqmap.charts.spec_cache import cached_spec
from liqmap.charts.vega_data import Row, plain_rows, with_gap

if TYPE_CHECKING:
    import altair as alt

    from liqmap.charts.heatmap.layout import HeatmapSize
    from liqmap.charts.theme import Theme
    from liqmap.charts.tracks.layout import TracksLayout, TrackSummary

if not TYPE_CHECKING:
    alt = lazy_import("altair")

__all__ = ["track_data", "track_spec"]

_MAX_LABELS = 10
_MS = 1000
_NARROW_WIDTH = 300
_BAR = "M0,-1L0,1"


def track_spec(theme: Theme) -> dict[str, Any]:
    """The Vega-Lite specification without data, equal for all tracks and cached."""
    return dict(_specification(theme))


def track_data(layout: TracksLayout, frame: HeatmapSize) -> dict[str, Any]:
    """The data that tracks and a size add to :func:`track_spec`: size, parameters, rows.

    Raises:
        InputError: A value is NaN or infinite.
    """
    thick = frame.height / 26
    largest = max((one.largest for one in layout.shown), default=1.0)
    values = {
        "start": int(layout.of.at[0]) // _MS,
        "end": int(layout.of.at[-1]) // _MS,
        "low": layout.view[0],
        "high": layout.view[1],
        "digits": decimals(float(layout.path.close[-1]), layout.tick),
        "thick": thick / largest,
        "tight": frame.width < _NARROW_WIDTH,
        "part": 0,
        "now": 1,
    }
    layer_rows: dict[str, list[Row]] = {
        "trails": _trails(layout),
        "ends": _ends(layout),
        "path": _path(layout),
        "names": _names(layout),
        "last": [
            {"t": int(layout.of.at[-1]) // _MS, "p": float(layout.path.close[-1]), "text": _last_price(layout)},
        ],
    }
    return {
        # Space for a reader's font that is wider than the one measured here.
        "padding": {"left": 4, "right": 14, "top": 8, "bottom": 4},
        "width": frame.width,
        "height": frame.height,
        "params": [{"name": name, "value": value} for name, value in values.items()],
        "datasets": {name: plain_rows(f"tracks/{name}", value) for name, value in layer_rows.items()},
    }


@cache
def _specification(theme: Theme) -> dict[str, Any]:
    return cached_spec(f"tracks {theme}", lambda: dict(_build_chart(theme).to_dict()))


def _build_chart(theme: Theme) -> alt.LayerChart:
    parts = (_trail_layer(theme), *_end_layers(theme), *layers.path(theme), *layers.last(theme), *layers.names(theme))
    chart: alt.LayerChart = alt.layer(*parts).configure(**theme.altair())
    return chart


def _trail_layer(theme: Theme) -> alt.Chart:
    colours = alt.Scale(domain=[0, 1], range=[theme.longs[2], theme.shorts[2]])
    chart: alt.Chart = (
        alt.Chart(alt.NamedData("trails"))
        .transform_calculate(size="max(1, datum.usd * thick)")
        .mark_trail(clip=True, opacity=0.7, order=False)
        .encode(
            x=layers.time_axis("t"),
            y=layers.price_axis("p"),
            size=alt.Size("size:Q", scale=None, legend=None),
            color=alt.Color("side:O", scale=colours, legend=None),
        )
    )
    return chart


def _end_layers(theme: Theme) -> list[alt.Chart]:
    """Starts as dots, migrations as diamonds, sweeps as crosses and other ends as bars."""
    base = alt.Chart(alt.NamedData("ends")).encode(x=layers.time_axis("t"), y=layers.price_axis("p"))
    style: dict[str, Any] = {"clip": True, "opacity": 1, "stroke": theme.ink}
    return [
        base.transform_filter(f"datum.kind == '{kind}'").mark_point(**style, shape=shape, size=size, **more)
        for kind, shape, size, more in (
            ("born", "circle", 26, {"fill": theme.paper, "strokeWidth": 1.25}),
            ("moved", "diamond", 40, {"fill": theme.ink, "strokeWidth": 0}),
            ("dissolved", _BAR, 60, {"strokeWidth": 1.5}),
            ("swept", layers.CROSS, 40, {"strokeWidth": 1.75}),
        )
    ]


def _trails(layout: TracksLayout) -> list[Row]:
    """Each track at its peaks; a swept one extends to the time of the sweep."""
    found: list[Row] = []
    for one in layout.shown:
        steps = [step for step in one.track.steps if step.notional > 0]
        side = int(one.track.side == "short")
        row: list[Row] = [
            {"track": one.track.number, "t": s.at // _MS, "p": s.peak, "usd": s.notional, "side": side} for s in steps
        ]
        if one.end == "swept":
            row.append({**row[-1], "t": one.until // _MS})
        found += with_gap(row, "p")
    return found


def _ends(layout: TracksLayout) -> list[Row]:
    found: list[Row] = []
    for one in layout.shown:
        first, last = one.track.steps[0], one.last
        if one.known:
            found.append({"kind": "born", "t": first.at // _MS, "p": first.peak})
        found += [{"kind": "moved", "t": s.at // _MS, "p": s.peak} for s in one.track.steps if s.migrating]
        if one.end == "swept":
            found.append({"kind": "swept", "t": one.until // _MS, "p": last.peak})
        elif one.end != "stands":
            found.append({"kind": "dissolved", "t": last.at // _MS, "p": last.peak})
    return found


def _path(layout: TracksLayout) -> list[Row]:
    line = layout.line
    return [
        {"part": 0, "t": int(at) // _MS, "low": float(low), "high": float(high), "close": float(close)}
        for at, low, high, close in zip(line.at, line.low, line.high, line.close, strict=True)
    ]


def _names(layout: TracksLayout) -> list[Row]:
    """Labels of the largest open tracks."""
    now = sorted((one for one in layout.shown if one.end == "stands"), key=lambda one: -one.last.notional)[:_MAX_LABELS]
    texts = [(one.last.peak, _notional_change(one), usd(one.last.notional)) for one in now]
    return price_labels(texts, float(layout.path.close[-1]), layout.tick)


def _notional_change(one: TrackSummary) -> str:
    if one.known:
        return f"{usd(one.last.notional)}  {'new' if one.new else 'split off'}"
    return f"{usd(one.last.notional)}  {'+' if one.change > 0 else ''}{usd(one.change)}"


def _last_price(layout: TracksLayout) -> str:
    return price(float(layout.path.close[-1]), layout.tick)
