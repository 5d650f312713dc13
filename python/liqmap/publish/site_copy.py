"""A temporary copy of a site for publication, verified against its manifest before and after copying."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from liqmap._base.errors import InputError, StorageError
from liqmap._base.timestamps import parse_duration
from liqmap.report.site.atomic_files import MANIFEST, is_draft, manifest_entry, manifest_matches
from liqmap.report.site.site import issues, read_summary, rebuild_site_files

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Retention", "SiteCopy", "checked_copy", "copy_site"]

_COUNT = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Retention:
    """Which issues are published: a number of newest issues or those of a time span; all if both are ``None``.

    Attributes:
        issues: Number of newest issues.
        span: Time before the newest issue, microseconds.
    """

    issues: int | None = None
    span: int | None = None

    @classmethod
    def parse(cls, text: str | None) -> Retention:
        """Parse ``400`` (issues) or ``90d`` (time span).

        Raises:
            InputError: The text is neither a positive number of issues nor a time span.

        Example:
            >>> Retention.parse("400"), Retention.parse("1d")
            (Retention(issues=400, span=None), Retention(issues=None, span=86400000000))
        """
        if text is None:
            return cls()
        if _COUNT.fullmatch(text):
            if int(text) == 0:
                raise InputError("publish", "--keep", "0", "at least 1 issue", "nothing published")
            return cls(issues=int(text))
        return cls(span=parse_duration(text, stage="publish"))

    def excluded(self, site: Path) -> list[str]:
        """Paths of the issues that are left out."""
        known = issues(site)
        if self.issues is not None:
            return known[: max(0, len(known) - self.issues)]
        if self.span is None or not known:
            return []
        first = int(read_summary(site, known[-1])["at"]) - self.span
        return [path for path in known if int(read_summary(site, path)["at"]) < first]


@dataclass(frozen=True, slots=True)
class SiteCopy:
    """A verified copy of a site.

    Attributes:
        folder: Location of the copy.
        files: Path → manifest entry, including the manifest itself.
        version: First 16 digits of the manifest's SHA-256.
        issues: Number of issues.
    """

    folder: Path
    files: dict[str, dict[str, str | int]]
    version: str
    issues: int

    @property
    def bytes(self) -> int:
        """Total size of all files."""
        return sum(int(entry["bytes"]) for entry in self.files.values())


@contextmanager
def checked_copy(site: Path, keep: Retention, *, most: int) -> Iterator[SiteCopy]:
    """Copy a site without the issues outside the retention; the copy is deleted when the block ends.

    Args:
        site: The site written by ``liqmap report``; not modified.
        keep: Which issues to publish.
        most: Maximum total size, bytes.

    Raises:
        InputError: The folder is not a site, differs from its manifest, has no issues, or is too large.
    """
    if not (site / MANIFEST).is_file():
        raise InputError(
            "publish", str(site), "no manifest.json", "a site written by liqmap report", "nothing published"
        )
    if not manifest_matches(site, ignore_drafts=True):
        expected = "exactly the files listed in its manifest"
        raise InputError("publish", str(site), "a modified or damaged site", expected, "nothing published")
    if not issues(site):
        raise InputError("publish", str(site), "a site without issues", "at least one issue", "nothing published")
    with tempfile.TemporaryDirectory(prefix="liqmap-publish-") as scratch:
        folder = Path(scratch) / "site"
        shutil.copytree(site, folder, ignore=lambda _, names: [name for name in names if is_draft(name)])
        excluded = keep.excluded(folder)
        for path in excluded:
            shutil.rmtree(folder / path)
            if not any((folder / path).parent.iterdir()):
                (folder / path).parent.rmdir()
        if excluded:
            rebuild_site_files(folder)
        found = _read_copy(folder)
        if found.bytes > most:
            raise InputError(
                "publish",
                str(site),
                f"{found.bytes / 1e6:,.0f} MB in {found.issues} issues",
                f"at most {most / 1e6:,.0f} MB (fewer with --keep, more with --most)",
                "nothing published",
            )
        yield found


def copy_site(source: SiteCopy, folder: Path) -> None:
    """Copy a site into a new folder and verify the result.

    Raises:
        StorageError: The folder cannot be written, or the copy differs from its manifest.
    """
    try:
        shutil.copytree(source.folder, folder)
    except OSError as error:
        raise StorageError(
            "publish",
            str(folder),
            str(error),
            "a writable directory with free space",
            "the published site is unchanged",
        ) from error
    if not manifest_matches(folder):
        found = "content differs from what was written"
        raise StorageError(
            "publish", str(folder), found, "the files of the manifest", "the published site is unchanged"
        )


def _read_copy(folder: Path) -> SiteCopy:
    own = (folder / MANIFEST).read_bytes()
    files = {**json.loads(own)["files"], MANIFEST: manifest_entry(own)}
    return SiteCopy(folder, files, str(manifest_entry(own)["sha256"])[:16], len(issues(folder)))
