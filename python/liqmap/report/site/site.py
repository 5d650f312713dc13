"""A site is a folder of immutable issues and of files derived from them.

::

    index.html  archive.html  feed.xml  issues.js  manifest.json  assets/…  instruments/<instrument>.html
    2026-06-12/0000/index.html  issue.json  manifest.json  <instrument>/map.html  map.csv  map.json  …
    latest/…                                  the newest issue at a fixed path
"""

from __future__ import annotations

import json
import re
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from liqmap._base.errors import InputError, StorageError
from liqmap.report.site.archive_pages import archive_files
from liqmap.report.site.assets import assets
from liqmap.report.site.atomic_files import (
    MANIFEST,
    is_draft,
    json_bytes,
    manifest_entry,
    replace_folder,
    sweep_drafts,
    write_file,
)
from liqmap.report.site.issue import FRONT, INNER, issue_files, issue_path, relocate_links
from liqmap.report.site.site_lock import write_lock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from liqmap.report.facts import Issue
    from liqmap.report.site.types import IssueSummary

__all__ = [
    "ensure_own_site",
    "issues",
    "locked_site",
    "read_summary",
    "rebuild_site_files",
    "write_issue",
    "write_issue_folder",
]

_ISSUE_PATH = re.compile(r"\d{4}-\d{2}-\d{2}/\d{4}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_CALENDAR_MARKER = b"<!--archive-->"


def write_issue(issue: Issue, out: Path | str) -> Path:
    """Write an issue and rebuild the derived files of the site; the same issue gives the same bytes.

    The issue folder is written atomically. A back-filled older issue is added to the archive and does not change
    ``latest/``.

    Args:
        issue: Data of the issue.
        out: Folder of the site; created if missing.

    Returns:
        Path of the issue's front page.

    Raises:
        InputError: ``out`` is a file or a non-empty folder that is not a site.
        StorageError: The site cannot be written.
    """
    site = Path(out)
    try:
        with locked_site(site):
            earlier = [known for known in issues(site) if known < issue_path(issue.at)]
            write_issue_folder(site, issue, read_summary(site, earlier[-1]) if earlier else None)
            rebuild_site_files(site)
    except StorageError:
        raise
    except OSError as error:
        raise StorageError(
            "report", str(site), str(error), "a writable folder", "the issue is not published"
        ) from error
    return site / issue_path(issue.at) / "index.html"


@contextmanager
def locked_site(site: Path) -> Iterator[None]:
    """Hold the write lock of a site, without the drafts of interrupted runs.

    Raises:
        InputError: ``site`` is a file or a non-empty folder that is not a site.
        StorageError: Another process uses the site, or it cannot be written.
    """
    ensure_own_site(site)
    with write_lock(site):
        ensure_own_site(site)  # again: the folder may have changed before the lock was taken
        sweep_drafts(site)
        yield


def write_issue_folder(site: Path, issue: Issue, previous: IssueSummary | None) -> None:
    """Write only the folder of an issue; :func:`rebuild_site_files` adds it to the site."""
    replace_folder(site / issue_path(issue.at), issue_files(issue, previous))


def rebuild_site_files(site: Path) -> None:
    """Rebuild all files that are derived from the issues: front page, ``latest/``, archive, feed and manifest.

    The manifest is written last. Outdated assets and instrument pages are deleted.
    """
    known = issues(site)
    summaries = [read_summary(site, path) for path in known]
    files = {f"assets/{name}": content for name, content in assets().items()}
    files |= archive_files(summaries)
    latest: dict[str, bytes] = {}
    if known:
        newest = site / known[-1]
        for name in json.loads((newest / MANIFEST).read_bytes())["files"]:
            content = (newest / name).read_bytes()
            if name == "index.html":
                calendar = files.pop("calendar.html")
                files["index.html"] = relocate_links(content, FRONT, "", "latest/").replace(_CALENDAR_MARKER, calendar)
                latest[name] = relocate_links(content, FRONT, "../")
            elif name != "issue.json":
                latest[name] = relocate_links(content, INNER, "../../") if name.endswith(".html") else content
    for name, content in files.items():
        write_file(site / name, content)
    _update_latest(site / "latest", latest)
    # Published issues keep the assets they refer to.
    kept = {*assets(), *(name for summary in summaries for name in summary["assets"])}
    for stale in (site / "assets").iterdir():
        if stale.name not in kept:
            stale.unlink()
    for stale in (site / "instruments").glob("*.html"):
        if f"instruments/{stale.name}" not in files:
            stale.unlink()
    write_file(site / MANIFEST, _site_manifest(site, known))


def _update_latest(folder: Path, files: dict[str, bytes]) -> None:
    there = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    if there.keys() == files.keys() and all(path.read_bytes() == files[name] for name, path in there.items()):
        return
    if files:
        replace_folder(folder, files)
    else:
        shutil.rmtree(folder, ignore_errors=True)


def issues(site: Path) -> list[str]:
    """Paths of the issues of a site, oldest first."""
    found = (entry.parent.relative_to(site).as_posix() for entry in site.glob("*/*/issue.json"))
    return sorted(path for path in found if _ISSUE_PATH.fullmatch(path))


def read_summary(site: Path, path: str) -> IssueSummary:
    """Read the summary of an issue.

    Raises:
        InputError: The summary is not valid JSON.
    """
    file = site / path / "issue.json"
    try:
        found: IssueSummary = json.loads(file.read_bytes())
    except ValueError as error:
        raise InputError("report", str(file), str(error), "an issue's summary", "nothing written") from None
    return found


def ensure_own_site(site: Path) -> None:
    """Refuse to write a site over other files.

    Raises:
        InputError: ``site`` is a file or a non-empty folder that is not a site.
    """
    if site.is_file():
        raise InputError("report", str(site), "a file", "a folder", "nothing written")
    if (
        site.is_dir()
        and not (site / MANIFEST).is_file()
        and not issues(site)
        and not all(map(_only_drafts, site.iterdir()))
    ):
        expected = "an empty folder or a site written by liqmap"
        raise InputError("report", str(site), "a folder with other files", expected, "nothing written")


def _only_drafts(entry: Path) -> bool:
    """Whether an entry is the folder of a date whose first issue was interrupted."""
    return (
        _DATE.fullmatch(entry.name) is not None
        and entry.is_dir()
        and all(is_draft(found.name) for found in entry.iterdir())
    )


def _site_manifest(site: Path, known: list[str]) -> bytes:
    """SHA-256 and size of every file; entries of the immutable issues are copied from their own manifests."""
    entries: dict[str, dict[str, str | int]] = {}
    for path in known:
        own = (site / path / MANIFEST).read_bytes()
        entries |= {f"{path}/{name}": listed for name, listed in json.loads(own)["files"].items()}
        entries[f"{path}/{MANIFEST}"] = manifest_entry(own)
    for folder in ("", "assets", "instruments"):
        for found in (site / folder).glob("*"):
            if found.is_file() and found.name != MANIFEST:
                entries[found.relative_to(site).as_posix()] = manifest_entry(found.read_bytes())
    for found in (site / "latest").rglob("*"):
        if found.is_file():
            entries[found.relative_to(site).as_posix()] = manifest_entry(found.read_bytes())
    return json_bytes({"files": dict(sorted(entries.items()))})
