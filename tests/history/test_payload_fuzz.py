"""Venue JSON with random changes gives a one-line error, or a report that accounts for all records."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

from _helpers.venue_payloads import write_json
from liqmap import LiqmapError
from liqmap._base import timestamps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from liqmap.history import Store

KINDS = ("*/*osition*.json", "*/clearing*.json", "*/*everage*.json", "*/risk*.json", "*/meta*.json")
VALUES: list[Any] = [None, [], {}, "x", "", "-", "nan", "1e999", "0", -1, True, [[1]], {"a": 1}, "a\x00b"]
TEXTS = ['"', "{", "]", "null", "[1]", "-", "1e999", "\\u0000", "\\ud800", "9", ""]
ROUNDS = 120
AT = timestamps.parse_instant("2026-11-01")


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in members:
        yield (*place, key)
        yield from places(inner, (*place, key))


def replaced_value(text: str, rng: random.Random) -> str:
    """Replace one value at a random path."""
    value = json.loads(text)
    *outer, last = rng.choice(list(places(value)))
    inside = value
    for key in outer:
        inside = inside[key]
    inside[last] = rng.choice(VALUES)
    return json.dumps(value)


def garbled(text: str, rng: random.Random) -> str:
    """Replace a few characters at a random position."""
    at = rng.randrange(len(text))
    return text[:at] + rng.choice(TEXTS) + text[at + rng.randrange(1, 20) :]


def test_damaged_venue_json_gives_a_one_line_error_or_accounted_rows(
    store: Store, tmp_path: Path, shared: Path
) -> None:
    samples = [file.read_text() for kind in KINDS for file in sorted((shared / "api_samples").glob(kind))]
    samples.append((shared / "data/positions/xyz1367487_accounts_excerpt.json").read_text())
    samples.append((shared / "vectors/margin_tiers.json").read_text())
    rng = random.Random(3)
    loaded = 0
    for number in range(ROUNDS):
        broken = rng.choice([replaced_value, garbled])(rng.choice(samples), rng)
        arguments = {} if rng.random() < 1 / 3 else {"account": "desk", "at": AT}
        try:
            report = store.load(
                write_json(tmp_path, broken, f"{number}.json"), allow_rejects=3, replace=True, **arguments
            )
        except LiqmapError as error:
            assert str(error).startswith("liqmap: ")  # noqa: PT017 - either outcome is right, a traceback is not
            assert "\n" not in str(error)  # noqa: PT017
        else:
            loaded += 1
            parts = ("stored", "known", "rejected", "left_out", "duplicates", "blank")
            assert all(t.read == sum(getattr(t, part) for part in parts) for t in report.tables)
    assert 10 < loaded < ROUNDS - 10
