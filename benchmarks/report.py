"""Reports with all pages on one year of 5-minute bars: one issue from a cold start, and half a year of daily issues."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import liqmap
from benchmarks.cohort_engine import YEAR, bars

_COMMAND = "import sys; from liqmap.cli import main; sys.exit(main())"
_START = 1_748_736_000_000  # 2025-06-01, milliseconds
_STEP = 300_000
_HEAD = "timestamp,datetime_utc,open,high,low,close,oi_usd,oi_btc_implied,funding_rate,taker_net_btc"


def main() -> None:
    with TemporaryDirectory() as folder:
        here = Path(folder)
        write_year(here / "one_year.duckdb", here)
        (here / "all.toml").write_text('title = "All"\ninstruments = ["binance:BTCUSDT"]\nevery = "24h"\n')
        run(here, "site")  # the first run fills the caches of chart specifications and compiled templates
        print(f"{'':<40}{'s':>8}{'cpu s':>8}")
        clock, processor = min(run(here, f"one-{k}") for k in range(3))
        print(f"{'one issue, cold, best of 3':<40}{clock:8.2f}{processor:8.2f}")
        clock, processor = run(here, "many", "--from", "2025-12-01", "--to", "2026-05-29", "--every", "24h")
        made = sum(1 for _ in (here / "many").glob("*/*/issue.json"))
        print(f"{f'{made} issues, a day apart':<40}{clock:8.1f}{processor:8.1f}")


def write_year(path: Path, folder: Path) -> None:
    _, low, high, close, held, *_ = bars(YEAR)
    at = _START + _STEP * np.arange(YEAR)
    held = held * np.exp(np.cumsum(np.random.default_rng(2).normal(0, 3e-4, YEAR)))
    first = np.concatenate([close[:1], close[:-1]])
    iso = np.datetime_as_string(at.astype("datetime64[ms]"), timezone="UTC")
    columns = [first, high, low, close, held * close, held, np.full(YEAR, 1e-5), np.zeros(YEAR)]
    lines = zip(at.tolist(), iso.tolist(), *(column.round(6).tolist() for column in columns), strict=True)
    file = folder / "binance_year.csv"
    file.write_text("\n".join([_HEAD, *(",".join(map(str, line)) for line in lines)]) + "\n")
    with liqmap.open(path, "w") as history:
        history.load(file, instrument="binance:BTCUSDT")


def run(here: Path, site: str, *span: str) -> tuple[float, float]:
    """Wall and processor seconds of the command in a separate process."""
    command = [
        "report",
        str(here / "all.toml"),
        "--db",
        str(here / "one_year.duckdb"),
        "--out",
        str(here / site),
        *span,
    ]
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", _COMMAND, *command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, used
