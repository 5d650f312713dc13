"""The rows behind each layer of a map's chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.number_format import percent, price, usd
from liqmap.charts.map.label_placement import place_labels
from liqmap.charts.vega_data import Row, plain_rows
from liqmap.maps.clusters import BANDS
from liqmap.maps.display_bars import GROUPS, IDENTIFIED_DISTANCE, reached

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from liqmap.charts.map.layout import MapLayout
    from liqmap.maps.clusters import Cluster

__all__ = ["bar_rows", "datasets", "label_rows"]


_CHARACTER_WIDTH = 6.4  # pixels of a digit at 12 px, on the wide side
_OBSERVED_INSET = 0.36  # of a bar's width on either side of its core
_CLOSER_VIEWS = (0.02, 0.05)  # of the mark: the closer views that a page offers
_BAR_INSET = 0.08  # of a bar's width, so that neighbours do not touch


def datasets(scene: MapLayout, *, everything: bool) -> dict[str, list[Row]]:
    """Rows by the name of their layer; ``everything``, or only what the first view shows.

    Raises:
        InputError: The map holds NaN or an infinity.
    """
    # Bars first: a number that cannot be drawn is told by the field it came in.
    drawn = np.ones(len(scene.bars.low), bool) if everything else _bars_in_view(scene)
    bars = plain_rows("map/bars", _bars(scene, drawn))
    clusters = scene.of.clusters()
    seen = [cluster for cluster in clusters if scene.low <= cluster.peak <= scene.high]
    others = {
        "assumed": _assumed(scene),
        "columns": _columns(scene, drawn) if everything else [],
        "seen": _observed_bars(scene, drawn),
        "basins": _basins(clusters if everything else seen),
        "names": _labels(scene, seen),
        "mark": _mark(scene),
        "sums": _cumulative_lines(scene),
        "titles": _titles(scene),
    }
    return {"bars": bars, **{name: plain_rows(f"map/{name}", values) for name, values in others.items()}}


def bar_rows(scene: MapLayout) -> dict[str, list[Row]]:
    """The rows of bars alone, and only of those in the scene's range: to take the place of coarser ones."""
    inside = _bars_in_view(scene)
    return {
        "bars": plain_rows("map/bars", _bars(scene, inside)),
        "columns": plain_rows("map/columns", _columns(scene, inside)),
        "seen": plain_rows("map/seen", _observed_bars(scene, inside)),
    }


def label_rows(scene: MapLayout) -> list[Row]:
    """The labels of the clusters in the scene's range."""
    seen = [cluster for cluster in scene.of.clusters() if scene.low <= cluster.peak <= scene.high]
    return plain_rows("map/names", _labels(scene, seen))


def _bars_in_view(scene: MapLayout) -> npt.NDArray[np.bool_]:
    return np.asarray((scene.bars.high > scene.low) & (scene.bars.low < scene.high))


def _assumed(scene: MapLayout) -> list[Row]:
    if scene.of.provenance.observed_share >= 1:
        return []
    near, far = scene.of.mark_price * (1 - IDENTIFIED_DISTANCE), scene.of.mark_price * (1 + IDENTIFIED_DISTANCE)
    zones = ((scene.of.grid.low, near), (far, scene.of.grid.high))
    return [{"low": low, "high": high, "text": "assumed leverage decides"} for low, high in zones if low < high]


def _bars(scene: MapLayout, inside: npt.NDArray[np.bool_]) -> list[Row]:
    shown, inset = scene.bars, scene.bars.step * _BAR_INSET
    return [
        {
            "low": float(shown.low[bar]) + inset,
            "high": float(shown.high[bar]) - inset,
            "layer": base + int(group),
            "usd": float(np.rint(side[group, bar])),
        }
        for base, side in ((0, shown.long), (len(GROUPS), shown.short))
        for group, bar in np.argwhere(~(np.abs(side) < 1) & inside)
    ]


def _observed_bars(scene: MapLayout, inside: npt.NDArray[np.bool_]) -> list[Row]:
    """The core of a bar: what of it was observed, down to what can be seen at all."""
    shown, inset = scene.bars, scene.bars.step * _OBSERVED_INSET
    return [
        {
            "low": float(shown.low[bar]) + inset,
            "high": float(shown.high[bar]) - inset,
            "usd": float(np.rint(shown.observed[bar])),
        }
        for bar in np.flatnonzero((shown.observed >= 1) & inside)
    ]


