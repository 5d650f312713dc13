"""Timestamps: UTC microseconds as integers internally, ISO 8601 with ``Z`` in input and output."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from liqmap._base.errors import InputError

__all__ = ["EARLIEST", "Instant", "InstantLike", "iso", "parse_duration", "parse_instant"]

Instant: TypeAlias = int
"""Microseconds since 1970-01-01T00:00:00Z."""

InstantLike: TypeAlias = str | int | datetime
"""Accepted time arguments: ISO 8601 text (UTC if it has no zone), microseconds, or an aware ``datetime``."""

EARLIEST: Instant = 1_230_768_000_000_000
"""2009-01-01, before any supported market existed; an earlier time indicates a wrong unit."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|d|w)")
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}


def parse_instant(value: InstantLike, *, stage: str = "time") -> Instant:
    """Parse a time into UTC microseconds.

    Raises:
        InputError: The text is not ISO 8601, or a ``datetime`` has no zone.

    Example:
        >>> parse_instant("2026-06-04T12:00Z")
        1780574400000000
    """
    if isinstance(value, int):
        return value
    moment = value
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment.strip())
        except ValueError:
            raise InputError(stage, "time", repr(value), "ISO 8601, such as 2026-06-04T12:00Z", "stopped") from None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
    if moment.tzinfo is None:
        raise InputError(stage, "time", repr(value), "a datetime with a zone", "stopped")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def iso(instant: Instant) -> str:
    """Format an instant as ISO 8601 in UTC, without trailing zero fractions.

    Example:
        >>> iso(1780574400000000)
        '2026-06-04T12:00:00Z'
    """
    return (_EPOCH + timedelta(microseconds=instant)).isoformat().replace("+00:00", "Z")


def parse_duration(text: str, *, stage: str = "time") -> Instant:
    """Parse a duration such as ``5m``, ``12h`` or ``30d`` into microseconds.

    Raises:
        InputError: The text is not a duration, or the duration is zero.

    Example:
        >>> parse_duration("12h") // 1_000_000
        43200
    """
    match = _DURATION.fullmatch(text.strip())
    span = 0 if match is None else round(float(match[1]) * _SECONDS[match[2]] * 1_000_000)
    if span <= 0:
        raise InputError(stage, "duration", repr(text), "a span such as 5m, 12h or 30d", "stopped")
    return span
