"""The project uses the field's words: no term of the stop list stands in a name, docstring, document or page."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parent.parent
_LIST = _ROOT / "tests" / "stop_list.txt"
_FOLDERS = ("python", "rust", "docs", "tests", "reports", "benchmarks")
_SUFFIXES = {".css", ".html", ".js", ".md", ".py", ".pyi", ".rs", ".sql", ".svg", ".toml", ".txt", ".xml"}
# The glossary names the former terms beside the terms that replace them; this file tests the search with some.
_EXEMPT = {_LIST, _ROOT / "docs" / "glossary.md", Path(__file__).resolve()}
# Published JSON keys stay: scorecard.json has the key "said" for predicted amounts.
_PUBLISHED_KEYS = {Path("python/liqmap/score/reliability.py"): '"said"'}
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_COMMENT = re.compile(r"\n[ \t]*(?:#|///?!?|--|\*)?[ \t]*")


def _terms() -> list[str]:
    return [line for line in _LIST.read_text().splitlines() if line and not line.startswith("#")]


def _normalised(text: str) -> str:
    """Lower-case words: identifiers split, line breaks inside comments and docstrings closed."""
    return _CAMEL.sub(" ", _COMMENT.sub(" ", text)).replace("_", " ").lower()


@cache
def _sources() -> list[Path]:
    files = [path for folder in _FOLDERS for path in (_ROOT / folder).rglob("*") if path.suffix in _SUFFIXES]
    files += [*_ROOT.glob("*.md"), _ROOT / "Makefile", _ROOT / "pyproject.toml"]
    hidden = {".venv", "__pycache__", "target"}
    return sorted(path for path in files if path not in _EXEMPT and not hidden & set(path.parts))


@cache
def _pattern() -> re.Pattern[str]:
    return re.compile(r"(?<![a-z])(?:" + "|".join(re.escape(term) for term in _terms()) + r")(?![a-z])")


@pytest.mark.parametrize("folder", [*_FOLDERS, "."])
def test_no_term_of_the_stop_list_is_used(folder: str) -> None:
    found = []
    for path in _sources():
        place = path.relative_to(_ROOT)
        if (place.parts[0] if len(place.parts) > 1 else ".") == folder:
            source = path.read_text("utf-8").replace(_PUBLISHED_KEYS.get(place, "\0"), "")
            text = _normalised(f"{place}\n{source}")
            found += [
                f"{place}: {match.group()} ({text[max(0, match.start() - 40) : match.end() + 20]!r})"
                for match in _pattern().finditer(text)
            ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("text", ["Nursery", "nursery_of", "_told", "as\n    # it stands", "heedTold", "is TOLD, and"])
def test_the_stop_list_finds_a_term_in_every_form(text: str) -> None:
    assert _pattern().search(_normalised(text))


@pytest.mark.parametrize("text", ["clearinghouse", "toldness", "a dashed line", "untold"])
def test_the_stop_list_leaves_longer_words_alone(text: str) -> None:
    assert not _pattern().search(_normalised(text))
