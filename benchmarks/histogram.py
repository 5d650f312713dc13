"""Levels into bins by side and bracket, beside what people use; the others without a check of any value."""

from __future__ import annotations

import importlib.util

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

import liqmap
from benchmarks.timing import best, table

LEVELS = 20_000_000
BRACKETS = 10


def main(levels: int = LEVELS) -> None:
    rng = np.random.default_rng(1)
    price = rng.normal(80_000, 8_000, levels)
    notional = rng.exponential(1e4, levels)
    side = rng.choice(np.array([1, -1], dtype=np.int8), levels)
    bracket = rng.integers(0, BRACKETS, levels).astype(np.uint8)
    grid = liqmap.Grid.between(30_000, 130_000, 50, tick=0.1)
    bins = grid.bins
    arrow = pa.table({"price": price, "notional": notional, "side": side, "bracket": bracket})
    frame = pl.from_arrow(arrow)
    db = duckdb.connect()
    db.register("levels", arrow)

    def cells() -> np.ndarray:
        index = ((price - grid.low) * (1 / grid.width)).astype(np.int64)
        np.clip(index, 0, bins - 1, out=index)
        return ((side < 0) * BRACKETS + bracket) * bins + index

    peers = {
        "liqmap.histogram (checked, exact)": lambda: liqmap.histogram(arrow, grid, brackets=BRACKETS),
        "reading the same columns (numpy sum)": lambda: (price.sum(), notional.sum(), side.sum(), bracket.sum()),
        "numpy.bincount": lambda: np.bincount(cells(), notional, 2 * BRACKETS * bins),
        "numpy.histogram (no side, no bracket)": lambda: np.histogram(
            price, bins, (grid.low, grid.high), weights=notional
        ),
        "polars group_by": lambda: frame.group_by(
            ((pl.col("price") - grid.low) / grid.width).floor().cast(pl.Int32), "side", "bracket"
        ).agg(pl.col("notional").sum()),
        "duckdb GROUP BY": lambda: db.execute(
            f"SELECT floor((price - {grid.low}) / {grid.width})::INT b, side, bracket, sum(notional) "  # noqa: S608
            "FROM levels GROUP BY ALL"
        ).fetchnumpy(),
    }
    if importlib.util.find_spec("boost_histogram"):
        import boost_histogram as bh  # noqa: PLC0415 - a peer that need not be there

        axis = bh.axis.Regular(bins, grid.low, grid.high)
        flags = bh.axis.Integer(0, 2 * BRACKETS)
        code = ((side < 0) * BRACKETS + bracket).astype(np.int32)
        peers["boost-histogram, 2 threads"] = lambda: bh.Histogram(flags, axis, storage=bh.storage.Double()).fill(
            code, price, weight=notional, threads=2
        )
    if importlib.util.find_spec("fast_histogram"):
        from fast_histogram import histogram1d  # noqa: PLC0415 - a peer that need not be there

        peers["fast-histogram (no side, no bracket)"] = lambda: histogram1d(
            price, bins, (grid.low, grid.high), weights=notional
        )
    table(best(peers, runs=3), levels, "levels")
