"""Names of the instrument pages, in navigation order."""

from __future__ import annotations

__all__ = ["PAGE_NAMES"]

PAGE_NAMES = ("map", "heatmap", "evolution", "cascade", "levels", "basis", "scorecard", "data")
