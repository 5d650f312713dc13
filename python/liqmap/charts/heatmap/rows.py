"""Rows of each layer of a heatmap chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.number_format import percent, price, usd
from liqmap.charts.png import data_url, encode_png
from liqmap.charts.shade_ramp import shades
from liqmap.charts.theme import DARK, LIGHT
from liqmap.charts.vega_data import Row, plain_rows, with_gap

if TYPE_CHECKING:
    from collections.abc import Iterable

    from liqmap.charts.heatmap.layout import HeatmapLayout

__all__ = ["datasets", "palettes", "price_labels"]

_MAX_LABELS = 10
_MAX_RINGS = 160
_MS = 1000


def datasets(layout: HeatmapLayout, *, everything: bool) -> dict[str, list[Row]]:
    """Rows by layer name; ``everything``, or only the first view.

    Raises:
        InputError: A value of the heatmap is NaN or infinite.
    """
    first = 0 if everything else layout.first
    values: dict[str, list[Row]] = {
        "path": _path(layout, first),
        "now": _latest_bars(layout),
        "pictures": _pictures(layout, first),
        "rings": _rings(layout, first),
        "names": _cluster_labels(layout),
        "tracks": _tracks(layout),
        "sweeps": _sweeps(layout),
        "last": [{"t": layout.end // _MS, "p": float(layout.heat.close[-1]), "text": _price(layout)}],
    }
    return {name: plain_rows(f"heatmap/{name}", value) for name, value in values.items()}


def _since(layout: HeatmapLayout, first: int) -> int:
    return layout.parts[first].start


def _pictures(layout: HeatmapLayout, first: int) -> list[Row]:
    """Images of the cells, coarse ones first, since finer ones are drawn over them."""
    found: list[Row] = []
    for part in layout.parts[first:]:
        light, dark = (data_url(drawn) for drawn in encode_png(part.indices(layout.scale), *palettes()))
        box = {"t": part.start // _MS, "t2": part.end // _MS, "p": layout.rows.low, "p2": layout.rows.high}
        found.append({**box, "light": light, "dark": dark})
    return found


def palettes() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Light and dark palette: paper for empty cells, then the shades of longs and of shorts."""
    light, dark = ((theme.paper, *(colour for side in shades(theme) for colour in side)) for theme in (LIGHT, DARK))
    return light, dark


def _path(layout: HeatmapLayout, first: int) -> list[Row]:
    """The price in the columns of each range; only one of the ranges is drawn."""
    found: list[Row] = []
    heat = layout.heat
    for number, part in enumerate(layout.parts):
        if number < first:
            continue
        keep = np.flatnonzero(np.isin(heat.at, np.arange(part.start, part.end, part.step)))
        begins = np.concatenate([keep[:1], keep[:-1] + 1])
        low = np.minimum.reduceat(heat.low[: keep[-1] + 1], begins)
        high = np.maximum.reduceat(heat.high[: keep[-1] + 1], begins)
        found += [
            {
                "part": number,
                "t": int(heat.at[i]) // _MS,
                "low": float(a),
                "high": float(b),
                "close": float(heat.close[i]),
            }
            for i, a, b in zip(keep, low, high, strict=True)
        ]
    return found


def _latest_bars(layout: HeatmapLayout) -> list[Row]:
    """The latest map as bars, since length is read more exactly than a shade."""
    last, edges = layout.parts[-1].usd[-1], layout.rows.edges()
    inside = (edges[1:] > layout.view[0]) & (edges[:-1] < layout.view[1])
    top = float(last[inside].max(initial=1.0))
    inset = layout.rows.step * 0.08
    return [
        {
            "p": float(edges[i]) + inset,
            "p2": float(edges[i + 1]) - inset,
            "share": round(min(float(last[i]) / top, 1.0), 4),
            "side": int(layout.parts[-1].short[-1, i]),
        }
        for i in np.flatnonzero(last >= top / 400)
    ]


def _rings(layout: HeatmapLayout, first: int) -> list[Row]:
    """The hours with the largest realised liquidations, at the low (longs) or high (shorts) of the hour."""
    if layout.realised is None:
        return []
    heat, realised = layout.heat, layout.realised
    hour = 3_600_000_000
    inside = np.flatnonzero((realised.start >= _since(layout, first)) & (realised.start + hour <= layout.end))
    largest_hours = sorted(((float(realised.usd[i, k]), int(i), k) for i in inside for k in (0, 1)), reverse=True)[
        :_MAX_RINGS
    ]
    found: list[Row] = []
    for size, i, k in largest_hours:
        begin = int(realised.start[i])
        columns = slice(
            int(np.searchsorted(heat.at, begin, side="right")), int(np.searchsorted(heat.at, begin + hour)) + 1
        )
        if size < 1 or not heat.at[columns].size:
            continue
        at = float(heat.high[columns].max() if k else heat.low[columns].min())
        found.append({"t": (begin + hour // 2) // _MS, "p": at, "usd": round(size), "side": k})
    return found


def _tracks(layout: HeatmapLayout) -> list[Row]:
    """Each track as a line through its peaks; a swept one extends to the time of the sweep."""
    found: list[Row] = []
    for one in layout.summaries:
        line: list[Row] = [
            {"track": one.track.number, "t": step.at // _MS, "p": step.peak}
            for step in one.track.steps
            if step.notional > 0
        ]
        if one.end == "swept":
            line.append({**line[-1], "t": one.until // _MS})
        found += with_gap(line, "p")
    return found


def _sweeps(layout: HeatmapLayout) -> list[Row]:
    return [{"t": one.until // _MS, "p": one.last.peak} for one in layout.summaries if one.end == "swept"]


def _cluster_labels(layout: HeatmapLayout) -> list[Row]:
    """Labels of the largest clusters of the latest map."""
    near = [c for c in layout.clusters if layout.view[0] <= c.peak <= layout.view[1]]
    largest = sorted(near or layout.clusters, key=lambda c: (-c.notional, c.peak))[:_MAX_LABELS]
    texts = [(c.peak, f"{usd(c.notional)}  {percent(c.distance, signed=True)}", usd(c.notional)) for c in largest]
    return price_labels(texts, float(layout.heat.close[-1]), layout.tick)


def price_labels(texts: Iterable[tuple[float, str, str]], last: float, tick: float) -> list[Row]:
    """Rows of price labels from ``(price, second line, short second line)``, the most important first.

    ``room`` is the distance, in price, to the nearest more important label, including that of the last price.
    """
    found: list[Row] = []
    taken = [last]
    for at, tail, short in texts:
        room = min(abs(at - other) for other in taken)
        taken.append(at)
        found.append({"p": at, "room": room, "head": price(at, tick), "tail": tail, "short": short})
    return found


def _price(layout: HeatmapLayout) -> str:
    return price(float(layout.heat.close[-1]), layout.tick)
