"""The names of the pages of an instrument, in the order in which they are listed."""

from __future__ import annotations

__all__ = ["PAGE_NAMES"]

PAGE_NAMES = ("map", "heatmap", "evolution", "cascade", "levels", "basis", "scorecard", "data")
