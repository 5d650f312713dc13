"""Small files in known formats, and a fingerprint that shows whether a history changed."""

from __future__ import annotations

import hashlib
import io
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from liqmap.history import Store

BTC = "binance:BTCUSDT"
KLINES = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
)
START = 1_780_272_000_000  # 2026-06-01T00:00Z in milliseconds
BAR = "timestamp,datetime_utc,open,high,low,close,oi_usd,oi_btc_implied,funding_rate,taker_net_btc\n"
DATA = ("instruments", "margin_tiers", "bars", "open_interest", "funding", "liquidations", "depth", "positions")


def bars(rows: int, *, start: int = START, price: float = 70_000.0, step: int = 300_000) -> str:
    """A file with the columns of the table bars, times in milliseconds."""
    lines = [f"{start + i * step},{price + i},{price + i + 5},{price + i - 5},{price + i + 1}" for i in range(rows)]
    return "\n".join(["ts,open,high,low,close", *lines]) + "\n"


def perp(rows: int, *, start: int = START, price: float = 70_000.0) -> str:
    """A file in the format of the mapping binance-perp-5m."""
    lines = [
        f"{start + i * 300_000},,{price},{price + 5},{price - 5},{price + 1},{100_000 * price},,0.0001,1.5"
        for i in range(rows)
    ]
    return BAR + "\n".join(lines) + "\n"


def fingerprint(store: Store) -> str:
    """Hash of all data of a history, independent of source files and load times."""
    digest = hashlib.sha256()
    with store.reading() as connection:
        for table in DATA:
            rows = connection.execute(f"SELECT * EXCLUDE (load_id) FROM {table} ORDER BY ALL").fetchall()
            digest.update(repr((table, rows)).encode())
    return digest.hexdigest()


def count(store: Store, what: str) -> int:
    """Rows of a table, or of ``table WHERE …``."""
    with store.reading() as connection:
        row = connection.execute(f"SELECT count(*) FROM {what}").fetchone()
    assert row is not None
    return int(row[0])


def zipped(*members: tuple[str, str | bytes], **options: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def klines(rows: int, *, header: bool, unit: int = 1) -> str:
    lines = [KLINES] if header else []
    for i in range(rows):
        start = START + i * 300_000
        end = (start + 300_000) * unit - 1
        lines.append(f"{start * unit},70000,70010,69990,70005,12.5,{end},875000,100,6.5,455000,0")
    return "\n".join(lines) + "\n"
