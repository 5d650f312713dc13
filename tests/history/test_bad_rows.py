"""Invalid rows give a one-line error that names the row, and leave the history unchanged (faults 22 to 31)."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import pytest

from _helpers.history_files import BTC, START, bars, count, klines, perp
from liqmap._base.errors import InputError, LiqmapError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from liqmap.history import Store

    Write = Callable[[str, str | bytes], Path]
    Refused = Callable[..., LiqmapError]


def test_fault_22_microseconds_are_rejected_in_a_column_of_milliseconds(refused: Refused, write: Write) -> None:
    text = re.sub(r"^(\d{13})", r"\g<1>000", perp(3), flags=re.MULTILINE)
    error = refused(write("perp.csv", text))
    assert isinstance(error, InputError)
    assert (error.row, error.field, error.found) == (2, "timestamp", repr(f"{START}000"))
    assert "milliseconds" in str(error)


def test_fault_22_the_time_unit_of_a_file_is_detected_from_its_magnitude(store: Store, write: Write) -> None:
    report = store.load(write("BTCUSDT-5m-2026-06-01.csv", klines(288, header=True, unit=1000)), instrument=BTC)
    assert (report.tables[0].first, report.tables[0].stored) == (START * 1000, 288)


def test_fault_22_the_error_for_mixed_time_units_names_the_first_row_of_the_rarer(
    refused: Refused, write: Write
) -> None:
    text = klines(3, header=True) + klines(5, header=False, unit=1000).splitlines()[4] + "\n"
    error = refused(write("k.csv", text))
    assert (error.row, error.field) == (5, "open_time")
    assert "microseconds among milliseconds" in error.found


@pytest.mark.parametrize(
    "when", ["0", "1", "123456789", "99999999999999999999", "1230767999", "4102444800", "-1", "2e12"]
)
def test_fault_22_times_outside_2009_to_tomorrow_are_rejected(refused: Refused, write: Write, when: str) -> None:
    error = refused(
        write("b.csv", f"ts,open,high,low,close\n{when},1,1,1,1\n"), columns={"interval_s": 60}, table="bars"
    )
    assert (error.row, error.field) == (2, "ts")


@pytest.mark.parametrize(
    "when", ["2026-06-01T00:00+02:00", "2026-13-01", "01/06/2026", "infinity", "epoch", "yesterday"]
)
def test_fault_22_times_that_are_not_utc_in_iso_8601_are_rejected(refused: Refused, write: Write, when: str) -> None:
    error = refused(
        write("b.csv", f"ts,open,high,low,close\n{when},1,1,1,1\n"), columns={"interval_s": 60}, table="bars"
    )
    assert (error.row, error.field) == (2, "ts")


def test_fault_23_a_known_file_format_is_recognised_without_its_header(store: Store, write: Write) -> None:
    named = store.load(write("BTCUSDT-5m-2026-06-01.csv", klines(288, header=True)), instrument=BTC)
    bare = write("BTCUSDT-5m-2026-06.csv", klines(300, header=False))
    report = store.load(bare, instrument=BTC)
    assert (named.layout, report.layout) == ("binance-klines", "binance-klines")
    assert (report.tables[0].known, report.tables[0].stored) == (288, 12)


def test_fault_23_the_error_for_an_unknown_header_lists_columns_and_mappings(refused: Refused, write: Write) -> None:
    error = refused(write("odd.csv", "when,price\n1,2\n"))
    assert error.found == "columns [when, price]"
    assert "binance-klines" in error.expected
    assert "open_interest" in error.expected


def test_fault_23_a_file_without_header_and_known_name_is_rejected(refused: Refused, write: Write) -> None:
    assert "a header" in refused(write("data.csv", klines(3, header=False))).expected


def test_fault_24_missing_rows_are_counted_and_never_filled(store: Store, write: Write) -> None:
    lines = klines(288, header=True).splitlines()
    del lines[100:105]
    report = store.load(write("BTCUSDT-5m-2026-06-01.csv", "\n".join(lines) + "\n"), instrument=BTC)
    assert (report.tables[0].stored, report.tables[0].missing) == (283, 5)
    (span,) = store.coverage(BTC).spans
    (gap,) = span.gaps
    assert (gap.missing, gap.start) == (5, (START + 99 * 300_000) * 1000)


def test_fault_25_identical_repeats_are_stored_once(store: Store, write: Write) -> None:
    lines = bars(4).splitlines()
    text = "\n".join([lines[0], *(line for line in lines[1:] for _ in range(2))]) + "\n"
    report = store.load(write("b.csv", text), instrument=BTC)
    assert (report.tables[0].stored, report.tables[0].duplicates, report.tables[0].read) == (4, 4, 8)


def test_fault_25_the_error_for_conflicting_rows_names_both(refused: Refused, write: Write) -> None:
    lines = bars(4).splitlines()
    lines.append(lines[2].replace(",70001.0,", ",70002.0,"))
    error = refused(write("b.csv", "\n".join(lines) + "\n"))
    assert error.row == 6
    assert "row 3" in error.found


def test_fault_26_rows_of_another_day_are_rejected(refused: Refused, write: Write) -> None:
    lines = klines(20, header=True).splitlines()
    stray = klines(300, header=False).splitlines()[299]
    error = refused(write("BTCUSDT-5m-2026-06-01.csv", "\n".join([*lines[:10], stray, *lines[10:]]) + "\n"))
    assert error.row == 11
    assert "2026-06-01" in error.expected


def test_fault_26_unsorted_rows_are_sorted(store: Store, write: Write) -> None:
    lines = bars(50).splitlines()
    store.load(write("b.csv", "\n".join([lines[0], *reversed(lines[1:])]) + "\n"), instrument=BTC)
    ts = store.market_bars(BTC).ts
    assert (ts[1:] > ts[:-1]).all()


def test_fault_27_and_36_a_file_must_match_its_published_checksum(store: Store, refused: Refused, write: Write) -> None:
    file = write("b.csv", bars(3))
    write("b.csv.CHECKSUM", hashlib.sha256(b"something else").hexdigest() + "  b.csv\n")
    assert hashlib.sha256(file.read_bytes()).hexdigest() in refused(file).found
    write("b.csv.CHECKSUM", hashlib.sha256(file.read_bytes()).hexdigest() + "  b.csv\n")
    assert store.load(file, instrument=BTC).stored == 3


def test_fault_28_a_new_version_of_a_file_replaces_exactly_its_rows(store: Store, write: Write) -> None:
    other = write("other.csv", bars(2, start=START + 86_400_000))
    store.load(other, instrument=BTC)
    store.load(write("b.csv", bars(5)), instrument=BTC)
    again = write("b.csv", bars(3, price=71_000.0))
    with pytest.raises(InputError, match="other than those stored"):
        store.load(again, instrument=BTC)
    report = store.load(again, instrument=BTC, replace=True)
    assert (report.tables[0].stored, report.tables[0].replaced) == (3, 5)
    assert store.market_bars(BTC).open.tolist() == [71_000.0, 71_001.0, 71_002.0, 70_000.0, 70_001.0]


def test_fault_29_blank_is_null_never_zero(store: Store, write: Write) -> None:
    text = "ts,oi_base,oi_usd\n" + "".join(f"{START + i * 300_000},{'' if i == 7 else 10},\n" for i in range(20))
    report = store.load(write("oi.csv", text), instrument=BTC)
    assert (report.tables[0].stored, report.tables[0].blank) == (19, 1)
    assert count(store, "open_interest WHERE oi_base = 0") == 0
    assert count(store, "open_interest WHERE oi_usd IS NULL") == 19


def test_fault_29_too_many_blank_rows_are_rejected(refused: Refused, write: Write) -> None:
    text = "ts,oi_base,oi_usd\n" + "".join(f"{START + i * 300_000},{'' if i % 4 else 10},\n" for i in range(20))
    assert "15 of 20 rows blank" in refused(write("oi.csv", text)).found


@pytest.mark.parametrize(
    "cell", ["nan", "inf", "-inf", "1e400", "1_000", "-3", "0", "abc", '"1,5"', "0x10", "1.2.3", "NULL"]
)
def test_fault_30_and_31_invalid_numbers_are_rejected(refused: Refused, write: Write, cell: str) -> None:
    text = perp(40_000 // 1000).splitlines()
    text[31] = text[31].replace(",70001.0,", f",{cell},")
    error = refused(write("perp.csv", "\n".join(text) + "\n"))
    assert (error.row, error.field) == (32, "close")
    assert repr(cell.strip('"')) in str(error)


def test_fault_31_the_error_counts_the_other_invalid_rows(refused: Refused, write: Write) -> None:
    text = perp(10).replace(",70001.0,", ",?,")
    assert "9 more invalid rows" in str(refused(write("perp.csv", text)))


def test_fault_31_allowed_rejects_are_recorded_and_the_other_rows_stored(store: Store, write: Write) -> None:
    lines = perp(6).splitlines()
    lines[2] = lines[2].replace(",70001.0,", ",x,")
    lines[4] = "1,2,3"
    report = store.load(write("perp.csv", "\n".join(lines) + "\n"), instrument=BTC, allow_rejects=2)
    assert {(r.row, r.field, r.value) for r in report.rejects} == {(3, "close", "x"), (5, "row", "1,2,3")}
    assert count(store, "bars") == 4
    assert count(store, "open_interest") == 5
    with store.reading() as connection:
        kept = connection.execute('SELECT "row", field, value FROM rejects ORDER BY ALL').fetchall()
    assert kept == [(3, "close", "x"), (5, "row", "1,2,3")]


def test_fault_31_one_reject_more_than_allowed_is_an_error(refused: Refused, write: Write) -> None:
    lines = perp(6).splitlines()
    lines[2] = lines[2].replace(",70001.0,", ",x,")
    lines[4] = "1,2,3"
    assert refused(write("perp.csv", "\n".join(lines) + "\n"), allow_rejects=1).row == 3
