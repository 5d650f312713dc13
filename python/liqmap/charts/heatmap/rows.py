"""The rows behind each layer of a heatmap's chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.number_format import percent, price, usd
from liqmap.charts.palette import shades
from liqmap.charts.png import data_url, encode_png
from liqmap.charts.theme import DARK, LIGHT
from liqmap.charts.vega_data import Row, plain_rows, with_gap

if TYPE_CHECKING:
    from collections.abc import Iterable

    from liqmap.charts.heatmap.layout import HeatmapLayout

__all__ = ["datasets", "palettes", "price_labels"]

_MAX_LABELS = 10
_MAX_RINGS = 160
_MS = 1000


def datasets(scene: HeatmapLayout, *, everything: bool) -> dict[str, list[Row]]:
    """Rows by the name of their layer; ``everything``, or only what the first view shows.

    Raises:
        InputError: The heatmap holds NaN or an infinity.
    """
    first = 0 if everything else scene.first
    values: dict[str, list[Row]] = {
        "path": _path(scene, first),
        "now": _latest_bars(scene),
        "pictures": _pictures(scene, first),
        "rings": _rings(scene, first),
        "names": _cluster_labels(scene),
        "tracks": _tracks(scene),
        "sweeps": _sweeps(scene),
        "last": [{"t": scene.end // _MS, "p": float(scene.heat.close[-1]), "text": _price(scene)}],
    }
    return {name: plain_rows(f"heatmap/{name}", value) for name, value in values.items()}


def _since(scene: HeatmapLayout, first: int) -> int:
    return scene.parts[first].start


def _pictures(scene: HeatmapLayout, first: int) -> list[Row]:
    """Coarse ones first: finer ones lie over them."""
    found: list[Row] = []
    for part in scene.parts[first:]:
        light, dark = (data_url(drawn) for drawn in encode_png(part.indices(scene.scale), *palettes()))
        box = {"t": part.start // _MS, "t2": part.end // _MS, "p": scene.rows.low, "p2": scene.rows.high}
        found.append({**box, "light": light, "dark": dark})
    return found


def palettes() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Light and dark: nothing, then the shades of longs, then those of shorts."""
    light, dark = ((theme.paper, *(colour for side in shades(theme) for colour in side)) for theme in (LIGHT, DARK))
    return light, dark


def _path(scene: HeatmapLayout, first: int) -> list[Row]:
    """The price once per range, in that range's columns: only one of them is drawn."""
    found: list[Row] = []
    heat = scene.heat
    for number, part in enumerate(scene.parts):
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


def _latest_bars(scene: HeatmapLayout) -> list[Row]:
    """What stands at the end, as bars beside the picture: length tells more exactly than a shade."""
    last, edges = scene.parts[-1].usd[-1], scene.rows.edges()
    inside = (edges[1:] > scene.view[0]) & (edges[:-1] < scene.view[1])
    top = float(last[inside].max(initial=1.0))
    inset = scene.rows.step * 0.08
    return [
        {
            "p": float(edges[i]) + inset,
            "p2": float(edges[i + 1]) - inset,
            "share": round(min(float(last[i]) / top, 1.0), 4),
            "side": int(scene.parts[-1].short[-1, i]),
        }
        for i in np.flatnonzero(last >= top / 400)
    ]


def _rings(scene: HeatmapLayout, first: int) -> list[Row]:
    """The largest hours of realised liquidations, at the price's end that set them off."""
    if scene.realised is None:
        return []
    heat, real = scene.heat, scene.realised
    hour = 3_600_000_000
    inside = np.flatnonzero((real.start >= _since(scene, first)) & (real.start + hour <= scene.end))
    order = sorted(((float(real.usd[i, k]), int(i), k) for i in inside for k in (0, 1)), reverse=True)[:_MAX_RINGS]
    found: list[Row] = []
    for size, i, k in order:
        begin = int(real.start[i])
        seen = slice(
            int(np.searchsorted(heat.at, begin, side="right")), int(np.searchsorted(heat.at, begin + hour)) + 1
        )
        if size < 1 or not heat.at[seen].size:
            continue
        at = float(heat.high[seen].max() if k else heat.low[seen].min())
        found.append({"t": (begin + hour // 2) // _MS, "p": at, "usd": round(size), "side": k})
    return found


def _tracks(scene: HeatmapLayout) -> list[Row]:
    """Each cluster as a line through its peaks; one that was swept runs on to where it was gone."""
    found: list[Row] = []
    for one in scene.lives:
        line: list[Row] = [
            {"track": one.track.number, "t": step.at // _MS, "p": step.peak}
            for step in one.track.steps
            if step.notional > 0
        ]
        if one.end == "swept":
            line.append({**line[-1], "t": one.until // _MS})
        found += with_gap(line, "p")
    return found


def _sweeps(scene: HeatmapLayout) -> list[Row]:
    return [{"t": one.until // _MS, "p": one.last.peak} for one in scene.lives if one.end == "swept"]


def _cluster_labels(scene: HeatmapLayout) -> list[Row]:
    """The clusters that stand now."""
    near = [c for c in scene.clusters if scene.view[0] <= c.peak <= scene.view[1]]
    largest = sorted(near or scene.clusters, key=lambda c: (-c.notional, c.peak))[:_MAX_LABELS]
    texts = [(c.peak, f"{usd(c.notional)}  {percent(c.distance, signed=True)}", usd(c.notional)) for c in largest]
    return price_labels(texts, float(scene.heat.close[-1]), scene.tick)


def price_labels(texts: Iterable[tuple[float, str, str]], last: float, tick: float) -> list[Row]:
    """Labels of prices, the most important first: each a price, a second line, and that in short.

    ``room`` is how far, in price, a more important label is away, the last price's among them.
    """
    found: list[Row] = []
    taken = [last]
    for at, tail, short in texts:
        room = min(abs(at - other) for other in taken)
        taken.append(at)
        found.append({"p": at, "room": room, "head": price(at, tick), "tail": tail, "short": short})
    return found


def _price(scene: HeatmapLayout) -> str:
    return price(float(scene.heat.close[-1]), scene.tick)
