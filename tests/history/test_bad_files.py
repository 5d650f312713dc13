"""Invalid files give a one-line error that names the place, and leave the history unchanged (faults 32 to 42)."""

from __future__ import annotations

import hashlib
import io
import time
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from _helpers.history_files import BAR, BTC, START, bars, count, fingerprint, perp, zipped
from liqmap._base.errors import LiqmapError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from liqmap.history import Store

    Write = Callable[[str, str | bytes], Path]
    Refused = Callable[..., LiqmapError]


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("page.csv", "<!DOCTYPE html>\n<html><body>404 Not Found</body></html>\n", "an HTML or XML page"),
        ("page.csv", "\ufeff  <html></html>", "an HTML or XML page"),
        ("page.zip", "<html>404</html>", "an HTML or XML page"),
        ("page.parquet", "<html>404</html>", "an HTML or XML page"),
        ("empty.csv", "", "an empty file"),
        ("header.csv", BAR, "a header without rows"),
    ],
)
def test_fault_32_html_pages_and_empty_files_are_rejected(
    refused: Refused, write: Write, name: str, content: str, found: str
) -> None:
    assert found in refused(write(name, content)).found


def test_a_missing_file_and_a_folder_are_rejected(refused: Refused, tmp_path: Path) -> None:
    assert refused(tmp_path / "nowhere.csv").found == "no such file"
    assert refused(tmp_path).found == "a folder"


def test_fault_33_a_truncated_row_is_rejected(refused: Refused, write: Write) -> None:
    text = perp(5)
    error = refused(write("perp.csv", text[: text.rindex(",70001.0")] + "\n"))
    assert error.row == 6
    assert "columns expected: 10 found: 5" in error.found


@pytest.mark.parametrize("lost", range(1, 80, 3))
def test_fault_33_a_file_without_a_final_newline_is_rejected(refused: Refused, write: Write, lost: int) -> None:
    assert "no newline after the last row" in refused(write("perp.csv", perp(5)[:-lost])).found


def test_fault_34_an_invalid_cell_late_in_the_file_is_found(refused: Refused, write: Write) -> None:
    lines = bars(30_010, start=START - 30_010 * 60_000, step=60_000).splitlines()
    lines[30_002] = lines[30_002].rpartition(",")[0] + ",N/A"
    error = refused(write("b.csv", "\n".join(lines) + "\n"))
    assert (error.row, error.field) == (30_003, "close")


def parquet(write: Write) -> Path:
    table = pa.table(
        {"ts": [START, START + 60_000], "open": [1.0, 1.0], "high": [1.0, 1.0], "low": [1.0, 1.0], "close": [1.0, 1.0]}
    )
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return write("b.parquet", buffer.getvalue())


@pytest.mark.parametrize("keep", [4, 8, 20, 200, -1, -4, -8])
def test_fault_35_truncated_parquet_is_rejected(refused: Refused, write: Write, keep: int) -> None:
    file = parquet(write)
    file.write_bytes(file.read_bytes()[:keep])
    assert "Parquet" in str(refused(file))


def test_fault_35_random_bytes_between_parquet_magic_numbers_are_rejected(refused: Refused, write: Write) -> None:
    assert "Parquet" in str(refused(write("b.parquet", b"PAR1" + bytes(range(256)) + b"PAR1")))


def test_fault_36_a_changed_byte_violates_the_published_checksum(refused: Refused, write: Write) -> None:
    file = parquet(write)
    write("b.parquet.CHECKSUM", f"{hashlib.sha256(file.read_bytes()).hexdigest()}  b.parquet\n")
    content = bytearray(file.read_bytes())
    content[60] ^= 1
    file.write_bytes(bytes(content))
    assert "sha256" in refused(file).found


def test_fault_41_a_byte_order_mark_and_windows_line_ends_are_accepted(store: Store, write: Write) -> None:
    text = "\ufeff" + bars(3).replace("\n", "\r\n")
    assert store.load(write("b.csv", text), instrument=BTC).stored == 3


def test_fault_41_the_error_for_latin_1_text_names_the_row(refused: Refused, write: Write) -> None:
    content = (bars(3) + "x").encode() + "café".encode("latin-1") + b"\n"
    error = refused(write("b.csv", content))
    assert error.row == 5
    assert "0xe9" in error.found


def test_fault_41_nul_bytes_blank_lines_and_mixed_line_ends_are_rejected(refused: Refused, write: Write) -> None:
    text = bars(3)
    assert refused(write("b.csv", text.replace("70001.0", "7\x000", 1))).found == "a NUL byte"
    lines = text.splitlines()
    assert refused(write("b.csv", "\n".join([*lines[:2], "", *lines[2:]]) + "\n")).row == 3
    assert "several kinds" in refused(write("b.csv", text.replace("\n", "\r\n", 2))).found


