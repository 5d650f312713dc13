"""Binning of levels by side and bracket, compared with common libraries; only liqmap checks the values."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import boost_histogram as bh
import duckdb
import numba
import numpy as np
import polars as pl
import pyarrow as pa
from fast_histogram import histogram1d

import liqmap
from benchmarks.timing import best, table

LEVELS = 20_000_000
BRACKETS = 10
THREADS = 2


@numba.njit(parallel=True, fastmath=True)
def numba_cells(price, notional, side, bracket, low, bins_per_unit, bins):  # noqa: ANN001, ANN201 - compiled
    """One histogram per thread, then their sum."""
    parts = np.zeros((THREADS, 2 * BRACKETS * bins))
    rows = len(price) // THREADS + 1
    for part in numba.prange(THREADS):
        for i in range(part * rows, min((part + 1) * rows, len(price))):
            index = min(max(int((price[i] - low) * bins_per_unit), 0), bins - 1)
            parts[part, ((side[i] < 0) * BRACKETS + bracket[i]) * bins + index] += notional[i]
    return parts.sum(axis=0)


def main(levels: int = LEVELS) -> None:
    numba.set_num_threads(THREADS)
    rng = np.random.default_rng(1)
    price = rng.normal(80_000, 8_000, levels)
    notional = rng.exponential(1e4, levels)
    side = rng.choice(np.array([1, -1], dtype=np.int8), levels)
    bracket = rng.integers(0, BRACKETS, levels).astype(np.uint8)
    grid = liqmap.Grid.between(30_000, 130_000, 50, tick=0.1)
    low, width, bins = grid.low, grid.width, grid.bins
    arrow = pa.table({"price": price, "notional": notional, "side": side, "bracket": bracket})
    frame = pl.from_arrow(arrow)
    db = duckdb.connect(config={"threads": THREADS})
    db.execute("CREATE TABLE levels AS FROM arrow")
    pool = ThreadPoolExecutor(THREADS)
    # One-byte columns are summed as 8-byte integers, because numpy is slow at narrow ones and the peer measures memory.
    buffers = [price, notional, *(column[: levels // 8 * 8].view(np.int64) for column in (side, bracket))]

    def read(part: int) -> list[float]:
        return [b[part * len(b) // THREADS : (part + 1) * len(b) // THREADS].sum() for b in buffers]

    def cells() -> np.ndarray:
        index = ((price - low) * (1 / width)).astype(np.int64)
        np.clip(index, 0, bins - 1, out=index)
        return ((side < 0) * BRACKETS + bracket) * bins + index

    bin_of = ((pl.col("price") - low) * (1 / width)).cast(pl.Int32)
    cell = ((pl.col("side") < 0).cast(pl.Int32) * BRACKETS + pl.col("bracket").cast(pl.Int32)) * bins + bin_of
    sql = f"""SELECT (((side < 0)::INT * {BRACKETS} + bracket) * {bins} + ((price - {low}) / {width})::INT) AS cell,
              sum(notional) FROM levels GROUP BY cell"""  # noqa: S608 - our own numbers
    axes = [bh.axis.Boolean(), bh.axis.Integer(0, BRACKETS), bh.axis.Regular(bins, low, low + bins * width)]
    flags = side < 0
    weights = {"weight": notional, "threads": THREADS}

    peers = {
        "liqmap.histogram (every value checked)": lambda: liqmap.histogram(arrow, grid, brackets=BRACKETS),
        "reading the same columns, 2 threads": lambda: list(pool.map(read, range(THREADS))),
        "numba, 2 threads": lambda: numba_cells(price, notional, side, bracket, low, 1 / width, bins),
        "boost-histogram, 2 threads": lambda: bh.Histogram(*axes).fill(flags, bracket, price, **weights),
        "fast-histogram (no side, no bracket)": lambda: histogram1d(
            price, bins, (low, low + bins * width), weights=notional
        ),
        "numpy.bincount": lambda: np.bincount(cells(), notional, 2 * BRACKETS * bins),
        "numpy.histogram (no side, no bracket)": lambda: np.histogram(
            price, bins, (low, low + bins * width), weights=notional
        ),
        "polars group_by": lambda: frame.lazy().group_by(cell.alias("cell")).agg(pl.col("notional").sum()).collect(),
        "duckdb GROUP BY": lambda: db.execute(sql).fetchnumpy(),
    }
    seconds = best(peers)
    table(seconds, levels, "levels")
    liqmap_s, reading = list(seconds.values())[:2]
    wall, processor = reading.clock / liqmap_s.clock, reading.processor / liqmap_s.processor
    print(f"liqmap bins at {wall:.2f} of the read speed in wall time, {processor:.2f} in processor time")
