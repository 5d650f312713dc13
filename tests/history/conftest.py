"""A history to fill, and files to fill it with."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import pytest

from liqmap.history import Store, open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Write: TypeAlias = "Callable[[str, str | bytes], Path]"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.duckdb"


@pytest.fixture
def store() -> Iterator[Store]:
    with open_store(":memory:", "w") as store:
        yield store


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, content: str | bytes) -> Path:
        file = tmp_path / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    return write
