"""Strict reader of JSON files: one value per file or one per line; numbers are kept as text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from liqmap._base.errors import InputError
from liqmap.venues.payload import Cell, to_cell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from liqmap.history.loading.types import SourceFile

__all__ = ["JsonDocument", "read_documents"]

_ACCOUNT_KEYS = ("account", "user")
_PAYLOAD_KEYS = ("payload", "clearinghouseState")


@dataclass(frozen=True, slots=True)
class JsonDocument:
    """One response of a venue, with the data of its envelope.

    Attributes:
        place: Path inside the file; empty for the whole file.
        value: The response, its numbers as text.
        account: Account of the response, if the envelope contains it.
        at: Time of the response, if the envelope contains it.
    """

    place: str
    value: Any
    account: Cell = None
    at: Cell = None


def read_documents(source: SourceFile) -> Iterator[JsonDocument]:
    """Yield the documents of a file, plain or in an envelope ``{"account": …, "time": …, "payload": …}``.

    Raises:
        InputError: The file is not UTF-8 or not JSON, or contains ``NaN`` or a repeated key.
    """
    try:
        text = source.path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte 0x{error.object[error.start]:02x}, not UTF-8"
        raise InputError("load", source.where, found, "UTF-8 text", "nothing stored") from None
    if not source.name.endswith((".ndjson", ".jsonl")):
        yield from _unwrap(_parse_json(text, source.where, None), "")
        return
    # Split at "\n" only: JSON text can contain other line separators.
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield from _unwrap(_parse_json(line, source.where, number), f"line {number}")


def _unwrap(value: Any, place: str) -> Iterator[JsonDocument]:  # noqa: ANN401 - any JSON
    if isinstance(value, list) and value and all(_envelope_key(v) for v in value):
        for i, inner in enumerate(value):
            yield from _unwrap(inner, f"{place}[{i}]")
    elif (inside := _envelope_key(value)) is not None:
        owner = next(to_cell(value[name]) for name in _ACCOUNT_KEYS if name in value)
        yield JsonDocument(f"{place}.{inside}".lstrip("."), value[inside], owner, to_cell(value.get("time")))
    else:
        yield JsonDocument(place, value)


def _envelope_key(value: Any) -> str | None:  # noqa: ANN401
    if not isinstance(value, dict) or not any(name in value for name in _ACCOUNT_KEYS):
        return None
    return next((name for name in _PAYLOAD_KEYS if isinstance(value.get(name), dict | list)), None)


def _parse_json(text: str, where: str, row: int | None) -> Any:  # noqa: ANN401
    def reject_constant(word: str) -> NoReturn:
        message = f"{word}, which is not JSON"
        raise ValueError(message)

    def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            message = f"the key {next(n for n in names if names.count(n) > 1)!r} is repeated"
            raise ValueError(message)
        return found

    try:
        value = json.loads(
            text, parse_float=str, parse_int=str, parse_constant=reject_constant, object_pairs_hook=unique_keys
        )
        if "\\ud" in text.lower():  # an escape can produce a lone surrogate, which is not valid text
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        found = "too many nested brackets" if isinstance(error, RecursionError) else str(error)
        expected = "one JSON value (with one value per line, name it .ndjson or .jsonl)" if row is None else "JSON"
        raise InputError("load", where, found, expected, "nothing stored", row=row) from None
    return value
