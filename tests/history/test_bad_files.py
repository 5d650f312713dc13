"""Files that are not what they should be: one line, the place named, and the history as it was (faults 22 to 42)."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import stat
import time
import zipfile
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from history_files import BAR, START, bars, count, fingerprint, perp

from liqmap.errors import InputError, LiqmapError
from liqmap.history.archive import Limits, unpack_gzip, unpack_zip

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from liqmap.history import Store

    Write = Callable[[str, str | bytes], Path]
    Refused = Callable[..., LiqmapError]

BTC = "binance:BTCUSDT"
KLINES = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
)


@pytest.fixture
def refused(store: Store) -> Refused:
    """Loads a file that must be refused: a one-line error, and nothing changed."""

    def refused(file: Path, **options: object) -> LiqmapError:
        before = fingerprint(store), count(store, "loads"), count(store, "rejects")
        with pytest.raises(LiqmapError) as caught:
            store.load(file, **{"instrument": BTC, **options})  # type: ignore[arg-type]
        assert (fingerprint(store), count(store, "loads"), count(store, "rejects")) == before
        line = str(caught.value)
        assert "\n" not in line
        assert line.startswith("liqmap: load: ")
        assert "nothing stored" in line or "stopped" in line
        return caught.value

    return refused


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


def test_fault_22_microseconds_where_milliseconds_were(refused: Refused, write: Write) -> None:
    text = re.sub(r"^(\d{13})", r"\g<1>000", perp(3), flags=re.MULTILINE)
    error = refused(write("perp.csv", text))
    assert isinstance(error, InputError)
    assert (error.row, error.field, error.found) == (2, "timestamp", repr(f"{START}000"))
    assert "milliseconds" in str(error)


def test_fault_22_a_file_wholly_in_microseconds_is_read_by_its_size(store: Store, write: Write) -> None:
    report = store.load(write("BTCUSDT-5m-2026-06-01.csv", klines(288, header=True, unit=1000)), instrument=BTC)
    assert (report.tables[0].first, report.tables[0].stored) == (START * 1000, 288)


def test_fault_22_mixed_units_name_the_first_odd_row(refused: Refused, write: Write) -> None:
    text = klines(3, header=True) + klines(5, header=False, unit=1000).splitlines()[4] + "\n"
    error = refused(write("k.csv", text))
    assert (error.row, error.field) == (5, "open_time")
    assert "microseconds among milliseconds" in error.found


@pytest.mark.parametrize(
    "when", ["0", "1", "123456789", "99999999999999999999", "1230767999", "4102444800", "-1", "2e12"]
)
def test_fault_22_times_outside_2009_to_tomorrow(refused: Refused, write: Write, when: str) -> None:
    error = refused(
        write("b.csv", f"ts,open,high,low,close\n{when},1,1,1,1\n"), columns={"interval_s": 60}, table="bars"
    )
    assert (error.row, error.field) == (2, "ts")


@pytest.mark.parametrize(
    "when", ["2026-06-01T00:00+02:00", "2026-13-01", "01/06/2026", "infinity", "epoch", "yesterday"]
)
def test_fault_22_times_that_are_no_utc_iso(refused: Refused, write: Write, when: str) -> None:
    error = refused(
        write("b.csv", f"ts,open,high,low,close\n{when},1,1,1,1\n"), columns={"interval_s": 60}, table="bars"
    )
    assert (error.row, error.field) == (2, "ts")


def test_fault_23_a_known_layout_without_its_header(store: Store, write: Write) -> None:
    named = store.load(write("BTCUSDT-5m-2026-06-01.csv", klines(288, header=True)), instrument=BTC)
    bare = write("BTCUSDT-5m-2026-06.csv", klines(300, header=False))
    report = store.load(bare, instrument=BTC)
    assert (named.layout, report.layout) == ("binance-klines", "binance-klines")
    assert (report.tables[0].known, report.tables[0].stored) == (288, 12)


def test_fault_23_an_unknown_header_lists_what_was_found_and_what_is_known(refused: Refused, write: Write) -> None:
    error = refused(write("odd.csv", "when,price\n1,2\n"))
    assert error.found == "columns [when, price]"
    assert "binance-klines" in error.expected
    assert "open_interest" in error.expected


def test_fault_23_a_headerless_file_of_no_telling_name(refused: Refused, write: Write) -> None:
    assert "a header" in refused(write("data.csv", klines(3, header=False))).expected


def test_fault_24_missing_rows_are_counted_never_filled(store: Store, write: Write) -> None:
    lines = klines(288, header=True).splitlines()
    del lines[100:105]
    report = store.load(write("BTCUSDT-5m-2026-06-01.csv", "\n".join(lines) + "\n"), instrument=BTC)
    assert (report.tables[0].stored, report.tables[0].missing) == (283, 5)
    (span,) = store.coverage(BTC).spans
    (gap,) = span.gaps
    assert (gap.missing, gap.start) == (5, (START + 99 * 300_000) * 1000)


def test_fault_25_every_row_twice_is_counted_once(store: Store, write: Write) -> None:
    lines = bars(4).splitlines()
    text = "\n".join([lines[0], *(line for line in lines[1:] for _ in range(2))]) + "\n"
    report = store.load(write("b.csv", text), instrument=BTC)
    assert (report.tables[0].stored, report.tables[0].duplicates, report.tables[0].read) == (4, 4, 8)


def test_fault_25_one_key_with_two_values_names_both_rows(refused: Refused, write: Write) -> None:
    lines = bars(4).splitlines()
    lines.append(lines[2].replace(",70001.0,", ",70002.0,"))
    error = refused(write("b.csv", "\n".join(lines) + "\n"))
    assert error.row == 6
    assert "row 3" in error.found


def test_fault_26_rows_of_another_day(refused: Refused, write: Write) -> None:
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


def test_fault_27_and_36_a_file_that_is_not_the_one_published(store: Store, refused: Refused, write: Write) -> None:
    file = write("b.csv", bars(3))
    write("b.csv.CHECKSUM", hashlib.sha256(b"something else").hexdigest() + "  b.csv\n")
    assert hashlib.sha256(file.read_bytes()).hexdigest() in refused(file).found
    write("b.csv.CHECKSUM", hashlib.sha256(file.read_bytes()).hexdigest() + "  b.csv\n")
    assert store.load(file, instrument=BTC).stored == 3


def test_fault_28_a_file_published_again_replaces_exactly_its_rows(store: Store, write: Write) -> None:
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


def test_fault_29_too_many_blanks(refused: Refused, write: Write) -> None:
    text = "ts,oi_base,oi_usd\n" + "".join(f"{START + i * 300_000},{'' if i % 4 else 10},\n" for i in range(20))
    assert "15 of 20 rows blank" in refused(write("oi.csv", text)).found


@pytest.mark.parametrize(
    "cell", ["nan", "inf", "-inf", "1e400", "1_000", "-3", "0", "abc", '"1,5"', "0x10", "1.2.3", "NULL"]
)
def test_fault_30_and_31_numbers_that_are_none(refused: Refused, write: Write, cell: str) -> None:
    text = perp(40_000 // 1000).splitlines()
    text[31] = text[31].replace(",70001.0,", f",{cell},")
    error = refused(write("perp.csv", "\n".join(text) + "\n"))
    assert (error.row, error.field) == (32, "close")
    assert repr(cell.strip('"')) in str(error)


def test_fault_31_says_how_many_more(refused: Refused, write: Write) -> None:
    text = perp(10).replace(",70001.0,", ",?,")
    assert "9 more rows at fault" in str(refused(write("perp.csv", text)))


def test_fault_31_a_bad_row_may_be_put_aside_when_allowed(store: Store, write: Write) -> None:
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


def test_fault_31_one_more_than_allowed(refused: Refused, write: Write) -> None:
    lines = perp(6).splitlines()
    lines[2] = lines[2].replace(",70001.0,", ",x,")
    lines[4] = "1,2,3"
    assert refused(write("perp.csv", "\n".join(lines) + "\n"), allow_rejects=1).row == 3


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("page.csv", "<!DOCTYPE html>\n<html><body>404 Not Found</body></html>\n", "a page of HTML"),
        ("page.csv", "\ufeff  <html></html>", "a page of HTML"),
        ("page.zip", "<html>404</html>", "a page of HTML"),
        ("page.parquet", "<html>404</html>", "a page of HTML"),
        ("empty.csv", "", "an empty file"),
        ("header.csv", BAR, "a header and no rows"),
    ],
)
def test_fault_32_pages_and_empty_files(refused: Refused, write: Write, name: str, content: str, found: str) -> None:
    assert found in refused(write(name, content)).found


def test_missing_file_and_folder(refused: Refused, tmp_path: Path) -> None:
    assert refused(tmp_path / "nowhere.csv").found == "no such file"
    assert refused(tmp_path).found == "a folder"


def test_fault_33_a_line_cut_in_the_middle(refused: Refused, write: Write) -> None:
    text = perp(5)
    error = refused(write("perp.csv", text[: text.rindex(",70001.0")] + "\n"))
    assert error.row == 6
    assert "columns expected: 10 found: 5" in error.found


@pytest.mark.parametrize("lost", range(1, 80, 3))
def test_fault_33_a_last_line_that_does_not_end(refused: Refused, write: Write, lost: int) -> None:
    assert "the last line does not end" in refused(write("perp.csv", perp(5)[:-lost])).found


def test_fault_34_a_bad_cell_late_in_the_file(refused: Refused, write: Write) -> None:
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
def test_fault_35_truncated_parquet(refused: Refused, write: Write, keep: int) -> None:
    file = parquet(write)
    file.write_bytes(file.read_bytes()[:keep])
    assert "Parquet" in str(refused(file))


def test_fault_35_garbage_between_the_marks(refused: Refused, write: Write) -> None:
    assert "Parquet" in str(refused(write("b.parquet", b"PAR1" + bytes(range(256)) + b"PAR1")))


def test_fault_36_a_flipped_byte_against_the_published_checksum(refused: Refused, write: Write) -> None:
    file = parquet(write)
    write("b.parquet.CHECKSUM", f"{hashlib.sha256(file.read_bytes()).hexdigest()}  b.parquet\n")
    content = bytearray(file.read_bytes())
    content[60] ^= 1
    file.write_bytes(bytes(content))
    assert "sha256" in refused(file).found


def test_fault_37_truncated_and_damaged_archives(refused: Refused, write: Write) -> None:
    whole = zipped(("b.csv", bars(2000)))
    packed = gzip.compress(bars(2000).encode())
    for name, content in (
        ("cut.zip", whole[:-30]),
        ("half.zip", whole[: len(whole) // 2]),
        ("flip.zip", whole[:200] + bytes([whole[200] ^ 255]) + whole[201:]),
        ("cut.csv.gz", packed[:-9]),
        ("crc.csv.gz", packed[:-8] + b"\0\0\0\0" + packed[-4:]),
        ("flip.csv.gz", packed[:300] + bytes([packed[300] ^ 255]) + packed[301:]),
    ):
        assert "damaged" in refused(write(name, content)).found, name
    assert "not gzip" in refused(write("plain.csv.gz", bars(3))).found
    assert "not zip" in refused(write("plain.zip", bars(3))).found


def test_fault_37_one_bad_member_and_nothing_of_the_archive_is_stored(refused: Refused, write: Write) -> None:
    error = refused(write("two.zip", zipped(("a.csv", bars(5)), ("b.csv", bars(2).replace("70006.0", "x")))))
    assert error.where.endswith("two.zip!b.csv")
    assert error.row == 3


def test_fault_38_a_bomb(refused: Refused, write: Write, tmp_path: Path) -> None:
    zeros = b"0" * 30_000_000
    assert "unpacked" in refused(write("bomb.zip", zipped(("b.csv", zeros)))).found
    assert "unpacked" in refused(write("bomb.csv.gz", gzip.compress(zeros))).found
    small = Limits(members=2, total=1000, ratio=10, free=100)
    with pytest.raises(InputError, match="unpacked"):
        unpack_zip(write("t.zip", zipped(("a.csv", "1" * 600), ("b.csv", "2" * 600))), "t.zip", tmp_path, small)
    with pytest.raises(InputError, match="3 members"):
        unpack_zip(write("m.zip", zipped(("a.csv", ""), ("b.csv", ""), ("c.csv", ""))), "m.zip", tmp_path, small)
    with pytest.raises(InputError, match="unpacked"):
        unpack_gzip(write("t.csv.gz", gzip.compress(b"1" * 2000)), "t.csv.gz", tmp_path, small)


@pytest.mark.parametrize(
    "name",
    [
        "../b.csv",
        "/etc/b.csv",
        "C:\\b.csv",
        "dir/b.csv",
        "b.txt",
        "b.csv/",
        "-rf",
        ".hidden.csv",
        "b.csv\x01",
        "b .csv",
    ],
)
def test_fault_39_names_that_reach_out(refused: Refused, write: Write, name: str) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("good.csv", bars(3))
        made.writestr(zipfile.ZipInfo(name), bars(3))
    assert "odd name" in refused(write("slip.zip", archive.getvalue())).found


def test_fault_39_links_doubles_and_passwords(refused: Refused, write: Write) -> None:
    link = zipfile.ZipInfo("b.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr(link, "/etc/passwd")
    assert refused(write("link.zip", archive.getvalue())).found == "a link"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("b.csv", bars(3))
        with pytest.warns(UserWarning, match="Duplicate name"):
            made.writestr("b.csv", bars(4))
    assert refused(write("double.zip", archive.getvalue())).found == "this name twice"
    locked = bytearray(zipped(("b.csv", bars(3))))
    locked[6] |= 1
    locked[locked.rindex(b"PK\x01\x02") + 8] |= 1
    assert refused(write("locked.zip", bytes(locked))).found == "encrypted"
    assert "without files" in refused(write("none.zip", zipped())).found


@pytest.mark.parametrize(
    "name", ["a[1]*?.csv", "it's.csv", 'quo"te.csv', "-rf.csv", "a b;DROP TABLE bars.csv", "币安.csv"]
)
def test_fault_40_file_names_are_names_never_patterns(store: Store, write: Write, name: str) -> None:
    write("a1xx.csv", bars(9, price=1.0))
    assert store.load(write(name, bars(3)), instrument=BTC).stored == 3
    assert store.market_bars(BTC).open[0] == 70_000.0


def test_fault_41_bom_and_windows_line_ends_are_fine(store: Store, write: Write) -> None:
    text = "\ufeff" + bars(3).replace("\n", "\r\n")
    assert store.load(write("b.csv", text), instrument=BTC).stored == 3


def test_fault_41_latin_1_names_the_row(refused: Refused, write: Write) -> None:
    content = (bars(3) + "x").encode() + "café".encode("latin-1") + b"\n"
    error = refused(write("b.csv", content))
    assert error.row == 5
    assert "0xe9" in error.found


def test_fault_41_nul_bytes_blank_lines_and_mixed_line_ends(refused: Refused, write: Write) -> None:
    text = bars(3)
    assert refused(write("b.csv", text.replace("70001.0", "7\x000", 1))).found == "a NUL byte"
    lines = text.splitlines()
    assert refused(write("b.csv", "\n".join([*lines[:2], "", *lines[2:]]) + "\n")).row == 3
    assert "several kinds" in refused(write("b.csv", text.replace("\n", "\r\n", 2))).found


def test_fault_41_control_characters_in_labels(refused: Refused, write: Write) -> None:
    text = "instrument,valid_from,tier,notional_floor,notional_cap,max_leverage,mmr,deduction,source\n"
    text += f"{BTC},2026-01-01,1,0,1000,100,0.004,0,a\x1b[31mred\n"
    error = refused(write("t.csv", text))
    assert error.field == "source"
    assert "\x1b" not in str(error)


def test_a_quote_that_never_ends(refused: Refused, write: Write) -> None:
    lines = bars(4).splitlines()
    lines[2] = lines[2].replace("70001.0", '"70001.0', 1)
    assert refused(write("b.csv", "\n".join(lines) + "\n")).row == 3


def test_fault_42_the_same_file_again_and_again(store: Store, write: Write) -> None:
    file = write("perp.csv", perp(50))
    store.load(file, instrument=BTC)
    before = fingerprint(store), count(store, "loads")
    for _ in range(2):
        report = store.load(file, instrument=BTC)
        assert report.already
        assert report.stored == 0
    assert (fingerprint(store), count(store, "loads")) == before


def test_fault_42_overlapping_files_in_any_order(store: Store, write: Write) -> None:
    first, second = write("a.csv", perp(50)), write("b.csv", perp(50, start=START + 25 * 300_000))
    for file in (second, first, second, first):
        store.load(file, instrument=BTC)
    assert count(store, "bars") == 75
    assert count(store, "bars WHERE load_id = 1") == 50


def test_an_unknown_column_is_named(refused: Refused, write: Write) -> None:
    error = refused(write("b.csv", bars(3).replace("close", "closing")), table="bars")
    assert (error.row, error.field) == (1, "closing")
    error = refused(write("b.csv", bars(3)), table="bars", columns={"close": "closing", "interval_s": 60})
    assert error.field == "closing"
    assert "a column 'closing'" in error.expected


def test_an_instrument_nobody_knows_says_how_to_define_it(refused: Refused, write: Write) -> None:
    error = refused(write("b.csv", bars(3)), instrument="kraken:PF_XBTUSD")
    assert "'kraken:PF_XBTUSD'" in error.found
    assert "instruments" in error.expected
    assert "venue:SYMBOL" in refused(write("b.csv", bars(3)), instrument="BTCUSDT").expected
    assert "--instrument" in refused(write("perp.csv", perp(3)), instrument=None).expected


def test_bars_that_are_not_over_yet_are_left_out(store: Store, write: Write) -> None:
    now = time.time_ns() // 1_000_000
    report = store.load(write("b.csv", bars(5, start=now - 4 * 300_000 - 60_000)), instrument=BTC)
    assert (report.tables[0].stored, report.tables[0].left_out) == (4, 1)
    header = "ts,window_s,side,usd,feed\n"
    rows = f"{now - 60_000},1800,long,5,aggregate\n{now - 60_000},0,long,5,complete\n"
    assert store.load(write("l.csv", header + rows), instrument=BTC).stored == 1


def test_many_rejects_are_all_kept(store: Store, write: Write) -> None:
    lines = bars(3000).splitlines()
    for row in range(1, 3000, 2):
        lines[row] = lines[row].rpartition(",")[0] + f",bad{row}"
    report = store.load(write("b.csv", "\n".join(lines) + "\n"), instrument=BTC, allow_rejects=1500)
    assert len(report.rejects) == count(store, "rejects") == report.tables[0].rejected == 1500
    assert all(r.value == f"bad{r.row - 1}" for r in report.rejects)


def test_a_negative_allowance(refused: Refused, write: Write) -> None:
    assert "0 or more" in refused(write("b.csv", bars(3)), allow_rejects=-1).expected


def test_no_room_to_unpack(refused: Refused, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/proc")
    assert refused(write("b.zip", zipped(("b.csv", bars(3)))))


def test_a_file_of_nothing_but_blanks(refused: Refused, write: Write) -> None:
    assert "1 of 1 rows blank" in refused(write("oi.csv", f"ts,oi_base,oi_usd\n{START},,\n")).found


def test_a_row_bad_for_several_tables_is_one_row(store: Store, refused: Refused, write: Write) -> None:
    lines = perp(6).splitlines()
    lines[2] = "x" + lines[2]
    file = write("perp.csv", "\n".join(lines) + "\n")
    assert "more row" not in str(refused(file))
    report = store.load(file, instrument=BTC, allow_rejects=1)
    assert [(r.row, r.field) for r in report.rejects] == [(3, "timestamp")]
    assert [(t.table, t.stored, t.rejected) for t in report.tables] == [
        ("bars", 5, 1),
        ("open_interest", 5, 1),
        ("funding", 5, 1),
    ]
