"""Processes and files for tests that interrupt or lock a history."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from _helpers.history_files import START, bars

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[[str, str | bytes], Path]

LOADER = """
import sys
from liqmap.history import open_store
for file in sys.argv[2:]:
    with open_store(sys.argv[1], "w", patience=60) as store:
        print(store.load(file, instrument="binance:BTCUSDT").load_id, flush=True)
"""


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a program in another process with its streams as pipes."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def bar_files(write: Write, number: int, rows: int = 200) -> list[Path]:
    """Write files of consecutive bars."""
    return [write(f"{i}.csv", bars(rows, start=START + i * rows * 300_000)) for i in range(number)]
