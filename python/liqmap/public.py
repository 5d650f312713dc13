"""``liqmap.open`` and ``History``: the stored file, with the verbs of the rooms above it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from liqmap.clock import InstantLike, duration, parse
from liqmap.history.store import Store
from liqmap.maps.build import build_map
from liqmap.maps.heatmap import build_heatmap
from liqmap.positions.recipe import DEFAULT, Recipe

if TYPE_CHECKING:
    from pathlib import Path

    from liqmap.grid import Grid
    from liqmap.maps.heatmap import Heatmap
    from liqmap.maps.map import LiquidationMap

__all__ = ["History", "open_history"]


class History(Store):
    """A market's history in one DuckDB file; use it in a ``with`` block.

    Loading and coverage come from :class:`liqmap.history.store.Store`.
    """

    def map(
        self, instrument: str, at: InstantLike | None = None, *, grid: Grid | None = None, recipe: Recipe = DEFAULT
    ) -> LiquidationMap:
        """The liquidation map of one instrument.

        Args:
            instrument: ``venue:SYMBOL``.
            at: As-of time; nothing later is used. The end of the last bar if left out.
            grid: Price axis; about 5 bp bins with an edge at the mark if left out.
            recipe: What is assumed about unseen positions.

        Raises:
            NotFoundError: The history does not have the instrument, or not at that time.
        """
        moment = None if at is None else parse(at, stage="map")
        return build_map(self, instrument, at=moment, grid=grid, recipe=recipe)

    def heatmap(
        self,
        instrument: str,
        start: InstantLike,
        end: InstantLike,
        step: str = "1h",
        *,
        recipe: Recipe = DEFAULT,
        groups: tuple[tuple[float, float], ...] | None = None,
    ) -> Heatmap:
        """Maps through time, from ``start`` to ``end`` every ``step`` (``5m``, ``1h``, ``1d``).

        Args:
            instrument: ``venue:SYMBOL``.
            start: First column.
            end: Last column at the latest.
            step: Time between columns, at least one bar.
            recipe: What is assumed about unseen positions.
            groups: Bracket groups as half-open ranges of leverage, such as ``((2, 10), (10, 1000))``.

        Raises:
            InputError: A span or step that makes no sense, or more than 20,000 columns.
            NotFoundError: The history does not have the instrument or that time.
        """
        return build_heatmap(
            self,
            instrument,
            start=parse(start, stage="heatmap"),
            end=parse(end, stage="heatmap"),
            step=duration(step, stage="heatmap"),
            recipe=recipe,
            groups=groups,
        )


def open_history(path: str | Path, mode: Literal["r", "w"] = "r") -> History:
    """Open a history file: ``r`` reads and never creates, ``w`` writes and creates it if it is not there.

    Raises:
        StorageError: The file is missing (``r``), held by another process, damaged, or of another version.
    """
    return History(path, mode)
