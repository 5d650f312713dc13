"""Write many issues with several processes; runs are resumable and the output does not depend on the process count."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from liqmap._base.errors import InputError, NotFoundError, StorageError
from liqmap._base.timestamps import iso
from liqmap.report.site.atomic_files import manifest_matches
from liqmap.report.site.issue import issue_path, issue_summary
from liqmap.report.site.site import issues, locked_site, read_summary, rebuild_site_files, write_issue_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from liqmap._base.timestamps import Instant
    from liqmap.public import History
    from liqmap.report.config import Report
    from liqmap.report.facts import Issue
    from liqmap.report.site.types import IssueSummary

__all__ = ["MAX_ISSUES", "BatchResult", "due_times", "write_issues"]

MAX_ISSUES = 20_000
_CHUNK_SIZE = 6
"""Consecutive issues per task: the process can reuse the previous summary, and small tasks balance the load."""
_CHUNKS_PER_WORKER = 2


@dataclass(frozen=True, slots=True)
class BatchResult:
    """Result of a batch.

    Attributes:
        written: Paths of the issues written, oldest first.
        existing: Number of complete issues that already existed.
        skipped: Times without data, each with the error message.
    """

    written: tuple[str, ...]
    existing: int
    skipped: tuple[tuple[Instant, str], ...]


@dataclass(frozen=True, slots=True)
class _BatchPlan:
    """Parameters shared by all processes.

    Attributes:
        before: Time of an issue → time of the previous planned issue, or path of the previous existing issue.
    """

    database: Path
    report: Report
    site: Path
    before: dict[Instant, Instant | str]


def due_times(start: Instant, end: Instant, every: Instant) -> list[Instant]:
    """Times at which issues are due, both ends included.

    Raises:
        InputError: The end precedes the start, or there are more issues than :data:`MAX_ISSUES`.

    Example:
        >>> due_times(0, 100, 40)
        [0, 40, 80]
    """
    if end < start:
        raise InputError("report", "--to", iso(end), f"a time after {iso(start)}", "nothing written")
    count = (end - start) // every + 1
    if count > MAX_ISSUES:
        raise InputError("report", "--every", f"{count:,} issues", f"at most {MAX_ISSUES:,}", "nothing written")
    return [start + i * every for i in range(count)]


def write_issues(
    database: Path,
    report: Report,
    site: Path,
    due: Iterable[Instant],
    *,
    workers: int | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> BatchResult:
    """Write the due issues that do not exist yet, then rebuild the other files of the site.

    Issues that exist and match their manifest are kept, so an interrupted batch continues where it stopped. Times
    without data are skipped.

    Args:
        database: The history file; each process opens it read-only.
        report: The report to publish.
        site: Folder of the site; created if missing.
        due: Times of the issues.
        workers: Number of processes; one per processor by default. With 1, this process does the work.
        advance: Callback with the number of issues completed since the last call.

    Raises:
        InputError: ``site`` is a file or a non-empty folder that is not a site.
        StorageError: Another process uses the site, or a file cannot be read or written.
    """
    with locked_site(site):
        planned = sorted(set(due))
        complete = {path for path in issues(site) if manifest_matches(site / path)}
        missing = [at for at in planned if issue_path(at) not in complete]
        advance(len(planned) - len(missing))
        plan = _BatchPlan(database, report, site, _previous_issues(missing, complete, set(issues(site))))
        wanted = workers or os.cpu_count() or 1
        size = max(1, min(_CHUNK_SIZE, -(-len(missing) // (wanted * _CHUNKS_PER_WORKER))))
        chunks = [missing[i : i + size] for i in range(0, len(missing), size)]
        count = min(wanted, len(chunks))
        skipped: dict[Instant, str] = {}
        try:
            site.mkdir(parents=True, exist_ok=True)
            for found in _run_sequentially(plan, chunks) if count <= 1 else _run_in_parallel(plan, chunks, count):
                skipped |= {at: message for at, message in found.items() if message}
                advance(len(found))
            rebuild_site_files(site)
        except StorageError:
            raise
        except OSError as error:
            raise StorageError("report", str(site), str(error), "a writable folder", "run again to continue") from error
        written = tuple(issue_path(at) for at in missing if at not in skipped)
        return BatchResult(written, len(planned) - len(missing), tuple(sorted(skipped.items())))


def _previous_issues(missing: list[Instant], complete: set[str], known: set[str]) -> dict[Instant, Instant | str]:
    """The previous issue of each missing issue: a planned time or the path of an existing issue."""
    at_of: dict[str, Instant | str] = {path: path for path in complete & known} | {issue_path(at): at for at in missing}
    ordered = sorted(at_of)
    earlier = dict(zip(ordered[1:], ordered, strict=False))
    return {at: at_of[earlier[path]] for at in missing if (path := issue_path(at)) in earlier}


def _run_sequentially(plan: _BatchPlan, chunks: list[list[Instant]]) -> Iterable[dict[Instant, str]]:
    with _IssueWriter(plan) as writer:
        for chunk in chunks:
            yield {at: writer.write(at) for at in chunk}


def _run_in_parallel(plan: _BatchPlan, chunks: list[list[Instant]], count: int) -> Iterable[dict[Instant, str]]:
    # Spawned rather than forked: a fork would share the threads and locks of the database.
    with ProcessPoolExecutor(
        count, mp_context=multiprocessing.get_context("spawn"), initializer=_start_worker, initargs=(plan,)
    ) as pool:
        left = list(reversed(chunks))
        running = {pool.submit(_write_chunk, left.pop()) for _ in range(min(len(left), count * _CHUNKS_PER_WORKER))}
        while running:
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                if left:
                    running.add(pool.submit(_write_chunk, left.pop()))
                yield future.result()


class _IssueWriter:
    """Writes issues in one process; keeps the history open and the last summary cached."""

    def __init__(self, plan: _BatchPlan) -> None:
        from liqmap.public import open_history  # noqa: PLC0415 - import only in worker processes

        self.plan = plan
        self.history: History = open_history(plan.database)
        self.last: tuple[Instant, IssueSummary] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.history.close()

    def write(self, at: Instant) -> str:
        """Write one issue; returns the error message if there is no data, else an empty string."""
        try:
            issue = self._gather(self.plan.report, at)
        except NotFoundError as error:
            return str(error)
        write_issue_folder(self.plan.site, issue, self._before(at))
        self.last = (at, issue_summary(issue))
        return ""

    def _gather(self, report: Report, at: Instant) -> Issue:
        from liqmap.report.collect import collect_issue  # noqa: PLC0415 - defer loading the charts

        return collect_issue(self.history, report, at)

    def _before(self, at: Instant) -> IssueSummary | None:
        """Summary of the previous issue: read from disk, cached, or recomputed if another process writes that issue."""
        while (before := self.plan.before.get(at)) is not None:
            if isinstance(before, str):
                return read_summary(self.plan.site, before)
            if self.last is not None and self.last[0] == before:
                return self.last[1]
            try:
                # Summaries do not depend on pages, so none are built.
                return issue_summary(self._gather(self.plan.report.model_copy(update={"pages": ()}), before))
            except NotFoundError:
                at = before  # no issue at that time: try the one before it
        return None


_writer: _IssueWriter | None = None


def _start_worker(plan: _BatchPlan) -> None:
    global _writer  # noqa: PLW0603 - the initialiser of a process pool can only set globals
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type] # see liqmap.cli.main
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _writer = _IssueWriter(plan)


def _end_with_parent() -> None:
    """End this worker when the process that holds the site's lock is killed: a worker without it must not write."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _write_chunk(chunk: list[Instant]) -> dict[Instant, str]:
    if _writer is None:
        raise RuntimeError("the worker process was not initialised")
    return {at: _writer.write(at) for at in chunk}
