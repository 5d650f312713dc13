"""Only a valid site is published, limited to the retained issues."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from lxml import html

from _helpers.site_files import files
from liqmap._base.errors import InputError
from liqmap.publish.site_copy import Retention, checked_copy
from liqmap.publish.target import MAX_BYTES, publish
from liqmap.report.site.atomic_files import manifest_matches
from liqmap.report.site.site import issues


def test_a_modified_site_is_rejected(site: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(site, tmp_path / "site")
    for change in (
        lambda: (copy / "index.html").write_bytes(b"else"),
        lambda: (copy / "latest" / "stray.html").write_bytes(b"not in the manifest"),
        (copy / "manifest.json").unlink,
    ):
        change()
        with pytest.raises(InputError, match="nothing published"):
            publish(copy, str(tmp_path / "www"), keep=Retention())
        assert not (tmp_path / "www").exists()


def test_retained_issues_form_a_valid_site(site: Path) -> None:
    before = files(site)
    for keep, count in (("1", 1), ("2", 2), ("400", 3), ("12h", 2), ("90d", 3)):
        with checked_copy(site, Retention.parse(keep), most=MAX_BYTES) as ready:
            assert issues(ready.folder) == issues(site)[-count:]
            assert ready.issues == count
            assert manifest_matches(ready.folder)
            assert set(files(ready.folder)) == set(ready.files)
            assert ready.bytes == sum(map(len, files(ready.folder).values()))
            rows = html.fromstring((ready.folder / "archive.html").read_bytes()).xpath("//tbody/tr")
            assert len(rows) == count
    assert files(site) == before


@pytest.mark.parametrize("text", ["0", "soon", "-3"])
def test_an_invalid_retention_is_rejected(text: str) -> None:
    with pytest.raises(InputError):
        Retention.parse(text)


def test_a_site_above_the_size_limit_is_rejected(site: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"MB in 3 issues \(expected at most 2 MB .*--keep"):
        publish(site, str(tmp_path / "www"), keep=Retention(), most=2_000_000)
    assert list(tmp_path.iterdir()) == []
