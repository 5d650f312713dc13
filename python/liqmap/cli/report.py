"""``liqmap report``: an issue of a report, as a folder of pages."""

from __future__ import annotations

import sys
from pathlib import Path

from liqmap import public
from liqmap.clock import parse
from liqmap.report.config import read_report

__all__ = ["report"]


def report(report: Path, /, *, db: Path, out: Path, at: str | None = None) -> None:
    """Write an issue of a report and print the path of its front page.

    Args:
        report: The report file, such as reports/daily.toml.
        db: The history file.
        out: The site's folder; issues already there stay.
        at: As-of time in ISO 8601 (no zone means UTC); the end of the history if left out.
    """
    from liqmap.report.gather import gather  # noqa: PLC0415 - a wrong report file is told before charts load
    from liqmap.report.site import write_issue  # noqa: PLC0415

    wanted = read_report(report)
    moment = None if at is None else parse(at, stage="report")
    with public.open_history(db) as history:
        issue = gather(history, wanted, moment)
    sys.stdout.write(f"{write_issue(issue, out)}\n")
