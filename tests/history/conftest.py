"""Fixtures: an empty history, a file writer, and a check that a file is rejected."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import pytest

from _helpers.history_files import BTC, count, fingerprint
from liqmap._base.errors import LiqmapError
from liqmap.history import Store, open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Write: TypeAlias = "Callable[[str, str | bytes], Path]"
Refused: TypeAlias = "Callable[..., LiqmapError]"


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


@pytest.fixture
def refused(store: Store) -> Refused:
    """Loads a file that must be rejected: a one-line error, and an unchanged history."""

    def refused(file: Path, **options: object) -> LiqmapError:
        before = fingerprint(store), count(store, "loads"), count(store, "rejects")
        with pytest.raises(LiqmapError) as caught:
            store.load(file, **{"instrument": BTC, **options})  # type: ignore[arg-type]
        assert (fingerprint(store), count(store, "loads"), count(store, "rejects")) == before
        line = str(caught.value)
        assert "\n" not in line
        assert line.startswith("liqmap: load: ")
        assert "nothing stored" in line or "stopped" in line
        return caught.value

    return refused
