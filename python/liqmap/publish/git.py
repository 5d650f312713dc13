"""Publish to a branch of a git remote as a single commit without parents, so that the branch does not grow.

Existing tools such as ghp-import offer neither ``--force-with-lease`` nor reproducible commits.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from liqmap._base.errors import InputError, StorageError
from liqmap._base.timestamps import iso
from liqmap.report.site.site import issues, read_summary

if TYPE_CHECKING:
    from liqmap.publish.site_copy import SiteCopy

__all__ = ["publish_git"]

_BRANCH_NAME = re.compile(r"(?!-)(?!.*(?:\.\.|//|@\{|\.lock$))[A-Za-z0-9._/-]+(?<![/.])")
_AUTHOR = "liqmap"


def publish_git(source: SiteCopy, remote: str, branch: str) -> bool:
    """Replace the contents of a branch by a site; the same site gives the same commit on every machine.

    The push is atomic and uses ``--force-with-lease``: of two concurrent publications, one fails with an error.

    Returns:
        Whether anything changed.

    Raises:
        InputError: The branch name is invalid, or git would read the remote as an option.
        StorageError: Git cannot read or write the remote.
    """
    if not _BRANCH_NAME.fullmatch(branch):
        raise InputError(
            "publish", f"git:…#{branch}", "an invalid branch name", "such as gh-pages", "nothing published"
        )
    if not remote or remote.startswith("-"):
        raise InputError("publish", f"git:{remote}", "no remote", "git:REMOTE#BRANCH", "nothing published")
    reference = f"refs/heads/{branch}"
    with tempfile.TemporaryDirectory(prefix="liqmap-git-") as scratch:
        git = _Git(Path(scratch) / "repository", source)
        git.run("init", "--quiet", "--bare", str(git.folder))
        (source.folder / ".nojekyll").touch()  # GitHub Pages must not process the files
        git.run("add", "--all", "--force", ".", tree=True)
        commit = git.run("commit-tree", git.run("write-tree"), "-m", f"{source.issues} issues, {source.version}")
        (source.folder / ".nojekyll").unlink()
        listed = git.run("ls-remote", remote, reference)
        before = listed.split()[0] if listed else ""
        if before == commit:
            return False
        git.run("push", "--quiet", f"--force-with-lease={reference}:{before}", remote, f"{commit}:{reference}")
        if git.run("ls-remote", remote, reference).split()[:1] != [commit]:
            found = "another commit than was pushed"
            raise StorageError("publish", remote, found, commit, "the branch was published by another process")
    return True


class _Git:
    """Git with fixed content settings, author and dates, so that commits are reproducible."""

    def __init__(self, folder: Path, source: SiteCopy) -> None:
        self.folder, self.source = folder, source
        at = iso(int(read_summary(source.folder, issues(source.folder)[-1])["at"]))
        self.environment = {
            **os.environ,
            "GIT_TERMINAL_PROMPT": "0",
            **{
                f"GIT_{kind}_{part}": value
                for kind in ("AUTHOR", "COMMITTER")
                for part, value in _author_environment(at)
            },
        }

    def run(self, *arguments: str, tree: bool = False) -> str:
        """Run git and return its standard output."""
        location = ["--git-dir", str(self.folder)] + (["--work-tree", str(self.source.folder)] if tree else [])
        settings = ["-c", "core.autocrlf=false", "-c", "core.fileMode=false", "-c", "core.excludesFile="]
        try:
            done = subprocess.run(  # noqa: S603 - fixed arguments; the remote cannot be an option
                ["git", *settings, *location, *arguments],  # noqa: S607 - the user's git
                cwd=self.source.folder,
                env=self.environment,
                capture_output=True,
                text=True,
                check=False,
            )
        except FileNotFoundError:
            raise StorageError("publish", "git", "not installed", "git on the path", "nothing published") from None
        if done.returncode:
            message = " ".join(done.stderr.split()) or f"exit status {done.returncode}"
            raise StorageError("publish", f"git {arguments[0]}", message, "a writable remote", "nothing published")
        return done.stdout.strip()


def _author_environment(at: str) -> tuple[tuple[str, str], ...]:
    return (("NAME", _AUTHOR), ("EMAIL", "liqmap@localhost"), ("DATE", at))
