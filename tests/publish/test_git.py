"""A branch holds the site and nothing else: the same site, the same commit."""

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


def test_a_branch_is_the_site(site: Path, remote: Path, tmp_path: Path) -> None:
    to = f"git:{remote}#gh-pages"
    assert publish(site, to, keep=Retention()) == (3, True)
    git("clone", "--quiet", "--branch", "gh-pages", str(remote), "clone", cwd=tmp_path)
    there = {name: content for name, content in files(tmp_path / "clone").items() if not name.startswith(".git/")}
    assert there == {**files(site), ".nojekyll": b""}
    first = git("rev-parse", "gh-pages", cwd=remote)
    assert publish(site, to, keep=Retention()) == (3, False)
    assert publish(site, to, keep=Retention(issues=1)) == (1, True)
    # A commit without a past: a branch of pages does not grow with the years.
    assert git("rev-list", "--count", "gh-pages", cwd=remote) == "1"
    assert publish(site, to, keep=Retention()) == (3, True)
    assert git("rev-parse", "gh-pages", cwd=remote) == first


def test_a_remote_that_refuses_keeps_what_it_had(site: Path, remote: Path) -> None:
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
def test_odd_targets_are_told(site: Path, to: str) -> None:
    with pytest.raises(InputError, match="nothing published"):
        publish(site, to, keep=Retention())


def test_a_remote_that_is_not_there_is_told_in_one_line(site: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="git ls-remote") as caught:
        publish(site, f"git:{tmp_path / 'none'}#b", keep=Retention())
    assert "\n" not in str(caught.value)
