"""Interrupted and overlapping runs leave a site that the next run completes and that can be published."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from _helpers.sample_issue import make_issue
from _helpers.site_files import files
from liqmap._base.errors import InputError, StorageError
from liqmap.publish.site_copy import Retention
from liqmap.publish.target import publish
from liqmap.report.site import atomic_files
from liqmap.report.site.atomic_files import is_draft, manifest_matches
from liqmap.report.site.site import ensure_own_site, write_issue
from liqmap.report.site.site_lock import read_lock, write_lock

DRAFTS = (
    ".index.html-4711.new",
    "assets/.a.css-4711.new",
    ".latest-4711.old/x.html",
    "2026-06-12/.0000-4711.new/x.html",
)

KILLED = """
import os, signal, sys
from _helpers.sample_issue import make_issue
from liqmap.report.site.site import write_issue
from pathlib import Path
left = int(sys.argv[2])
issue = make_issue()
def counted(call):
    def run(*arguments, **named):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **named)
    return run
for name in ("write_bytes", "rename", "replace", "unlink"):
    setattr(Path, name, counted(getattr(Path, name)))
if sys.argv[3] == "fallback":
    from liqmap.report.site import atomic_files
    atomic_files.exchange = lambda *_: False
write_issue(issue, sys.argv[1])
"""

WRITER = """
import sys
from _helpers.sample_issue import make_issue
from liqmap.report.site.site import write_issue
issue = make_issue(seed=int(sys.argv[2]))
input()
write_issue(issue, sys.argv[1])
"""


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])}


def leave_drafts(site: Path) -> None:
    for name in DRAFTS:
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_bytes(b"draft")


def drafts(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if is_draft(path.name)]


def test_b5_the_next_report_removes_the_drafts_of_a_killed_one(tmp_path: Path) -> None:
    site = tmp_path / "site"
    write_issue(make_issue(), site)
    before = files(site)
    leave_drafts(site)
    write_issue(make_issue(), site)
    assert files(site) == before
    assert manifest_matches(site)


def test_b5_a_site_with_drafts_is_published_without_them(tmp_path: Path) -> None:
    site = tmp_path / "site"
    write_issue(make_issue(), site)
    leave_drafts(site)
    publish(site, str(tmp_path / "www"), keep=Retention())
    assert manifest_matches(tmp_path / "www")
    assert drafts(tmp_path / "www") == []


def test_b5_a_first_issue_killed_in_its_draft_can_be_repeated(tmp_path: Path) -> None:
    draft = tmp_path / "site" / "2026-06-12" / ".0000-4711.new"
    draft.mkdir(parents=True)
    write_issue(make_issue(), tmp_path / "site")
    assert manifest_matches(tmp_path / "site")


def test_b5_a_foreign_folder_is_neither_swept_nor_written(tmp_path: Path) -> None:
    (tmp_path / ".notes-2024.old").write_bytes(b"mine")
    with pytest.raises(InputError):
        ensure_own_site(tmp_path)
    assert (tmp_path / ".notes-2024.old").exists()


def test_b6_a_folder_moved_away_by_a_killed_run_is_moved_back(tmp_path: Path) -> None:
    (tmp_path / ".latest-4711.old").mkdir()
    atomic_files.sweep_drafts(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["latest"]


def test_b9_the_error_of_a_second_run_names_the_process_of_the_first(tmp_path: Path) -> None:
    site = tmp_path / "site"
    write_issue(make_issue(), site)
    with write_lock(site):
        with pytest.raises(StorageError, match=rf"in use by process {os.getpid()} .*nothing written"):
            write_issue(make_issue(), site)
        with pytest.raises(StorageError, match=rf"in use by process {os.getpid()} .*nothing published"):
            publish(site, str(tmp_path / "www"), keep=Retention())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no shared lock in Python")
def test_b9_two_publications_can_read_one_site(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    with read_lock(tmp_path / "site"), read_lock(tmp_path / "site"):
        pass


@pytest.mark.storm
def test_b9_overlapping_reports_end_in_a_site_that_publishes(tmp_path: Path) -> None:
    site = tmp_path / "site"
    command = [sys.executable, "-c", WRITER, str(site)]
    writers = [
        subprocess.Popen([*command, str(seed)], stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        for seed in range(3)
    ]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"\n")
        writer.stdin.flush()
    ends = [(writer.communicate()[1], writer.returncode) for writer in writers]
    assert any(code == 0 for _, code in ends)
    assert all(code == 0 or b"in use by process" in error for error, code in ends)
    publish(site, str(tmp_path / "www"), keep=Retention())
    assert manifest_matches(tmp_path / "www")


@pytest.mark.storm
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.parametrize(
    ("point", "mode"),
    [(point, "exchange") for point in (0, 5, 40)]
    + [
        pytest.param(point, mode, marks=pytest.mark.slow)
        for mode in ("exchange", "fallback")
        for point in range(1, 200)
    ],
)
def test_b5_a_report_killed_at_any_write_can_be_repeated_and_published(tmp_path: Path, point: int, mode: str) -> None:
    site = tmp_path / "site"
    command = [sys.executable, "-c", KILLED, str(site), str(point), mode]
    ended = subprocess.run(command, env=environment(), capture_output=True, check=False)
    assert ended.returncode in (0, -9), ended.stderr
    write_issue(make_issue(), site)
    assert manifest_matches(site)
    publish(site, str(tmp_path / "www"), keep=Retention())
    assert manifest_matches(tmp_path / "www")
    assert drafts(tmp_path / "www") == []
