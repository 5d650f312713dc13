"""Archives from outside: streamed under limits, one plain file per member, or nothing at all."""

from __future__ import annotations

import gzip
import re
import stat
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from liqmap._base.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["DEFAULT_LIMITS", "ArchiveLimits", "unpack_gzip", "unpack_zip"]

_CHUNK_BYTES = 1 << 20
_MEMBER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}\.(csv|parquet)")
_ENCRYPTED_FLAG = 0x1


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """What an archive may grow to; its own headers are not trusted.

    Attributes:
        members: Files in one archive.
        total: Bytes of all of them.
        ratio: Times the packed size, once more than ``free`` bytes came out.
        free: Bytes that any archive may unpack to.
    """

    members: int = 1000
    total: int = 64 << 30
    ratio: int = 200
    free: int = 16 << 20


DEFAULT_LIMITS = ArchiveLimits()


def unpack_zip(path: Path, where: str, folder: Path, limits: ArchiveLimits = DEFAULT_LIMITS) -> list[tuple[str, Path]]:
    """Unpack every member under a name of our own; returns ``(member, file)`` in the archive's order.

    Raises:
        InputError: No zip, truncated, a bad checksum, a name that is not a plain CSV or Parquet file's, a name twice,
            a link, encrypted, or more than the limits allow.
    """
    with _archive_errors(where), zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        _validate_members(members, where, limits)
        allowed = _unpack_limit(path, limits)
        files = []
        for index, member in enumerate(members):
            target = folder / f"{index}.{member.filename.rpartition('.')[2]}"
            inside = f"{where}!{member.filename}"
            with _archive_errors(inside), archive.open(member) as packed:
                allowed -= _copy_up_to(packed, target, inside, allowed)
            files.append((member.filename, target))
        return files


def unpack_gzip(path: Path, where: str, folder: Path, limits: ArchiveLimits = DEFAULT_LIMITS) -> Path:
    """Unpack a gz file.

    Raises:
        InputError: No gz, truncated, a bad checksum, or more than the limits allow.
    """
    target = folder / "0.csv"
    with _archive_errors(where), gzip.open(path) as packed:
        _copy_up_to(packed, target, where, _unpack_limit(path, limits))
    return target


def _unpack_limit(path: Path, limits: ArchiveLimits) -> int:
    return min(limits.total, max(limits.free, path.stat().st_size * limits.ratio))


def _copy_up_to(packed: _Readable, target: Path, where: str, allowed: int) -> int:
    written = 0
    with target.open("wb") as file:
        while chunk := packed.read(_CHUNK_BYTES):
            written += len(chunk)
            if written > allowed:
                found = f"more than {allowed:,} bytes unpacked"
                raise InputError("load", where, found, "an archive that is no bomb", "nothing stored")
            file.write(chunk)
    return written


def _validate_members(members: list[zipfile.ZipInfo], where: str, limits: ArchiveLimits) -> None:
    if not members:
        raise InputError("load", where, "an archive without files", "CSV or Parquet files", "nothing stored")
    if len(members) > limits.members:
        expected = f"at most {limits.members}"
        raise InputError("load", where, f"{len(members)} members", expected, "nothing stored")
    names = [m.filename for m in members]
    for member in members:
        inside = f"{where}!{member.filename}"
        if stat.S_ISLNK(member.external_attr >> 16):
            raise InputError("load", inside, "a link", "a file", "nothing stored")
        if not _MEMBER_NAME.fullmatch(member.filename):
            expected = "plain names ending in .csv or .parquet, no folders"
            raise InputError("load", inside, "an odd name in the archive", expected, "nothing stored")
        if names.count(member.filename) > 1:
            raise InputError("load", inside, "this name twice", "each name once", "nothing stored")
        if member.flag_bits & _ENCRYPTED_FLAG:
            raise InputError("load", inside, "encrypted", "an archive without a password", "nothing stored")


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@contextmanager
def _archive_errors(where: str) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError("load", where, f"damaged: {error}", "a whole archive", "nothing stored") from None
