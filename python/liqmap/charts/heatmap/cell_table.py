"""The cells of a heatmap chart as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import arro3.core as arro3
import numpy as np

if TYPE_CHECKING:
    from liqmap.charts.heatmap.layout import HeatmapLayout

__all__ = ["cells_table"]


def cells_table(layout: HeatmapLayout) -> arro3.Table:
    """One row per filled cell of the first view: ``at_us, price_low, price_high, side, notional_usd``.

    ``side`` is 1 for longs and −1 for shorts; a cell with positions of both sides has the side with more notional.
    """
    block, edges = layout.parts[layout.first], layout.rows.edges()
    column, row = np.nonzero(block.usd >= 1)
    return arro3.Table.from_pydict(
        {
            "at_us": arro3.Array.from_numpy(block.start + block.step * column.astype(np.int64)),
            "price_low": arro3.Array.from_numpy(edges[row]),
            "price_high": arro3.Array.from_numpy(edges[row + 1]),
            "side": arro3.Array.from_numpy(np.where(block.short[column, row], -1, 1).astype(np.int8)),
            "notional_usd": arro3.Array.from_numpy(np.rint(block.usd[column, row]).astype(np.int64)),
        }
    )
