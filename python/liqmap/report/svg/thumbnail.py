"""The small map of a card: eight paths, drawn by hand since a card needs no axes and a site has many of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from liqmap.maps.display_bars import GROUPS, bars, window

if TYPE_CHECKING:
    from collections.abc import Iterable

    from liqmap.maps.clusters import Cluster
    from liqmap.maps.map import LiquidationMap

__all__ = ["HEIGHT", "WIDTH", "ClusterLabel", "Thumbnail", "thumbnail"]

WIDTH, HEIGHT = 1000, 100
_MAX_BARS = 110
_EDGE_MARGIN = 8.0  # per cent of the width within which a centred text would leave a phone's screen


@dataclass(frozen=True, slots=True)
class ClusterLabel:
    """A cluster named over the small map; places in per cent of its width.

    Attributes:
        text: Where the text is anchored; ``anchor`` keeps it inside near the edges.
        low: Left end of the basin.
        high: Right end.
    """

    cluster: Cluster
    text: float
    anchor: Literal["start", "middle", "end"]
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """Path data on a ``WIDTH × HEIGHT`` box, to be stretched.

    Attributes:
        paths: CSS name of the colour → ``d``: ``longs-0`` … ``shorts-3``; empty ones left out.
        mark: Where the mark lies, in units of the box.
        low: Price at the left edge.
        high: Price at the right edge.
        names: The clusters of the headline.
    """

    paths: dict[str, str]
    mark: float
    low: float
    high: float
    names: tuple[ClusterLabel, ...]


def thumbnail(of: LiquidationMap, named: Iterable[Cluster]) -> Thumbnail:
    """Draw a map small: the same bars, range and colours as the large chart, and the names of some clusters."""
    shown = bars(of, most=_MAX_BARS)
    low, high = window(of)
    inside = (shown.high > low) & (shown.low < high)
    tallest = float((shown.long + shown.short).sum(axis=0)[inside].max(initial=0.0)) or 1.0
    left = (np.maximum(shown.low, low) - low) / (high - low) * WIDTH
    width = (np.minimum(shown.high, high) - low) / (high - low) * WIDTH - left
    floor = np.zeros(len(left))
    paths = {}
    for side, stack in (("shorts", shown.short), ("longs", shown.long)):
        for group in reversed(range(len(GROUPS))):
            rise = stack[group] / tallest * HEIGHT
            seen = np.flatnonzero(inside & (rise > HEIGHT / 1000))
            path = "".join(
                f"M{left[i]:.1f} {HEIGHT - floor[i]:.1f}h{width[i] * 0.86:.1f}v{-rise[i]:.1f}h{-width[i] * 0.86:.1f}z"
                for i in seen
            )
            floor += rise
            if path:
                paths[f"{side}-{group}"] = path
    names = tuple(_cluster_label(cluster, low, high) for cluster in named if low <= cluster.peak <= high)
    return Thumbnail(paths, (of.mark_price - low) / (high - low) * WIDTH, low, high, names)


def _cluster_label(cluster: Cluster, low: float, high: float) -> ClusterLabel:
    def place(price: float) -> float:
        return min(max((price - low) / (high - low) * 100, 0.0), 100.0)

    at = place(cluster.peak)
    anchor: Literal["start", "middle", "end"] = (
        "start" if at < _EDGE_MARGIN else "end" if at > 100 - _EDGE_MARGIN else "middle"
    )
    text = 0.0 if anchor == "start" else 100.0 if anchor == "end" else at
    return ClusterLabel(cluster, text, anchor, place(cluster.low), place(cluster.high))
