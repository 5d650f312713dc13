"""The whole way at once: simulate, write files, load them like any market's, map, compare with the truth, report."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from liqmap._base.errors import InputError
from liqmap.demo.settings import INSTRUMENT, Settings
from liqmap.demo.simulate import simulate
from liqmap.demo.truth import compare_with_truth
from liqmap.demo.write_files import write_market, write_truth
from liqmap.public import open_history
from liqmap.report.collect import collect_issue
from liqmap.report.config import read_report
from liqmap.report.site.site import write_issue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from liqmap.demo.simulate import Simulation
    from liqmap.demo.truth import TruthFit
    from liqmap.maps.map import LiquidationMap

__all__ = ["DemoResult", "run_demo"]

_MARKER_FILE = "SIMULATED.md"
_MARKER_TEXT = """# SIMULATED

Everything in this folder comes from a market that liqmap made up. `liqmap demo` replaces it as a whole.
"""


@dataclass(frozen=True, eq=False, slots=True)
class DemoResult:
    """What one run made.

    Attributes:
        record: The simulated market.
        database: The history it was loaded into.
        rows: Rows that the history took, by table.
        map: The map at the end of the record, from bars and open interest alone.
        fits: That map beside the true levels, long and short; the page's map also has the observed positions.
        page: The front page of the report.
    """

    record: Simulation
    database: Path
    rows: dict[str, int]
    map: LiquidationMap
    fits: tuple[TruthFit, TruthFit]
    page: Path


def run_demo(out: Path, *, seed: int, days: int) -> DemoResult:
    """Make a demo in a folder of its own; the same seed and days make the same market.

    Args:
        out: The folder; it must be new, empty, or an earlier demo's, which is replaced.
        seed: Which market.
        days: How long its record is.

    Raises:
        InputError: The folder holds something else; an odd seed or number of days.
    """
    _reject_foreign_folder(out)
    with _progress("simulating", days + Settings().burn_in_days) as advance:
        record = simulate(seed, days, on_day=advance)
    _clear_previous_demo(out)
    files = write_market(record, out / "market")
    write_truth(record, out / "truth")
    database = out / "history.duckdb"
    rows = {}
    with _progress("loading", len(files)) as advance, open_history(database, mode="w") as history:
        for table, path in files.items():
            # What is modelled is compared with the truth before any of the truth is seen.
            if table == "positions":
                made = history.map(INSTRUMENT, record.end)
            rows[table] = history.load(path).stored
            advance()
    with open_history(database) as history:
        issue = collect_issue(history, read_report(_write_report_config(out)), record.end)
    fits = compare_with_truth(made, record.truth[-1], lot=record.settings.lot)
    write_issue(issue, out / "site")
    return DemoResult(
        record=record, database=database, rows=rows, map=made, fits=fits, page=out / "site" / "index.html"
    )


def _write_report_config(out: Path) -> Path:
    path = out / "report.toml"
    path.write_text(f'title = "SIMULATED market"\ninstruments = ["{INSTRUMENT}"]\n', encoding="utf-8")
    return path


def _reject_foreign_folder(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise InputError("demo", str(out), "a file", "a folder", "nothing made")
    if out.is_dir() and any(out.iterdir()) and not (out / _MARKER_FILE).is_file():
        expected = "a new or empty folder, or an earlier demo's"
        raise InputError("demo", str(out), "a folder with other things in it", expected, "nothing made")


def _clear_previous_demo(out: Path) -> None:
    """Take the folder over: an earlier demo goes only once the new market is there."""
    out.mkdir(parents=True, exist_ok=True)
    (out / _MARKER_FILE).write_text(_MARKER_TEXT, encoding="utf-8")
    for stale in out.glob("history.duckdb*"):
        stale.unlink()
    for folder in ("market", "truth", "site"):
        if (out / folder).is_dir():
            shutil.rmtree(out / folder)


@contextmanager
def _progress(what: str, steps: int) -> Iterator[Callable[[], None]]:
    """A bar on standard error while a terminal looks on; nothing otherwise."""
    from rich.console import Console  # noqa: PLC0415 - only the demo draws bars
    from rich.progress import Progress  # noqa: PLC0415

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task(what, total=steps)
        yield lambda: bars.advance(task)
