"""Damaged and malicious archives are rejected completely (faults 37 to 40)."""

from __future__ import annotations

import gzip
import io
import stat
import zipfile
from typing import TYPE_CHECKING

import pytest

from _helpers.history_files import BTC, bars, zipped
from liqmap._base.errors import InputError, LiqmapError
from liqmap.history.loading.archives import ArchiveLimits, unpack_gzip, unpack_zip

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from liqmap.history import Store

    Write = Callable[[str, str | bytes], Path]
    Refused = Callable[..., LiqmapError]


def test_fault_37_truncated_and_damaged_archives_are_rejected(refused: Refused, write: Write) -> None:
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


def test_fault_37_one_invalid_member_rejects_the_whole_archive(refused: Refused, write: Write) -> None:
    error = refused(write("two.zip", zipped(("a.csv", bars(5)), ("b.csv", bars(2).replace("70006.0", "x")))))
    assert error.where.endswith("two.zip!b.csv")
    assert error.row == 3


def test_fault_38_an_archive_beyond_the_size_limits_is_rejected(refused: Refused, write: Write, tmp_path: Path) -> None:
    zeros = b"0" * 30_000_000
    assert "unpacked" in refused(write("bomb.zip", zipped(("b.csv", zeros)))).found
    assert "unpacked" in refused(write("bomb.csv.gz", gzip.compress(zeros))).found
    small = ArchiveLimits(max_members=2, max_bytes=1000, max_ratio=10, free_bytes=100)
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
def test_fault_39_member_names_other_than_plain_file_names_are_rejected(
    refused: Refused, write: Write, name: str
) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("good.csv", bars(3))
        made.writestr(zipfile.ZipInfo(name), bars(3))
    assert "invalid member name" in refused(write("slip.zip", archive.getvalue())).found


def test_fault_39_links_repeated_names_and_encrypted_members_are_rejected(refused: Refused, write: Write) -> None:
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
    assert refused(write("double.zip", archive.getvalue())).found == "a repeated member name"
    locked = bytearray(zipped(("b.csv", bars(3))))
    locked[6] |= 1
    locked[locked.rindex(b"PK\x01\x02") + 8] |= 1
    assert refused(write("locked.zip", bytes(locked))).found == "encrypted"
    assert "without files" in refused(write("none.zip", zipped())).found


@pytest.mark.parametrize(
    "name", ["a[1]*?.csv", "it's.csv", 'quo"te.csv', "-rf.csv", "a b;DROP TABLE bars.csv", "币安.csv"]
)
def test_fault_40_file_names_are_never_used_as_patterns(store: Store, write: Write, name: str) -> None:
    write("a1xx.csv", bars(9, price=1.0))
    assert store.load(write(name, bars(3)), instrument=BTC).stored == 3
    assert store.market_bars(BTC).open[0] == 70_000.0
