"""Folders of a site are replaced atomically."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import pytest

from liqmap.report.site import atomic_files
from liqmap.report.site.atomic_files import replace_folder
from liqmap.report.site.folder_exchange import exchange

if TYPE_CHECKING:
    from pathlib import Path

REPLACEMENTS = 400

atomic = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no atomic exchange of folders")


def polled(target: Path, replacements: int) -> tuple[int, int]:
    """Replace a folder many times; returns the number of polls of a file in it and of failed polls."""
    replace_folder(target, {"index.html": b"0"})
    polls = missing = 0
    done = threading.Event()

    def poll() -> None:
        nonlocal polls, missing
        while not done.is_set():
            polls += 1
            missing += not (target / "index.html").exists()

    reader = threading.Thread(target=poll)
    reader.start()
    for number in range(replacements):
        replace_folder(target, {"index.html": b"%d" % number, "map.html": b""})
    done.set()
    reader.join()
    return polls, missing


@atomic
def test_a_reader_finds_the_folder_during_every_replacement(tmp_path: Path) -> None:
    polls, missing = polled(tmp_path / "latest", REPLACEMENTS)
    assert polls > REPLACEMENTS
    assert missing == 0
    assert [path.name for path in tmp_path.iterdir()] == ["latest"]


def test_without_an_exchange_two_renames_replace_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic_files, "exchange", lambda *_: False)
    for content in (b"old", b"new"):
        replace_folder(tmp_path / "latest", {"index.html": content})
    assert (tmp_path / "latest" / "index.html").read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["latest"]


@atomic
def test_a_missing_path_cannot_be_exchanged(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(FileNotFoundError):
        exchange(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a").is_dir()
