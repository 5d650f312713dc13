"""A site is a folder: issues that never change, ``latest/`` beside them, assets named by their own hash.

::

    index.html  archive.html  manifest.json  assets/…
    2026-06-12/0000/index.html  issue.json  manifest.json  <instrument>/map.html  map.csv  map.json  clusters.csv
    latest/…                                  the newest issue again, at a place that does not change
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from liqmap.charts.theme import css
from liqmap.errors import InputError, StorageError
from liqmap.instruments import slug
from liqmap.report import words
from liqmap.report.page import Missing, Shown
from liqmap.report.pages import page
from liqmap.report.render import archive_page, front_page, instrument_page
from liqmap.report.vega import bundle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from liqmap.clock import Instant
    from liqmap.report.facts import Facts, Issue

__all__ = ["Place", "issue_path", "write_issue"]

_ISSUE = re.compile(r"\d{4}-\d{2}-\d{2}/\d{4}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page stands, so that its links work from any folder, a disk's too.

    Attributes:
        root: From the page to the site's folder: ``""``, ``"../"``, …
        issue: From the page to its issue's folder.
        assets: Stem → name of each shared file, which carries sixteen digits of its own sha256: cached for ever.
        permanent: The issue's own path below the site's folder.
        previous: The path of the issue before, if there is one.
    """

    root: str
    issue: str
    assets: Mapping[str, str]
    permanent: str
    previous: str | None


def issue_path(at: Instant) -> str:
    """The folder of an issue.

    Example:
        >>> issue_path(1781222400000000)
        '2026-06-12/0000'
    """
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).strftime("%Y-%m-%d/%H%M")


def write_issue(issue: Issue, out: Path | str) -> Path:
    """Write an issue and all that points to it; the same issue gives the same bytes.

    The issue's folder appears whole or not at all. An older issue written later joins the archive and leaves
    ``latest/`` alone.

    Args:
        issue: What to write.
        out: The site's folder; made if missing.

    Returns:
        The issue's front page.

    Raises:
        InputError: ``out`` is a file, or a folder that holds something else.
        StorageError: It cannot be written.
    """
    site = Path(out)
    _ours(site)
    path = issue_path(issue.at)
    try:
        site.mkdir(parents=True, exist_ok=True)
        names = _write_assets(site / "assets")
        shown = _shown(issue)
        earlier = [known for known in _issues(site) if known < path]
        previous = earlier[-1] if earlier else None

        def place(root: str, folder: str) -> Place:
            return Place(root, folder, names, path, previous)

        dated = _files(issue, shown, place("../../", ""), place("../../../", "../"))
        dated["issue.json"] = _json(_summary(issue, path))
        dated["manifest.json"] = _manifest(dated)
        _replace_folder(site / path, dated)
        if _issues(site)[-1] == path:
            _replace_folder(site / "latest", _files(issue, shown, place("../", ""), place("../../", "../")))
            _write(site / "index.html", front_page(issue, place("", "latest/")).encode())
        summaries = [json.loads((site / known / "issue.json").read_text("utf-8")) for known in reversed(_issues(site))]
        archive = archive_page(issue.report.title, summaries, place("", "latest/"), simulated=issue.simulated)
        _write(site / "archive.html", archive.encode())
        _write(site / "manifest.json", _site_manifest(site))
    except OSError as error:
        raise StorageError(
            "report", str(site), str(error), "a folder to write to", "the issue is not published"
        ) from error
    return site / path / "index.html"


def _shown(issue: Issue) -> dict[tuple[str, str], Shown | Missing]:
    """What each page says, by instrument and page: drawn once for all the places where it stands."""
    return {(facts.map.instrument, name): _show(facts, name) for facts in issue.facts for name in issue.report.pages}


def _show(facts: Facts, name: str) -> Shown | Missing:
    material = facts.material.get(name)
    return material if isinstance(material, Missing) else page(name).show(facts, material)


