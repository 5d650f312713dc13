"""Accounts are stored as salted hashes, never in plain text."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

import duckdb
import pytest

from _helpers.venue_payloads import clearinghouse_state, hyperliquid_position, stored_positions, write_json
from liqmap import InputError
from liqmap.history import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from liqmap.history import Store

SECRET = "0x7c4f1e55aa90b3d2"  # noqa: S105 - an account to look for
HEAD = "instrument,ts,account,side,size_base,entry_price,margin_mode,source\n"


def book(account: str = SECRET, size: str = "0.5", side: str = "long") -> str:
    return f"binance:BTCUSDT,1780000000000,{account},{side},{size},65000,cross,desk\n"


def test_no_file_contains_the_account_in_plain_text(path: Path, tmp_path: Path) -> None:
    odd = f"{SECRET}\x07"
    with open_store(path, "w") as store:
        store.load(write_json(tmp_path, clearinghouse_state(hyperliquid_position())), account=SECRET)
        store.load(
            write_json(
                tmp_path, {"account": SECRET, "payload": clearinghouse_state(hyperliquid_position(size="1"), time=1)}
            ),
            allow_rejects=1,
        )
        rows = HEAD + book() + book(size="-1", side="short") + book(odd) + "torn," + book()
        report = store.load(write_json(tmp_path, rows, "book.csv"), table="positions", allow_rejects=5)
        assert {r.reason for r in report.rejects} >= {"a finite number above 0", "printable text"}
        assert {r.value for r in report.rejects} == {"-1", "(not shown)"}
        assert len(stored_positions(store, "DISTINCT account")) == 1
        store.snapshot(tmp_path / "copy.duckdb")
    written = [f for f in tmp_path.iterdir() if f.name.startswith((path.name, "copy"))]
    assert len(written) >= 3
    assert [f.name for f in written if SECRET.encode() in f.read_bytes()] == []
    with duckdb.connect(str(path), read_only=True) as connection:
        for table in ("rejects", "loads", "meta", "positions"):
            assert SECRET not in repr(connection.execute(f"SELECT * FROM {table}").fetchall())


def test_the_account_hash_is_keyed_with_the_salt_of_the_history(store: Store, tmp_path: Path) -> None:
    store.load(write_json(tmp_path, clearinghouse_state(hyperliquid_position())), account=f" {SECRET}")
    store.load(write_json(tmp_path, HEAD + book(), "book.csv"), table="positions")
    with store.reading() as connection:
        salt = connection.execute("SELECT value FROM meta WHERE key = 'account_salt'").fetchall()
    assert len(salt) == 1
    expected = hmac.new(bytes.fromhex(salt[0][0]), SECRET.encode(), hashlib.sha256).hexdigest()[:32]
    assert stored_positions(store, "DISTINCT account") == [(expected,)]
    with open_store(":memory:", "w") as other:
        other.load(write_json(tmp_path, HEAD + book(), "book.csv"), table="positions")
        assert stored_positions(other, "account") != [(expected,)]


def test_an_account_is_any_printable_text(store: Store, tmp_path: Path) -> None:
    rows = HEAD + "".join(book(name) for name in ("007", "7", "Größe", '"a, b"', "'; DROP TABLE meta"))
    assert store.load(write_json(tmp_path, rows, "book.csv"), table="positions").stored == 5
    assert len(stored_positions(store, "DISTINCT account")) == 5


def test_positions_in_parquet_and_csv_give_the_same_account_hash(store: Store, tmp_path: Path) -> None:
    file = write_json(tmp_path, HEAD + book(), "book.csv")
    store.load(file, table="positions")
    with duckdb.connect() as connection:
        connection.execute(f"COPY (FROM read_csv('{file}', all_varchar = true)) TO '{tmp_path}/book.parquet'")
    report = store.load(tmp_path / "book.parquet", table="positions")
    assert (report.tables[0].known, report.stored) == (1, 0)
    report = store.load(write_json(tmp_path, HEAD + book(size="0.7"), "book.csv"), table="positions", replace=True)
    assert (report.tables[0].replaced, stored_positions(store, "size_base")) == (1, [(0.7,)])


@pytest.mark.parametrize(
    ("account", "message"), [("", "account: blank"), ("   ", "'(not shown)'"), ("x" * 201, "'(not shown)'")]
)
def test_an_invalid_account_is_rejected_without_showing_it(
    store: Store, tmp_path: Path, account: str, message: str
) -> None:
    with pytest.raises(InputError) as error:
        store.load(write_json(tmp_path, HEAD + book(account), "book.csv"), table="positions")
    assert message in str(error.value)
    assert "xxx" not in str(error.value)
