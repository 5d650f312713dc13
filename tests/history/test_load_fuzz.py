"""Random damage: a file is loaded or rejected in one line; cells are compared with a plain oracle."""

from __future__ import annotations

import gzip
import io
import math
import random
import re
import zipfile
from typing import TYPE_CHECKING

import polars as pl
import pytest

from _helpers.history_files import START, bars, count
from liqmap._base.errors import LiqmapError
from liqmap.history import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from liqmap.history import Store

    Write = Callable[[str, str | bytes], Path]

BTC = "binance:BTCUSDT"


def _parquet() -> bytes:
    buffer = io.BytesIO()
    pl.read_csv(io.StringIO(bars(50))).write_parquet(buffer)
    return buffer.getvalue()


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("b.csv", bars(50))
    return buffer.getvalue()


WHOLE = {
    "b.csv": lambda: bars(50).encode(),
    "b.csv.gz": lambda: gzip.compress(bars(50).encode(), mtime=0),
    "b.zip": _zip,
    "b.parquet": _parquet,
}
ODD = [b"\0", b"\xff", b"\n", b"\r\n", b'"', b",", b"-", b"_", b"e", b"nan", b"<", b"\xe2\x80\x8b", b"'", b";", b"\\"]


def damaged(content: bytes, rng: random.Random) -> bytes:
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(content) + 1)
        end = min(len(content), at + rng.choice([0, 0, 1, 1, 5, 50]))
        content = content[:at] + rng.choice([*ODD, b"", bytes([rng.randrange(256)])]) + content[end:]
    return content


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize("files", [20, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_damaged_file_is_rejected_in_one_line_or_loaded(
    write: Write, name: str, files: int, *, lenient: bool
) -> None:
    whole = WHOLE[name]()
    rng = random.Random(f"{name} {lenient} {files}")
    with open_store(":memory:", "w") as store:
        for _ in range(files):
            before = count(store, "bars"), count(store, "loads")
            refusal = ""
            try:
                file = write(name, damaged(whole, rng))
                store.load(file, instrument=BTC, replace=True, allow_rejects=10 if lenient else 0)
            except LiqmapError as error:
                refusal = str(error)
            if refusal:
                assert "\n" not in refusal
                assert (count(store, "bars"), count(store, "loads")) == before
            assert count(store, "bars WHERE NOT (isfinite(close) AND close > 0 AND high >= low)") == 0


CELLS = [
    "0.0001", "-0.5", "1", "-1", "1.5", "nan", "NaN", "inf", "-inf", "1e-3", "1E-3", "1e400", "1_0", "", " ", "0", "-0",
    "+0.1", ".5", "5.", "0x1", "abc", "1 2", "--1", "٣", "0,5", "NULL", "null", "true", "1e", "e1", "1e-400", "½",
    "0.1 ",
]  # fmt: skip
TIMES = ["0", "-5", "abc", "", "99999999999999", "1_780_272_000_000", "nan", "1780272000000x"]


def number(cell: str) -> float | None:
    """The value of a cell that is a plain decimal number, otherwise ``None``."""
    plain = cell.strip()
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", plain, flags=re.ASCII):
        return None
    value = float(plain)
    return value if math.isfinite(value) else None


def test_cells_are_validated_like_a_plain_oracle(store: Store, write: Write) -> None:
    rng = random.Random(30)
    lines, wanted = ["ts,rate,interval_h"], {}
    for i in range(3000):
        when = START + i * 1000
        # A second time unit would be an error of the file and not of the row, so all times have one unit.
        stamp = rng.choice([str(when)] * 4 + [f"{when}.0", rng.choice(TIMES)])
        rate, hours = (rng.choice(CELLS) if rng.random() < 0.4 else "0.25" for _ in range(2))
        lines.append(",".join(f'"{cell}"' if "," in cell else cell for cell in (stamp, rate, hours)))
        at, worth, length = number(stamp), number(rate), number(hours)
        if at == when and worth is not None and abs(worth) < 1 and length is not None and length > 0:
            wanted[when * 1000] = (worth, length)
    report = store.load(write("f.csv", "\n".join(lines) + "\n"), instrument=BTC, allow_rejects=3000)
    with store.reading() as connection:
        stored = connection.execute("SELECT ts, rate, interval_h FROM funding").fetchall()
    assert {ts: (rate, hours) for ts, rate, hours in stored} == wanted
    (table,) = report.tables
    assert table.read == 3000 == table.stored + table.rejected + table.blank
    assert len(wanted) > 500
