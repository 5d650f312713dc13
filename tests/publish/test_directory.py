"""Publication into a directory is atomic, even if the process is killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from _helpers.site_files import files
from liqmap._base.errors import InputError, StorageError
from liqmap.publish.site_copy import Retention
from liqmap.publish.target import publish
from liqmap.report.site.atomic_files import manifest_matches


def test_the_directory_equals_the_site(site: Path, tmp_path: Path) -> None:
    www = tmp_path / "www"
    assert publish(site, str(www), keep=Retention()) == (3, True)
    assert files(www) == files(site)
    assert publish(site, str(www), keep=Retention()) == (3, False)
    assert publish(site, str(www), keep=Retention(issues=1)) == (1, True)
    assert manifest_matches(www)
    assert len(files(www)) < len(files(site))
    assert publish(site, str(www), keep=Retention(issues=2)) == (2, True)
    assert len([path for path in tmp_path.iterdir() if path.name != "www"]) == 2  # current and previous version


def test_an_empty_folder_is_replaced_and_a_non_empty_one_is_rejected(site: Path, tmp_path: Path) -> None:
    www = tmp_path / "www"
    www.mkdir()
    publish(site, str(www), keep=Retention(issues=1))
    assert manifest_matches(www)
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="nothing published"):
        publish(site, str(theirs), keep=Retention())
    assert files(theirs) == {"thesis.txt": b"mine"}


def test_a_damaged_version_is_repaired(site: Path, tmp_path: Path) -> None:
    www = tmp_path / "www"
    publish(site, str(www), keep=Retention())
    (www / "index.html").write_bytes(b"broken")
    assert publish(site, str(www), keep=Retention()) == (3, True)
    assert files(www) == files(site)


@pytest.mark.storm
def test_a_killed_run_leaves_the_old_or_the_new_site(site: Path, tmp_path: Path) -> None:
    www = tmp_path / "www"
    liqmap = str(Path(sys.executable).with_name("liqmap"))
    publish(site, str(www), keep=Retention())
    whole, fewer = files(site), None
    dice, cut = random.Random(9), 0
    for turn in range(14):
        keep = "1" if turn % 2 else "400"
        process = subprocess.Popen(
            [liqmap, "publish", str(site), "--to", str(www), "--keep", keep],
            stdout=subprocess.DEVNULL,
            env=os.environ,
        )
        _wait_for_a_copy(process, tmp_path)
        time.sleep(dice.uniform(0.0, 0.06))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            cut += 1
        process.wait()
        assert manifest_matches(www)
        shown = files(www)
        if shown != whole:
            fewer = fewer or shown
            assert shown == fewer
    assert cut >= 5
    # A completed run removes the leftovers of killed runs.
    publish(site, str(www), keep=Retention())
    assert files(www) == whole
    assert len(list(tmp_path.iterdir())) <= 3
    assert not [path for path in tmp_path.iterdir() if path.name.endswith((".new", ".link"))]


def test_leftovers_of_killed_runs_are_removed_even_without_changes(site: Path, tmp_path: Path) -> None:
    www = tmp_path / "www"
    publish(site, str(www), keep=Retention())
    shown = {path.name for path in tmp_path.iterdir()}
    (version,) = (path for path in tmp_path.iterdir() if path.name.startswith(".www-"))
    draft = tmp_path / f"{version.name}.4242.new"
    draft.mkdir()
    (draft / "index.html").write_text("half")
    (tmp_path / ".www.4242.link").symlink_to(version.name)
    publish(site, str(www), keep=Retention())
    assert {path.name for path in tmp_path.iterdir()} == shown


def _wait_for_a_copy(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Wait until the process writes beside the target or has finished; killing it earlier would not test anything."""
    there = {path.name for path in folder.iterdir()}
    while process.poll() is None and {path.name for path in folder.iterdir()} <= there:
        time.sleep(0.002)


def test_a_failed_publication_leaves_the_published_site(site: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="the published site is unchanged"):
        publish(site, str(tmp_path / "file" / "www"), keep=Retention())
