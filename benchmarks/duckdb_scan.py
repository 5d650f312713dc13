"""Positions in a DuckDB table or Parquet files to a map: time relative to DuckDB's own scan and binning, and memory.

`python -m benchmarks.duckdb_scan DIR [ROWS]` writes Parquet files with that many rows (default 200 million) to DIR and
maps a tenth of the files, then all of them, each in a separate process whose peak memory it prints.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb

import liqmap
from benchmarks.timing import best, table

ROWS = 20_000_000
BRACKETS = 10
THREADS = 2
FILES = 20
ROW_GROUP = 122_880
COLUMNS = "price, notional, side, bracket"
# Rows of one Arrow batch: they stay in the cache of one core until they are binned.
BATCH = 1 << 16

POSITIONS = """
    SELECT 80000 + 8000 * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) AS price,
        -1e4 * ln(1 - random()) AS notional,
        if(random() < 0.5, 1, -1)::TINYINT AS side,
        floor(random() * 10)::UTINYINT AS bracket
    FROM range({rows})"""


def grid() -> liqmap.Grid:
    return liqmap.Grid.between(30_000, 130_000, 50, tick=0.1)


def binned(db: duckdb.DuckDBPyConnection, parts: list[str]) -> liqmap.Histogram:
    """Stream and bin each part (a FROM clause) on its own thread, and add the parts of the map."""

    def one(part: str) -> liqmap.Histogram:
        reader = db.cursor().execute(f"SELECT {COLUMNS} FROM {part}").to_arrow_reader(BATCH)  # noqa: S608
        return liqmap.histogram(reader, grid(), brackets=BRACKETS)

    # DuckDB's own threads would only pass batches on to these threads.
    db.execute("SET threads = 1")
    with ThreadPoolExecutor(THREADS) as pool:
        first, *others = pool.map(one, parts)
    db.execute(f"SET threads = {THREADS}")
    return sum(others, first)


def from_table(folder: Path) -> None:
    db = duckdb.connect(folder / "positions.duckdb", config={"threads": THREADS})
    db.execute(f"CREATE TABLE positions AS {POSITIONS.format(rows=ROWS)}")
    db.execute("CHECKPOINT")
    half = ROWS // 2 // ROW_GROUP * ROW_GROUP
    halves = [f"positions WHERE rowid < {half}", f"positions WHERE rowid >= {half}"]
    g = grid()
    sums = "SELECT sum(price), sum(notional), sum(side), sum(bracket) FROM positions"
    group = f"((side < 0)::INT * {BRACKETS} + bracket) * {g.bins} + ((price - {g.low}) / {g.width})::INT"
    cells = f"SELECT {group} AS cell, sum(notional) FROM positions GROUP BY cell"  # noqa: S608
    export = f"SELECT {COLUMNS} FROM positions"  # noqa: S608
    peers = {
        "liqmap, 2 streams": lambda: binned(db, halves),
        "liqmap, 1 stream": lambda: liqmap.histogram(db.sql(export), g, brackets=BRACKETS),
        "duckdb, sums of the columns": lambda: db.execute(sums).fetchall(),
        "duckdb, export to Arrow, discarded": lambda: list(map(len, db.execute(export).to_arrow_reader(BATCH))),
        "duckdb, GROUP BY bin": lambda: db.execute(cells).fetchnumpy(),
    }
    seconds = best(peers, runs=5)
    table(seconds, ROWS, "rows")
    two_streams, _, sums_s, _, sql = seconds.values()
    for name, own, scan, binning in zip(("wall time", "processor time"), two_streams, sums_s, sql, strict=True):
        print(
            f"{name}: {scan / own:.2f} of the speed of a summing scan, {binning / own:.1f} times that of binning in SQL"
        )


def from_parquet(folder: Path, rows: int) -> None:
    db = duckdb.connect(config={"threads": THREADS})
    for i in range(FILES):
        db.execute(f"COPY ({POSITIONS.format(rows=rows // FILES)}) TO '{folder / f'{i:02}.parquet'}'")
    print(f"{'rows':>14}{'s':>8}{'M rows/s':>10}{'peak MB':>10}")
    for files in (FILES // 10, FILES):
        subprocess.run([sys.executable, "-m", "benchmarks.duckdb_scan", "--map", str(folder), str(files)], check=True)  # noqa: S603


def map_files(folder: Path, files: int) -> None:
    db = duckdb.connect()
    start = time.perf_counter()
    names = sorted(folder.glob("*.parquet"))[:files]
    h = binned(db, [f"read_parquet({[str(name) for name in names[part::THREADS]]})" for part in range(THREADS)])
    seconds = time.perf_counter() - start
    rows = h.accepted + h.rejected
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{rows:>14,}{seconds:>8.2f}{rows / seconds / 1e6:>10.1f}{peak:>10.0f}")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        from_table(Path(folder))


if __name__ == "__main__":
    if sys.argv[1] == "--map":
        map_files(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        from_parquet(Path(sys.argv[1]), int(*sys.argv[2:3]) or 200_000_000)
