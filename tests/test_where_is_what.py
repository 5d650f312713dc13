"""The files that docs/where-is-what.md names exist and hold what it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parent.parent
_ROWS = re.findall(
    r"^\| ([^|]+) \| `([^`]+)` \| (.+) \|$", (_ROOT / "docs" / "where-is-what.md").read_text("utf-8"), re.MULTILINE
)


def test_it_answers_twelve_questions_or_more() -> None:
    assert len(_ROWS) >= 12


@pytest.mark.parametrize(("change", "path", "there"), _ROWS, ids=[row[0] for row in _ROWS])
def test_the_file_holds_what_is_named(change: str, path: str, there: str) -> None:
    text = (_ROOT / path).read_text("utf-8")
    names = [name for name in re.findall(r"`([\w./]+)`", there) if "/" not in name]
    assert all(re.search(rf"\b{name}\b", text) for name in names), (change, names)