def test_fault_41_control_characters_in_labels_are_rejected(refused: Refused, write: Write) -> None:
    text = "instrument,valid_from,tier,notional_floor,notional_cap,max_leverage,mmr,deduction,source\n"
    text += f"{BTC},2026-01-01,1,0,1000,100,0.004,0,a\x1b[31mred\n"
    error = refused(write("t.csv", text))
    assert error.field == "source"
    assert "\x1b" not in str(error)


def test_an_unterminated_quote_is_rejected(refused: Refused, write: Write) -> None:
    lines = bars(4).splitlines()
    lines[2] = lines[2].replace("70001.0", '"70001.0', 1)
    assert refused(write("b.csv", "\n".join(lines) + "\n")).row == 3


def test_fault_42_loading_a_file_is_idempotent(store: Store, write: Write) -> None:
    file = write("perp.csv", perp(50))
    store.load(file, instrument=BTC)
    before = fingerprint(store), count(store, "loads")
    for _ in range(2):
        report = store.load(file, instrument=BTC)
        assert report.already
        assert report.stored == 0
    assert (fingerprint(store), count(store, "loads")) == before


def test_fault_42_overlapping_files_are_stored_once_in_any_order(store: Store, write: Write) -> None:
    first, second = write("a.csv", perp(50)), write("b.csv", perp(50, start=START + 25 * 300_000))
    for file in (second, first, second, first):
        store.load(file, instrument=BTC)
    assert count(store, "bars") == 75
    assert count(store, "bars WHERE load_id = 1") == 50


def test_the_error_names_an_unknown_column(refused: Refused, write: Write) -> None:
    error = refused(write("b.csv", bars(3).replace("close", "closing")), table="bars")
    assert (error.row, error.field) == (1, "closing")
    error = refused(write("b.csv", bars(3)), table="bars", columns={"close": "closing", "interval_s": 60})
    assert error.field == "closing"
    assert "a column 'closing'" in error.expected


def test_the_error_for_an_unknown_instrument_explains_how_to_define_it(refused: Refused, write: Write) -> None:
    error = refused(write("b.csv", bars(3)), instrument="kraken:PF_XBTUSD")
    assert "'kraken:PF_XBTUSD'" in error.found
    assert "instruments" in error.expected
    assert "venue:SYMBOL" in refused(write("b.csv", bars(3)), instrument="BTCUSDT").expected
    assert "--instrument" in refused(write("perp.csv", perp(3)), instrument=None).expected


def test_bars_that_have_not_ended_are_left_out(store: Store, write: Write) -> None:
    now = time.time_ns() // 1_000_000
    report = store.load(write("b.csv", bars(5, start=now - 4 * 300_000 - 60_000)), instrument=BTC)
    assert (report.tables[0].stored, report.tables[0].left_out) == (4, 1)
    header = "ts,window_s,side,usd,feed\n"
    rows = f"{now - 60_000},1800,long,5,aggregate\n{now - 60_000},0,long,5,complete\n"
    assert store.load(write("l.csv", header + rows), instrument=BTC).stored == 1


def test_all_of_many_rejects_are_recorded(store: Store, write: Write) -> None:
    lines = bars(3000).splitlines()
    for row in range(1, 3000, 2):
        lines[row] = lines[row].rpartition(",")[0] + f",bad{row}"
    report = store.load(write("b.csv", "\n".join(lines) + "\n"), instrument=BTC, allow_rejects=1500)
    assert len(report.rejects) == count(store, "rejects") == report.tables[0].rejected == 1500
    assert all(r.value == f"bad{r.row - 1}" for r in report.rejects)


def test_a_negative_number_of_allowed_rejects_is_invalid(refused: Refused, write: Write) -> None:
    assert "0 or more" in refused(write("b.csv", bars(3)), allow_rejects=-1).expected


def test_missing_disk_space_for_unpacking_is_an_error(
    refused: Refused, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/proc")
    assert refused(write("b.zip", zipped(("b.csv", bars(3)))))


def test_a_file_with_only_blank_rows_is_rejected(refused: Refused, write: Write) -> None:
    assert "1 of 1 rows blank" in refused(write("oi.csv", f"ts,oi_base,oi_usd\n{START},,\n")).found


def test_a_row_that_is_invalid_for_several_tables_counts_once(store: Store, refused: Refused, write: Write) -> None:
    lines = perp(6).splitlines()
    lines[2] = "x" + lines[2]
    file = write("perp.csv", "\n".join(lines) + "\n")
    assert "more invalid row" not in str(refused(file))
    report = store.load(file, instrument=BTC, allow_rejects=1)
    assert [(r.row, r.field) for r in report.rejects] == [(3, "timestamp")]
    assert [(t.table, t.stored, t.rejected) for t in report.tables] == [
        ("bars", 5, 1),
        ("open_interest", 5, 1),
        ("funding", 5, 1),
    ]
