"""Zip and gz archives: unpacked as a stream within limits; an archive with any invalid member is rejected."""

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
    """Limits for unpacking; the sizes in archive headers are not trusted.

    Attributes:
        max_members: Maximum number of files in an archive.
        max_bytes: Maximum bytes of all unpacked files.
        max_ratio: Maximum unpacked size as a multiple of the packed size; applies above ``free_bytes``.
        free_bytes: Bytes that are allowed whatever the packed size.
    """

    max_members: int = 1000
    max_bytes: int = 64 << 30
    max_ratio: int = 200
    free_bytes: int = 16 << 20


DEFAULT_LIMITS = ArchiveLimits()


def unpack_zip(path: Path, where: str, folder: Path, limits: ArchiveLimits = DEFAULT_LIMITS) -> list[tuple[str, Path]]:
    """Unpack all members under generated file names; return ``(member, file)`` in the archive's order.

    Raises:
        InputError: The file is not a zip archive, is truncated, exceeds the limits, or a member has a wrong checksum,
            a repeated name, a name other than a plain CSV or Parquet file name, is a link or is encrypted.
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
        InputError: The file is not a gz file, is truncated, has a wrong checksum, or exceeds the limits.
    """
    target = folder / "0.csv"
    with _archive_errors(where), gzip.open(path) as packed:
        _copy_up_to(packed, target, where, _unpack_limit(path, limits))
    return target


def _unpack_limit(path: Path, limits: ArchiveLimits) -> int:
    return min(limits.max_bytes, max(limits.free_bytes, path.stat().st_size * limits.max_ratio))


def _copy_up_to(packed: _Readable, target: Path, where: str, allowed: int) -> int:
    written = 0
    with target.open("wb") as file:
        while chunk := packed.read(_CHUNK_BYTES):
            written += len(chunk)
            if written > allowed:
                found = f"more than {allowed:,} bytes unpacked"
                raise InputError("load", where, found, "an archive within the size limits", "nothing stored")
            file.write(chunk)
    return written


def _validate_members(members: list[zipfile.ZipInfo], where: str, limits: ArchiveLimits) -> None:
    if not members:
        raise InputError("load", where, "an archive without files", "CSV or Parquet files", "nothing stored")
    if len(members) > limits.max_members:
        expected = f"at most {limits.max_members}"
        raise InputError("load", where, f"{len(members)} members", expected, "nothing stored")
    names = [m.filename for m in members]
    for member in members:
        inside = f"{where}!{member.filename}"
        if stat.S_ISLNK(member.external_attr >> 16):
            raise InputError("load", inside, "a link", "a file", "nothing stored")
        if not _MEMBER_NAME.fullmatch(member.filename):
            expected = "plain names ending in .csv or .parquet, no folders"
            raise InputError("load", inside, "an invalid member name", expected, "nothing stored")
        if names.count(member.filename) > 1:
            raise InputError("load", inside, "a repeated member name", "unique names", "nothing stored")
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
        raise InputError("load", where, f"damaged: {error}", "an intact archive", "nothing stored") from None
