"""``liqmap report``: write one issue of a report, or all issues due in a period."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from liqmap import public
from liqmap._base.errors import InputError, StorageError
from liqmap._base.timestamps import iso, parse_duration, parse_instant
from liqmap.report.config import Report, read_report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from liqmap.report.facts import Issue

__all__ = ["report"]

EXIT_PARTIAL = 3
"""Exit status if some issues had no data and the others were written."""


def report(
    report: Path,
    /,
    *,
    db: Path,
    out: Path,
    at: str | None = None,
    from_: Annotated[str | None, Parameter(name="--from")] = None,
    to: str | None = None,
    every: str | None = None,
    workers: int | None = None,
    single_file: str | None = None,
    instrument: str | None = None,
) -> None:
    """Write one issue of a report, or all issues due in a period, and print the path of the latest front page.

    Existing issues are kept; an interrupted run continues where it stopped.

    Args:
        report: The report file, such as reports/daily.toml.
        db: The history file.
        out: Folder of the site; with --single-file, the output file.
        at: As-of time, ISO 8601 (UTC without a zone); the end of the history by default.
        from_: Time of the first issue of a period.
        to: Latest time of the last issue; the end of the history by default.
        every: Interval between issues, such as 12h; the interval of the report file by default.
        workers: Number of processes; one per processor by default.
        single_file: Write only this page, such as map, as one self-contained file.
        instrument: Instrument of the single page; the first of the report by default.
    """
    wanted = read_report(report)
    if from_ is None and (to or every or workers):
        raise InputError(
            "report", "--to, --every, --workers", "no --from", "--from for a period of issues", "nothing written"
        )
    if from_ is not None and at is not None:
        raise InputError("report", "--at", "together with --from", "either one issue or a period", "nothing written")
    if single_file is not None:
        if from_ is not None:
            raise InputError("report", "--single-file", "together with --from", "one issue", "nothing written")
        sys.stdout.write(f"{_write_single_file(wanted, db, out, at, single_file, instrument)}\n")
        return
    page = (
        _write_one(wanted, db, out, at) if from_ is None else _write_span(wanted, db, out, (from_, to, every), workers)
    )
    sys.stdout.write(f"{page}\n")


def _write_one(wanted: Report, db: Path, out: Path, at: str | None) -> Path:
    from liqmap.report.site.site import write_issue  # noqa: PLC0415 - report an invalid report file before loading the charts

    page = write_issue(_collect(wanted, db, at), out)
    _record_maps(db, [page.parent])
    return page


def _record_maps(db: Path, folders: list[Path]) -> None:
    """Record the issued maps in the history if it is writable; the issue contains them in any case."""
    from liqmap.report.record_maps import record_maps  # noqa: PLC0415 - as above

    try:
        record_maps(db, folders)
    except StorageError as error:
        sys.stderr.write(f"maps not recorded in the history, only in the site: {error}\n")


def _write_single_file(wanted: Report, db: Path, out: Path, at: str | None, name: str, instrument: str | None) -> Path:
    from liqmap.report.site.atomic_files import write_file  # noqa: PLC0415 - as above
    from liqmap.report.site.single_file import single_file  # noqa: PLC0415

    if out.is_dir():
        raise InputError("report", str(out), "a folder", "a file to write, such as map.html", "nothing written")
    write_file(out, single_file(_collect(wanted, db, at), name, instrument))
    return out


def _collect(wanted: Report, db: Path, at: str | None) -> Issue:
    from liqmap.report.collect import collect_issue  # noqa: PLC0415 - as above
    from liqmap.report.vega.vega_engine import warm_up  # noqa: PLC0415 - as above

    moment = None if at is None else parse_instant(at, stage="report")
    drawer = warm_up()
    with public.open_history(db) as history:
        issue = collect_issue(history, wanted, moment)
    drawer.join()
    return issue


def _write_span(
    wanted: Report, db: Path, out: Path, span: tuple[str, str | None, str | None], workers: int | None
) -> Path:
    from liqmap.report.batch import due_times, write_issues  # noqa: PLC0415 - load the charts only when pages are written
    from liqmap.report.site.issue import issue_path  # noqa: PLC0415

    start, stop, every = span
    with public.open_history(db) as history:
        last = int(history.market_bars(wanted.instruments[0]).end[-1])
    due = due_times(
        parse_instant(start, stage="report"),
        last if stop is None else parse_instant(stop, stage="report"),
        wanted.interval if every is None else parse_duration(every, stage="report"),
    )
    with _progress_bar(len(due)) as advance:
        done = write_issues(db, wanted, out, due, workers=workers, advance=advance)
    _record_maps(db, [out / issue_path(at) for at in due])
    sys.stderr.write(
        f"{len(done.written)} issues written, {done.existing} already present, {len(done.skipped)} without data\n"
    )
    for moment, message in done.skipped:
        sys.stderr.write(f"no issue {iso(moment)}: {message}\n")
    if done.skipped:
        sys.stdout.write(f"{out / 'index.html'}\n")
        sys.exit(EXIT_PARTIAL)
    return out / "index.html"


@contextmanager
def _progress_bar(count: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error if it is a terminal."""
    from rich.console import Console  # noqa: PLC0415 - only batches show progress
    from rich.progress import Progress  # noqa: PLC0415

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task("issues", total=count)
        yield lambda more: bars.advance(task, more)
