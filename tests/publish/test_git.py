"""Publication to a git branch: the branch equals the site, and commits are reproducible."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from _helpers.site_files import files
from liqmap._base.errors import InputError, StorageError
from liqmap.publish.git import publish_git
from liqmap.publish.site_copy import Retention, checked_copy
from liqmap.publish.target import MAX_BYTES, publish


def git(*arguments: str, cwd: Path) -> str:
    return subprocess.run(["git", *arguments], cwd=cwd, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    git("init", "--quiet", "--bare", "remote.git", cwd=tmp_path)
    return tmp_path / "remote.git"


def test_the_branch_equals_the_site(site: Path, remote: Path, tmp_path: Path) -> None:
    to = f"git:{remote}#gh-pages"
    assert publish(site, to, keep=Retention()) == (3, True)
    git("clone", "--quiet", "--branch", "gh-pages", str(remote), "clone", cwd=tmp_path)
    there = {name: content for name, content in files(tmp_path / "clone").items() if not name.startswith(".git/")}
    assert there == {**files(site), ".nojekyll": b""}
    first = git("rev-parse", "gh-pages", cwd=remote)
    assert publish(site, to, keep=Retention()) == (3, False)
    assert publish(site, to, keep=Retention(issues=1)) == (1, True)
    # A single commit without parents, so the branch does not grow.
    assert git("rev-list", "--count", "gh-pages", cwd=remote) == "1"
    assert publish(site, to, keep=Retention()) == (3, True)
    assert git("rev-parse", "gh-pages", cwd=remote) == first


def test_a_rejected_push_leaves_the_branch_unchanged(site: Path, remote: Path) -> None:
    publish(site, f"git:{remote}#gh-pages", keep=Retention())
    before = git("rev-parse", "gh-pages", cwd=remote)
    hook = remote / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no room >&2\nexit 1\n")
    hook.chmod(0o755)
    with (
        checked_copy(site, Retention(issues=1), most=MAX_BYTES) as ready,
        pytest.raises(StorageError, match=r"git push: .*no room"),
    ):
        publish_git(ready, str(remote), "gh-pages")
    assert git("rev-parse", "gh-pages", cwd=remote) == before


@pytest.mark.parametrize(
    "to", ["git:remote", "git:#gh-pages", "git:--upload-pack=x#b", "git:r#-b", "git:r#a..b", "git:r#a b", "git:r#"]
)
def test_invalid_targets_are_rejected(site: Path, to: str) -> None:
    with pytest.raises(InputError, match="nothing published"):
        publish(site, to, keep=Retention())


def test_a_missing_remote_gives_a_one_line_error(site: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="git ls-remote") as caught:
        publish(site, f"git:{tmp_path / 'none'}#b", keep=Retention())
    assert "\n" not in str(caught.value)
