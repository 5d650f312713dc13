"""One lock per site, held by the kernel: the end of a process releases it, however the process ends.

The lock file ``.<site>.lock`` lies beside the site, because every file inside the site is listed in its manifest. It is
never deleted: a process that waits for a deleted file would lock another file than the next process.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from liqmap._base.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["lock_file", "read_lock", "try_lock", "write_lock"]

_LOCKED_BYTE = 1 << 20  # Windows denies reads of a locked byte; the process id at the start stays readable


def lock_file(site: Path) -> Path:
    """Path of the lock file of a site."""
    resolved = site.resolve()
    return resolved.with_name(f".{resolved.name}.lock")


@contextmanager
def write_lock(site: Path) -> Iterator[None]:
    """Hold the site alone.

    Raises:
        StorageError: Another process writes or publishes the site, or the lock file cannot be written.
    """
    path = lock_file(site)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise StorageError("report", str(path), str(error), "a writable folder", "nothing written") from error
    with _held(descriptor, site, "report", "nothing written", shared=False):
        yield


@contextmanager
def read_lock(site: Path) -> Iterator[None]:
    """Hold the site together with other readers; on Windows alone, which has no shared lock in Python.

    A site in a folder without write permission is read without a lock if it has no lock file.

    Raises:
        StorageError: Another process writes the site.
    """
    if not site.is_dir():
        yield
        return
    try:
        descriptor = os.open(lock_file(site), os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        try:
            descriptor = os.open(lock_file(site), os.O_RDONLY)
        except OSError:
            yield
            return
    with _held(descriptor, site, "publish", "nothing published", shared=True):
        yield


@contextmanager
def _held(descriptor: int, site: Path, stage: str, done: str, *, shared: bool) -> Iterator[None]:
    try:
        if not try_lock(descriptor, shared=shared):
            holder = os.pread(descriptor, 20, 0) if sys.platform != "win32" else os.read(descriptor, 20)
            found = f"in use by process {holder.decode(errors='replace').strip() or 'unknown'}"
            raise StorageError(stage, str(site), found, "one run per site at a time", done)
        with suppress(OSError):  # the process id only serves the message: a full disk or a read-only file may lack it
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, f"{os.getpid():<19}\n".encode())
        yield
    finally:
        os.close(descriptor)


def try_lock(descriptor: int, *, shared: bool = False) -> bool:
    """Lock an open file without waiting; returns whether the lock was free. Closing the file releases it."""
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - Windows only

        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
        return True
    import fcntl  # noqa: PLC0415 - POSIX only

    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