def _columns(scene: MapLayout, inside: npt.NDArray[np.bool_]) -> list[Row]:
    both = scene.bars.long + scene.bars.short
    return [
        {
            "low": float(scene.bars.low[bar]),
            "high": float(scene.bars.high[bar]),
            "all": round(float(both[:, bar].sum())),
            "sum": round(float(scene.bars.cumulative[bar])),
            **{f"group_{group}": round(float(both[group, bar])) for group in range(len(GROUPS))},
        }
        for bar in np.flatnonzero((both.sum(axis=0) >= 1) & inside)
    ]


def _basins(seen: Iterable[Cluster]) -> list[Row]:
    return [
        {
            "low": cluster.low,
            "high": cluster.high,
            "layer": (0 if cluster.side == "long" else len(GROUPS)) + BANDS.index(cluster.band),
            "thick": 2 * (1 + BANDS.index(cluster.band)),
        }
        for cluster in seen
    ]


def _labels(scene: MapLayout, seen: list[Cluster]) -> list[Row]:
    largest = _first_of_each_side(seen)[: scene.frame.labels]
    texts = [
        (price(cluster.peak, scene.of.grid.tick), f"{usd(cluster.notional)}  {percent(cluster.distance, signed=True)}")
        for cluster in largest
    ]
    wanted = [
        (scene.pixel(cluster.peak), _CHARACTER_WIDTH * max(len(head) + 1, len(tail)))
        for cluster, (head, tail) in zip(largest, texts, strict=True)
    ]
    values: list[Row] = []
    rule = scene.pixel(scene.of.mark_price)
    taken = [(rule - 4, rule + 4, row) for row in range(scene.frame.rows)]
    for label in place_labels(wanted, scene.frame.width, scene.frame.rows, taken):
        head, tail = texts[label.key]
        values.append(
            {
                "label": scene.price_at(label.x),
                "peak": largest[label.key].peak,
                "pixel": scene.frame.strip - 12 - scene.frame.row * (label.row + 1),
                "head": head,
                "tail": tail,
                "span": scene.high - scene.low,
            }
        )
    return values


def _first_of_each_side(seen: list[Cluster]) -> list[Cluster]:
    """By size, but the largest of either side before all others: a map with labels on one side only looks one-sided."""
    order = sorted(seen, key=lambda cluster: (-cluster.notional, cluster.peak))
    heads = {next(i for i, cluster in enumerate(order) if cluster.side == side) for side in {c.side for c in order}}
    return [order[i] for i in sorted(heads)] + [c for i, c in enumerate(order) if i not in heads]


def _mark(scene: MapLayout) -> list[Row]:
    text = f"mark {price(scene.of.mark_price, scene.of.grid.tick)}"
    return [{"at": scene.of.mark_price, "text": text}]


def _cumulative_lines(scene: MapLayout) -> list[Row]:
    """The lines from the mark outward, a point per bar; and where a view may end, what tables and words say of it."""
    mark = scene.of.mark_price
    ends = {scene.low, scene.high, *(mark * (1 + way * reach) for way in (-1, 1) for reach in _CLOSER_VIEWS)}
    inside = [end for end in ends if scene.of.grid.low < end < scene.of.grid.high]
    values: list[Row] = []
    for name, side, line in zip(("longs", "shorts"), (-1, 1), scene.bars.cumulative_by_side(), strict=True):
        points = {float(at): float(total) for at, total in zip(*line, strict=True)}
        points |= {end: reached(scene.of, end) for end in inside if (end - mark) * side > 0}
        values.append({"at": mark, "sum": 0, "side": name})
        values += [{"at": at, "sum": round(points[at]), "side": name} for at in sorted(points, reverse=side < 0)]
    return values


def _titles(scene: MapLayout) -> list[Row]:
    if not scene.frame.titles:
        return []
    return [{"left": "liquidated in each bar", "right": "liquidated from the mark to there"}]
