"""Publish to a branch of a git remote: one commit without a past, so that a branch of pages does not grow."""

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
    """Make a branch hold a site and nothing else; the same site makes the same commit, wherever it is made.

    A push moves a branch in one step, and only from the commit that was seen: of two that publish at once, one is told.

    Returns:
        Whether anything changed.

    Raises:
        InputError: An odd branch name, or a remote that git would take for an option.
        StorageError: Git cannot read or write the remote.
    """
    if not _BRANCH_NAME.fullmatch(branch):
        raise InputError(
            "publish", f"git:…#{branch}", "an odd name of a branch", "such as gh-pages", "nothing published"
        )
    if not remote or remote.startswith("-"):
        raise InputError("publish", f"git:{remote}", "no remote", "git:REMOTE#BRANCH", "nothing published")
    reference = f"refs/heads/{branch}"
    with tempfile.TemporaryDirectory(prefix="liqmap-git-") as scratch:
        git = _Git(Path(scratch) / "repository", source)
        git.run("init", "--quiet", "--bare", str(git.folder))
        (source.folder / ".nojekyll").touch()  # pages as they are, names with underscores too
        git.run("add", "--all", "--force", ".", tree=True)
        commit = git.run("commit-tree", git.run("write-tree"), "-m", f"{source.issues} issues, {source.version}")
        (source.folder / ".nojekyll").unlink()
        told = git.run("ls-remote", remote, reference)
        before = told.split()[0] if told else ""
        if before == commit:
            return False
        git.run("push", "--quiet", f"--force-with-lease={reference}:{before}", remote, f"{commit}:{reference}")
        if git.run("ls-remote", remote, reference).split()[:1] != [commit]:
            found = "another commit than was pushed"
            raise StorageError("publish", remote, found, commit, "somebody else has published since")
    return True


class _Git:
    """Git without the user's own settings for content, authors and times, so that commits repeat."""

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
        """Run git; returns what it said."""
        place = ["--git-dir", str(self.folder)] + (["--work-tree", str(self.source.folder)] if tree else [])
        plain = ["-c", "core.autocrlf=false", "-c", "core.fileMode=false", "-c", "core.excludesFile="]
        try:
            done = subprocess.run(  # noqa: S603 - arguments of our own; the remote is checked not to be an option
                ["git", *plain, *place, *arguments],  # noqa: S607 - the user's git
                cwd=self.source.folder,
                env=self.environment,
                capture_output=True,
                text=True,
                check=False,
            )
        except FileNotFoundError:
            raise StorageError("publish", "git", "not installed", "git on the path", "nothing published") from None
        if done.returncode:
            said = " ".join(done.stderr.split()) or f"exit status {done.returncode}"
            raise StorageError("publish", f"git {arguments[0]}", said, "a remote to write to", "nothing published")
        return done.stdout.strip()


def _author_environment(at: str) -> tuple[tuple[str, str], ...]:
    return (("NAME", _AUTHOR), ("EMAIL", "liqmap@localhost"), ("DATE", at))
