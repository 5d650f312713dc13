"""Input files: type detection by content, checksum, and validation of the text encoding."""

from __future__ import annotations

import csv
import hashlib
import io
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from liqmap._base.errors import InputError, StorageError
from liqmap.history.loading.archives import unpack_gzip, unpack_zip
from liqmap.history.loading.types import OpenedFile, SourceFile

if TYPE_CHECKING:
    from collections.abc import Iterator


__all__ = ["check_readable", "open_file"]

_CHUNK_BYTES = 1 << 20
_HEAD_BYTES = 1 << 16
_ZIP, _GZIP, _PARQUET = b"PK\x03\x04", b"\x1f\x8b", b"PAR1"
_EMPTY_ZIP = b"PK\x05\x06"
_JSON_SUFFIXES = (".json", ".ndjson", ".jsonl")
_SUFFIXES = {".zip": "zip", ".gz": "gzip", ".parquet": "parquet", ".pq": "parquet"} | dict.fromkeys(
    _JSON_SUFFIXES, "json"
)
_MIN_PARQUET_BYTES = 12


@contextmanager
def open_file(path: Path) -> Iterator[OpenedFile]:
    """Open a CSV, Parquet, JSON, zip or gz file; unpacked files are deleted afterwards.

    Raises:
        InputError: The file is missing, empty, damaged, an HTML page, not UTF-8, or of another type than its name.
    """
    where = str(path)
    kind = _detect_kind(path, where)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    _check_published_checksum(path, where, sha256)
    if kind not in ("zip", "gzip"):
        yield OpenedFile(where, sha256, (_inspect_file(path, where, path.name, None),))
        return
    with _unpack_errors(where):
        scratch = tempfile.TemporaryDirectory(prefix="liqmap-")
    with scratch as folder:
        with _unpack_errors(where):
            sources = _unpack(path, where, kind, Path(folder))
        yield OpenedFile(where, sha256, sources)


def check_readable(path: Path) -> None:
    """Check the first bytes of a file, before a history is opened or created for it.

    Raises:
        InputError: The file is missing, empty, or of another type than its name.
    """
    _detect_kind(path, str(path))


def _unpack(path: Path, where: str, kind: str, scratch: Path) -> tuple[SourceFile, ...]:
    if kind == "zip":
        files = unpack_zip(path, where, scratch)
        return tuple(_inspect_file(f, f"{where}!{member}", member, member) for member, f in files)
    return (_inspect_file(unpack_gzip(path, where, scratch), where, path.name.removesuffix(".gz"), None),)


@contextmanager
def _unpack_errors(where: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        found = f"{error.strerror or error} while unpacking"
        raise StorageError("load", where, found, "sufficient space in the temporary folder", "nothing stored") from None


def _check_published_checksum(path: Path, where: str, sha256: str) -> None:
    """Compare the file with its published checksum (``<name>.CHECKSUM`` in the same folder), if there is one."""
    published = path.with_name(f"{path.name}.CHECKSUM")
    if published.is_file():
        words = published.read_text("utf-8", errors="replace").split()
        if not words or words[0].lower() != sha256:
            found = f"sha256 {sha256}"
            expected = f"{words[0][:64] if words else 'a checksum'} as published in {published.name}"
            raise InputError("load", where, found, expected, "nothing stored")


def _detect_kind(path: Path, where: str) -> str:
    try:
        with path.open("rb") as file:
            head = file.read(len(_ZIP))
    except IsADirectoryError:
        raise InputError("load", where, "a folder", "a file", "nothing stored") from None
    except (OSError, ValueError) as error:
        found = "no such file" if isinstance(error, FileNotFoundError) else getattr(error, "strerror", "") or str(error)
        raise InputError("load", where, found, "a CSV, Parquet, JSON, zip or gz file", "nothing stored") from None
    if not head:
        raise InputError("load", where, "an empty file", "a header and rows", "nothing stored")
    magic = {_ZIP: "zip", _EMPTY_ZIP: "zip", _PARQUET: "parquet"}.get(head, "")
    actual = magic or ("gzip" if head[:2] == _GZIP else "csv")
    named = _SUFFIXES.get(path.suffix.lower(), "csv")
    if named == "json" and actual == "csv" and _starts_as_json(path):
        actual = "json"
    if actual != named:
        found = f"{_describe_content(path)}, not {named}"
        raise InputError("load", where, found, f"a complete {named} file, according to its name", "nothing stored")
    return actual


def _starts_as_json(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(80).lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"["))


def _describe_content(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(80)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return "an HTML or XML page"
    return f"bytes {head[:8]!r}"


def _inspect_file(path: Path, where: str, name: str, member: str | None) -> SourceFile:
    size = path.stat().st_size
    if size == 0:
        raise InputError("load", where, "an empty file", "a header and rows", "nothing stored")
    if path.suffix == ".parquet" or name.endswith((".parquet", ".pq")):
        _check_parquet(path, where, size)
        return SourceFile(where, name, member, path, "parquet", (), lacks_final_newline=False, size=size)
    if name.endswith(_JSON_SUFFIXES):
        return SourceFile(where, name, member, path, "json", (), lacks_final_newline=False, size=size)
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise InputError("load", where, "an HTML or XML page", "comma-separated rows", "nothing stored")
    lacks_newline = _check_text(path, where)
    text = head.decode("utf-8-sig", errors="replace")
    cells = next(csv.reader(io.StringIO(text, newline="")), [])
    first_row = tuple(cell.strip() for cell in cells)
    return SourceFile(where, name, member, path, "csv", first_row, lacks_final_newline=lacks_newline, size=size)


def _check_parquet(path: Path, where: str, size: int) -> None:
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(max(0, size - 4))
        tail = file.read(4)
    if size < _MIN_PARQUET_BYTES or head != _PARQUET or tail != _PARQUET:
        found = f"{size:,} bytes without a Parquet footer"
        raise InputError("load", where, found, "a whole Parquet file", "nothing stored")


def _check_text(path: Path, where: str) -> bool:
    """Validate a text file (UTF-8, no NUL, one kind of line end, no blank line); return if it lacks a last newline."""
    rows = pairs = returns = 0
    blank: int | None = None
    last = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            chunk += file.readline()  # complete lines only
            _check_characters(chunk, where, rows)
            pairs += chunk.count(b"\r\n")
            returns += chunk.count(b"\r")
            lines = chunk.replace(b"\r\n", b"\n") if pairs else chunk
            if blank is None and (at := 0 if lines.startswith(b"\n") else lines.find(b"\n\n") + 1 or None) is not None:
                blank = rows + lines.count(b"\n", 0, at) + 1
                lines = lines[at:]
            if blank is not None and lines.strip(b"\n"):
                raise InputError("load", where, "a blank line", "a row", "nothing stored", row=blank)
            rows += chunk.count(b"\n")
            last = chunk
    if returns and not returns == pairs == rows:
        raise InputError("load", where, "several kinds of line ends", "one kind of line end", "nothing stored")
    return not last.endswith(b"\n")


def _check_characters(text: bytes, where: str, rows: int) -> None:
    if (at := text.find(b"\0")) >= 0:
        row = rows + text.count(b"\n", 0, at) + 1
        raise InputError("load", where, "a NUL byte", "text", "nothing stored", row=row)
    if text.isascii():
        return
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        row = rows + text.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{text[error.start]:02x}, not UTF-8 (possibly Latin-1)"
        raise InputError("load", where, found, "UTF-8 text", "nothing stored", row=row) from None