def _files(
    issue: Issue, shown: Mapping[tuple[str, str], Shown | Missing], front: Place, inner: Place
) -> dict[str, bytes]:
    """The pages and data files of an issue, by path below its folder."""
    files = {"index.html": front_page(issue, front).encode()}
    for facts in issue.facts:
        folder = slug(facts.map.instrument)
        for name in issue.report.pages:
            said = shown[facts.map.instrument, name]
            files[f"{folder}/{name}.html"] = instrument_page(issue, facts, name, said, inner).encode()
            if isinstance(said, Shown):
                files |= {f"{folder}/{file}": content for file, content in said.files.items()}
    return files


def _summary(issue: Issue, path: str) -> dict[str, Any]:
    """What the archive needs to know of an issue."""
    return {
        "path": path,
        "at": issue.at,
        "title": issue.report.title,
        "simulated": issue.simulated,
        "instruments": [
            {
                "instrument": facts.map.instrument,
                "slug": slug(facts.map.instrument),
                "mark_price": facts.map.mark_price,
                "tick": facts.map.grid.tick,
                "finding": words.finding(facts),
            }
            for facts in issue.facts
        ],
    }


def _write_assets(folder: Path) -> dict[str, str]:
    names = {}
    for stem, (suffix, content) in _assets().items():
        name = f"{stem}-{hashlib.sha256(content).hexdigest()[:16]}{suffix}"
        if not (folder / name).exists():
            _write(folder / name, content)
        names[stem] = name
    return names


@cache
def _assets() -> dict[str, tuple[str, bytes]]:
    """Every file of ``report/assets/`` by its stem, the colours put in front of the style sheet, and Vega."""
    files = (Path(entry.name) for entry in (resources.files("liqmap.report") / "assets").iterdir())
    found = {
        file.stem: (file.suffix, resources.files("liqmap.report").joinpath("assets", file.name).read_bytes())
        for file in sorted(files)
    }
    found["site"] = (".css", css().encode() + found["site"][1])
    return found | {"vega": (".js", bundle())}


def _issues(site: Path) -> list[str]:
    """Paths of the site's issues, oldest first."""
    found = (entry.parent.relative_to(site).as_posix() for entry in site.glob("*/*/issue.json"))
    return sorted(path for path in found if _ISSUE.fullmatch(path))


def _ours(site: Path) -> None:
    """Refuse to write a site over something that is none."""
    if site.is_file():
        raise InputError("report", str(site), "a file", "a folder", "nothing written")
    if site.is_dir() and any(site.iterdir()) and not (site / "manifest.json").is_file():
        expected = "an empty folder or a site of liqmap's"
        raise InputError("report", str(site), "a folder with other things in it", expected, "nothing written")


def _replace_folder(target: Path, files: Mapping[str, bytes]) -> None:
    """Put a folder in place whole; what stood there before goes only once the new one is complete."""
    draft = target.with_name(f".{target.name}-{os.getpid()}.new")
    old = target.with_name(f".{target.name}-{os.getpid()}.old")
    for leftover in (draft, old):
        shutil.rmtree(leftover, ignore_errors=True)
    for name, content in files.items():
        _write(draft / name, content)
    if target.exists():
        target.rename(old)
    draft.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _write(path: Path, content: bytes) -> None:
    """Write a file whole: a reader sees the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}-{os.getpid()}.new")
    draft.write_bytes(content)
    draft.replace(path)


def _entry(content: bytes) -> dict[str, str | int]:
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def _manifest(files: Mapping[str, bytes]) -> bytes:
    """sha256 and size of every file, by path."""
    return _json({"files": {name: _entry(content) for name, content in sorted(files.items())}})


def _site_manifest(site: Path) -> bytes:
    """The same for the whole site; issues never change, so each vouches for itself and is not read again."""
    entries: dict[str, dict[str, str | int]] = {}
    for path in _issues(site):
        own = (site / path / "manifest.json").read_bytes()
        entries |= {f"{path}/{name}": entry for name, entry in json.loads(own)["files"].items()}
        entries[f"{path}/manifest.json"] = _entry(own)
    for found in (*site.glob("*.html"), *(site / "assets").iterdir(), *(site / "latest").rglob("*")):
        if found.is_file():
            entries[found.relative_to(site).as_posix()] = _entry(found.read_bytes())
    return _json({"files": dict(sorted(entries.items()))})


def _json(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode()
