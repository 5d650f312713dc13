"""The small map of the front page, as at most eight SVG paths without axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from liqmap.maps.display_bars import GROUPS, display_bars, first_view

if TYPE_CHECKING:
    from collections.abc import Iterable

    from liqmap.maps.clusters import Cluster
    from liqmap.maps.map import LiquidationMap

__all__ = ["HEIGHT", "WIDTH", "ClusterLabel", "Thumbnail", "thumbnail"]

WIDTH, HEIGHT = 1000, 100
_MAX_BARS = 110
_EDGE_MARGIN = 8.0  # per cent of the width within which centred text would overflow a phone's screen


@dataclass(frozen=True, slots=True)
class ClusterLabel:
    """A cluster label above the small map; positions in per cent of the width.

    Attributes:
        text: Anchor position of the text; ``anchor`` keeps it inside the map near the edges.
        low: Left end of the cluster.
        high: Right end of the cluster.
    """

    cluster: Cluster
    text: float
    anchor: Literal["start", "middle", "end"]
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """SVG path data in a ``WIDTH × HEIGHT`` box, scaled to the page width.

    Attributes:
        paths: CSS class of the colour → path data: ``longs-0`` … ``shorts-3``, without empty paths.
        mark: Horizontal position of the mark price in the box.
        low: Price at the left edge.
        high: Price at the right edge.
        labels: Labels of the headline clusters.
    """

    paths: dict[str, str]
    mark: float
    low: float
    high: float
    labels: tuple[ClusterLabel, ...]


def thumbnail(of: LiquidationMap, labelled: Iterable[Cluster]) -> Thumbnail:
    """Draw a small map with the bars, range and colours of the large chart and labels of some clusters."""
    shown = display_bars(of, most=_MAX_BARS)
    low, high = first_view(of)
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
    labels = tuple(_cluster_label(cluster, low, high) for cluster in labelled if low <= cluster.peak <= high)
    return Thumbnail(paths, (of.mark_price - low) / (high - low) * WIDTH, low, high, labels)


def _cluster_label(cluster: Cluster, low: float, high: float) -> ClusterLabel:
    def place(price: float) -> float:
        return min(max((price - low) / (high - low) * 100, 0.0), 100.0)

    at = place(cluster.peak)
    anchor: Literal["start", "middle", "end"] = (
        "start" if at < _EDGE_MARGIN else "end" if at > 100 - _EDGE_MARGIN else "middle"
    )
    text = 0.0 if anchor == "start" else 100.0 if anchor == "end" else at
    return ClusterLabel(cluster, text, anchor, place(cluster.low), place(cluster.high))
