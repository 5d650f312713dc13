"""Rows of each layer of a map chart."""

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


_CHARACTER_WIDTH = 6.4  # upper estimate of the width of a digit at 12 px, pixels
_OBSERVED_INSET = 0.36  # share of a bar's width on either side of its observed part
_CLOSER_VIEWS = (0.02, 0.05)  # distances from the mark of the closer views of a page
_BAR_INSET = 0.08  # share of a bar's width, so that neighbours do not touch


def datasets(layout: MapLayout, *, everything: bool) -> dict[str, list[Row]]:
    """Rows by layer name; ``everything``, or only the first view.

    Raises:
        InputError: A value of the map is NaN or infinite.
    """
    # Bars first, so that the error for an invalid number names the field it comes from.
    drawn = np.ones(len(layout.bars.low), bool) if everything else _bars_in_view(layout)
    bars = plain_rows("map/bars", _bars(layout, drawn))
    clusters = layout.of.clusters()
    in_view = [cluster for cluster in clusters if layout.low <= cluster.peak <= layout.high]
    others = {
        "assumed": _assumed(layout),
        "columns": _columns(layout, drawn) if everything else [],
        "seen": _observed_bars(layout, drawn),
        "basins": _basins(clusters if everything else in_view),
        "names": _labels(layout, in_view),
        "mark": _mark(layout),
        "sums": _cumulative_lines(layout),
        "titles": _titles(layout),
    }
    return {"bars": bars, **{name: plain_rows(f"map/{name}", values) for name, values in others.items()}}


def bar_rows(layout: MapLayout) -> dict[str, list[Row]]:
    """Rows of the bars within the layout's range, which replace coarser ones."""
    inside = _bars_in_view(layout)
    return {
        "bars": plain_rows("map/bars", _bars(layout, inside)),
        "columns": plain_rows("map/columns", _columns(layout, inside)),
        "seen": plain_rows("map/seen", _observed_bars(layout, inside)),
    }


def label_rows(layout: MapLayout) -> list[Row]:
    """Labels of the clusters within the layout's range."""
    in_view = [cluster for cluster in layout.of.clusters() if layout.low <= cluster.peak <= layout.high]
    return plain_rows("map/names", _labels(layout, in_view))


def _bars_in_view(layout: MapLayout) -> npt.NDArray[np.bool_]:
    return np.asarray((layout.bars.high > layout.low) & (layout.bars.low < layout.high))


def _assumed(layout: MapLayout) -> list[Row]:
    if layout.of.provenance.observed_share >= 1:
        return []
    near, far = layout.of.mark_price * (1 - IDENTIFIED_DISTANCE), layout.of.mark_price * (1 + IDENTIFIED_DISTANCE)
    zones = ((layout.of.grid.low, near), (far, layout.of.grid.high))
    return [{"low": low, "high": high, "text": "assumed leverage"} for low, high in zones if low < high]


def _bars(layout: MapLayout, inside: npt.NDArray[np.bool_]) -> list[Row]:
    shown, inset = layout.bars, layout.bars.step * _BAR_INSET
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


def _observed_bars(layout: MapLayout, inside: npt.NDArray[np.bool_]) -> list[Row]:
    """The observed part of each bar, if it is at least 1 USD."""
    shown, inset = layout.bars, layout.bars.step * _OBSERVED_INSET
    return [
        {
            "low": float(shown.low[bar]) + inset,
            "high": float(shown.high[bar]) - inset,
            "usd": float(np.rint(shown.observed[bar])),
        }
        for bar in np.flatnonzero((shown.observed >= 1) & inside)
    ]


def _columns(layout: MapLayout, inside: npt.NDArray[np.bool_]) -> list[Row]:
    both = layout.bars.long + layout.bars.short
    return [
        {
            "low": float(layout.bars.low[bar]),
            "high": float(layout.bars.high[bar]),
            "all": round(float(both[:, bar].sum())),
            "sum": round(float(layout.bars.cumulative[bar])),
            **{f"group_{group}": round(float(both[group, bar])) for group in range(len(GROUPS))},
        }
        for bar in np.flatnonzero((both.sum(axis=0) >= 1) & inside)
    ]


def _basins(in_view: Iterable[Cluster]) -> list[Row]:
    return [
        {
            "low": cluster.low,
            "high": cluster.high,
            "layer": (0 if cluster.side == "long" else len(GROUPS)) + BANDS.index(cluster.band),
            "thick": 2 * (1 + BANDS.index(cluster.band)),
        }
        for cluster in in_view
    ]


def _labels(layout: MapLayout, in_view: list[Cluster]) -> list[Row]:
    largest = _first_of_each_side(in_view)[: layout.frame.labels]
    texts = [
        (price(cluster.peak, layout.of.grid.tick), f"{usd(cluster.notional)}  {percent(cluster.distance, signed=True)}")
        for cluster in largest
    ]
    wanted = [
        (layout.pixel(cluster.peak), _CHARACTER_WIDTH * max(len(head) + 1, len(tail)))
        for cluster, (head, tail) in zip(largest, texts, strict=True)
    ]
    values: list[Row] = []
    rule = layout.pixel(layout.of.mark_price)
    taken = [(rule - 4, rule + 4, row) for row in range(layout.frame.rows)]
    for label in place_labels(wanted, layout.frame.width, layout.frame.rows, taken):
        head, tail = texts[label.key]
        values.append(
            {
                "label": layout.price_at(label.x),
                "peak": largest[label.key].peak,
                "pixel": layout.frame.strip - 12 - layout.frame.row * (label.row + 1),
                "head": head,
                "tail": tail,
                "span": layout.high - layout.low,
            }
        )
    return values


def _first_of_each_side(in_view: list[Cluster]) -> list[Cluster]:
    """Clusters by size, with the largest of each side first, so that both sides get a label."""
    order = sorted(in_view, key=lambda cluster: (-cluster.notional, cluster.peak))
    heads = {next(i for i, cluster in enumerate(order) if cluster.side == side) for side in {c.side for c in order}}
    return [order[i] for i in sorted(heads)] + [c for i, c in enumerate(order) if i not in heads]


def _mark(layout: MapLayout) -> list[Row]:
    text = f"mark {price(layout.of.mark_price, layout.of.grid.tick)}"
    return [{"at": layout.of.mark_price, "text": text}]


def _cumulative_lines(layout: MapLayout) -> list[Row]:
    """Cumulative lines from the mark outward: a point per bar, and exact points at the ends of the views."""
    mark = layout.of.mark_price
    ends = {layout.low, layout.high, *(mark * (1 + way * reach) for way in (-1, 1) for reach in _CLOSER_VIEWS)}
    inside = [end for end in ends if layout.of.grid.low < end < layout.of.grid.high]
    values: list[Row] = []
    for name, side, line in zip(("longs", "shorts"), (-1, 1), layout.bars.cumulative_by_side(), strict=True):
        points = {float(at): float(total) for at, total in zip(*line, strict=True)}
        points |= {end: reached(layout.of, end) for end in inside if (end - mark) * side > 0}
        values.append({"at": mark, "sum": 0, "side": name})
        values += [{"at": at, "sum": round(points[at]), "side": name} for at in sorted(points, reverse=side < 0)]
    return values


def _titles(layout: MapLayout) -> list[Row]:
    if not layout.frame.titles:
        return []
    return [{"left": "liquidated in each bar", "right": "cumulative from the mark price"}]
