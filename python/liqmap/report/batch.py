"""Months of issues at once: by several processes, resumable, the same bytes whatever their number."""

from __future__ import annotations

import multiprocessing
import os
import sys
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from liqmap._base.errors import InputError, NotFoundError, StorageError
from liqmap._base.timestamps import iso
from liqmap.report.site.atomic_files import manifest_matches
from liqmap.report.site.issue import issue_path, issue_summary
from liqmap.report.site.site import ensure_own_site, issues, read_summary, rebuild_site_files, write_issue_folder

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
"""Issues that a process takes at a time: in a row, so that it knows the one before, and few, so that none waits."""
_CHUNKS_PER_WORKER = 2


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What a batch did.

    Attributes:
        written: Paths of the issues it wrote, oldest first.
        there: How many were there already, whole.
        skipped: Times without data, each with what the history said.
    """

    written: tuple[str, ...]
    there: int
    skipped: tuple[tuple[Instant, str], ...]


@dataclass(frozen=True, slots=True)
class _BatchPlan:
    """What every process has to know.

    Attributes:
        before: Time of an issue → time of the one before it in the plan, or the path of one that is there already.
    """

    database: Path
    report: Report
    site: Path
    before: dict[Instant, Instant | str]


def due_times(start: Instant, end: Instant, every: Instant) -> list[Instant]:
    """When issues are due, both ends included.

    Raises:
        InputError: The end lies before the start, or there are more than :data:`MAX_ISSUES`.

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
    """Write the issues that are due and not there yet, then everything around them.

    An issue that is there and whole (by its manifest) is left as it is, so a batch that was stopped goes on where it
    stopped. Issues of times without data are left out.

    Args:
        database: The history file; opened to read, by each process for itself.
        report: What to publish.
        site: The site's folder; made if missing.
        due: Times of the issues.
        workers: Processes; as many as there are processors if left out. 1 works in this one.
        advance: Called with the number of issues done since the last call.

    Raises:
        InputError: ``site`` is a file, or a folder that holds something else.
        StorageError: Something cannot be read or written.
    """
    ensure_own_site(site)
    planned = sorted(set(due))
    there = {path for path in issues(site) if manifest_matches(site / path)}
    missing = [at for at in planned if issue_path(at) not in there]
    advance(len(planned) - len(missing))
    plan = _BatchPlan(database, report, site, _previous_issues(missing, there, set(issues(site))))
    wanted = workers or os.cpu_count() or 1
    size = max(1, min(_CHUNK_SIZE, -(-len(missing) // (wanted * _CHUNKS_PER_WORKER))))
    chunks = [missing[i : i + size] for i in range(0, len(missing), size)]
    count = min(wanted, len(chunks))
    skipped: dict[Instant, str] = {}
    try:
        site.mkdir(parents=True, exist_ok=True)
        for found in _run_sequentially(plan, chunks) if count <= 1 else _run_in_parallel(plan, chunks, count):
            skipped |= {at: said for at, said in found.items() if said}
            advance(len(found))
        rebuild_site_files(site)
    except StorageError:
        raise
    except OSError as error:
        raise StorageError("report", str(site), str(error), "a folder to write to", "run again to go on") from error
    written = tuple(issue_path(at) for at in missing if at not in skipped)
    return BatchResult(written, len(planned) - len(missing), tuple(sorted(skipped.items())))


def _previous_issues(missing: list[Instant], there: set[str], known: set[str]) -> dict[Instant, Instant | str]:
    """The issue before each one that is to be written: one of them, or one that is there."""
    at_of: dict[str, Instant | str] = {path: path for path in there & known} | {issue_path(at): at for at in missing}
    ordered = sorted(at_of)
    earlier = dict(zip(ordered[1:], ordered, strict=False))
    return {at: at_of[earlier[path]] for at in missing if (path := issue_path(at)) in earlier}


def _run_sequentially(plan: _BatchPlan, chunks: list[list[Instant]]) -> Iterable[dict[Instant, str]]:
    with _IssueWriter(plan) as press:
        for chunk in chunks:
            yield {at: press.make(at) for at in chunk}


def _run_in_parallel(plan: _BatchPlan, chunks: list[list[Instant]], count: int) -> Iterable[dict[Instant, str]]:
    # Processes are started afresh: a fork would share the database's threads and locks.
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
    """One process's open history, and the last summary it made."""

    def __init__(self, plan: _BatchPlan) -> None:
        from liqmap.public import open_history  # noqa: PLC0415 - a process opens what it reads

        self.plan = plan
        self.history: History = open_history(plan.database)
        self.last: tuple[Instant, IssueSummary] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.history.close()

    def make(self, at: Instant) -> str:
        """Write one issue; returns why not, if there is nothing to write."""
        try:
            issue = self._gather(self.plan.report, at)
        except NotFoundError as error:
            return str(error)
        write_issue_folder(self.plan.site, issue, self._before(at))
        self.last = (at, issue_summary(issue))
        return ""

    def _gather(self, report: Report, at: Instant) -> Issue:
        from liqmap.report.collect import collect_issue  # noqa: PLC0415 - pages load their charts

        return collect_issue(self.history, report, at)

    def _before(self, at: Instant) -> IssueSummary | None:
        """The summary of the issue before: read, remembered, or made once more where another process has it."""
        while (before := self.plan.before.get(at)) is not None:
            if isinstance(before, str):
                return read_summary(self.plan.site, before)
            if self.last is not None and self.last[0] == before:
                return self.last[1]
            try:
                # Nothing of a page is in a summary.
                return issue_summary(self._gather(self.plan.report.model_copy(update={"pages": ()}), before))
            except NotFoundError:
                at = before  # that time has no issue: the one before it, then
        return None


_press: _IssueWriter | None = None


def _start_worker(plan: _BatchPlan) -> None:
    global _press  # noqa: PLW0603 - a process pool hands its workers nothing but globals
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type] # as on the command line
    _press = _IssueWriter(plan)


def _write_chunk(chunk: list[Instant]) -> dict[Instant, str]:
    if _press is None:
        raise RuntimeError("no press: the process was not begun")
    return {at: _press.make(at) for at in chunk}
