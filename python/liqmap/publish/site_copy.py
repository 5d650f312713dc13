"""A copy of a site that is whole, not too large, and ready to go: checked against its manifest before and after."""

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
from liqmap.report.site.atomic_files import MANIFEST, manifest_entry, manifest_matches
from liqmap.report.site.site import issues, read_summary, rebuild_site_files

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Retention", "SiteCopy", "checked_copy", "copy_site"]

_COUNT = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Retention:
    """How much of a site's past is published: the newest so many issues, or those of so long; all if both are ``None``.

    Attributes:
        issues: How many.
        span: How long before the newest one, microseconds.
    """

    issues: int | None = None
    span: int | None = None

    @classmethod
    def of(cls, text: str | None) -> Retention:
        """Read ``400`` or ``90d``.

        Raises:
            InputError: Neither a number of issues above 0 nor a span.

        Example:
            >>> Retention.of("400"), Retention.of("1d")
            (Retention(issues=400, span=None), Retention(issues=None, span=86400000000))
        """
        if text is None:
            return cls()
        if _COUNT.fullmatch(text):
            if int(text) == 0:
                raise InputError("publish", "--keep", "0", "at least 1 issue", "nothing published")
            return cls(issues=int(text))
        return cls(span=parse_duration(text, stage="publish"))

    def stale(self, site: Path) -> list[str]:
        """Paths of the issues that are not kept."""
        known = issues(site)
        if self.issues is not None:
            return known[: max(0, len(known) - self.issues)]
        if self.span is None or not known:
            return []
        first = int(read_summary(site, known[-1])["at"]) - self.span
        return [path for path in known if int(read_summary(site, path)["at"]) < first]


@dataclass(frozen=True, slots=True)
class SiteCopy:
    """A site ready to be published.

    Attributes:
        folder: Where it lies.
        files: Path → what the manifest says of it, the manifest itself included.
        version: Sixteen digits that stand for all of it.
        issues: How many issues it has.
    """

    folder: Path
    files: dict[str, dict[str, str | int]]
    version: str
    issues: int

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(int(told["bytes"]) for told in self.files.values())


@contextmanager
def checked_copy(site: Path, keep: Retention, *, most: int) -> Iterator[SiteCopy]:
    """A checked copy of a site without the issues that are not kept; gone when the block ends.

    Args:
        site: The site, as ``liqmap report`` wrote it; left as it is.
        keep: Which issues.
        most: Bytes it may have.

    Raises:
        InputError: Not a site, one that differs from its manifest, one without issues, or too large.
    """
    if not (site / MANIFEST).is_file():
        raise InputError("publish", str(site), "no manifest.json", "a site that liqmap wrote", "nothing published")
    if not manifest_matches(site):
        expected = "the files its manifest names, byte for byte"
        raise InputError("publish", str(site), "a site that was changed or damaged", expected, "nothing published")
    if not issues(site):
        raise InputError("publish", str(site), "a site without issues", "at least one issue", "nothing published")
    with tempfile.TemporaryDirectory(prefix="liqmap-publish-") as scratch:
        folder = Path(scratch) / "site"
        shutil.copytree(site, folder)
        stale = keep.stale(folder)
        for path in stale:
            shutil.rmtree(folder / path)
            if not any((folder / path).parent.iterdir()):
                (folder / path).parent.rmdir()
        if stale:
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
    """Copy a staged site into a new folder and read it back.

    Raises:
        StorageError: It cannot be written, or does not read back as it was.
    """
    try:
        shutil.copytree(source.folder, folder)
    except OSError as error:
        raise StorageError("publish", str(folder), str(error), "room to write", "what stood there stays") from error
    if not manifest_matches(folder):
        found = "not what was written"
        raise StorageError("publish", str(folder), found, "the files of the manifest", "what stood there stays")


def _read_copy(folder: Path) -> SiteCopy:
    own = (folder / MANIFEST).read_bytes()
    files = {**json.loads(own)["files"], MANIFEST: manifest_entry(own)}
    return SiteCopy(folder, files, str(manifest_entry(own)["sha256"])[:16], len(issues(folder)))
