"""The complete demo: simulate a market, write and load its files, map it, compare with the truth, write a report."""

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

Everything in this folder comes from a market that liqmap simulated. `liqmap demo` replaces the folder's content.
"""


@dataclass(frozen=True, eq=False, slots=True)
class DemoResult:
    """Results of one demo run.

    Attributes:
        record: The simulated market.
        database: File of the history.
        rows: Stored rows by table.
        map: Map at the end of the record, from bars and open interest only.
        fits: Comparison of that map with the true levels, long and short; the map of the page also includes observed
            positions.
        page: Front page of the report.
    """

    record: Simulation
    database: Path
    rows: dict[str, int]
    map: LiquidationMap
    fits: tuple[TruthFit, TruthFit]
    page: Path


def run_demo(out: Path, *, seed: int, days: int) -> DemoResult:
    """Run the demo in its own folder; the same seed and days give the same market.

    Args:
        out: Folder; new, empty, or of an earlier demo, which is replaced.
        seed: Seed of the random generator.
        days: Recorded days.

    Raises:
        InputError: The folder has other content, or the seed or the number of days is out of range.
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
            # The map for the comparison is computed before any true position is loaded.
            if table == "positions":
                modelled_map = history.map(INSTRUMENT, record.end)
            rows[table] = history.load(path).stored
            advance()
    with open_history(database) as history:
        issue = collect_issue(history, read_report(_write_report_config(out)), record.end)
    fits = compare_with_truth(modelled_map, record.truth[-1], lot=record.settings.lot)
    write_issue(issue, out / "site")
    return DemoResult(
        record=record, database=database, rows=rows, map=modelled_map, fits=fits, page=out / "site" / "index.html"
    )


def _write_report_config(out: Path) -> Path:
    path = out / "report.toml"
    path.write_text(f'title = "SIMULATED market"\ninstruments = ["{INSTRUMENT}"]\n', encoding="utf-8")
    return path


def _reject_foreign_folder(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise InputError("demo", str(out), "a file", "a folder", "nothing written")
    if out.is_dir() and any(out.iterdir()) and not (out / _MARKER_FILE).is_file():
        expected = "a new or empty folder, or the folder of an earlier demo"
        raise InputError("demo", str(out), "a folder with other content", expected, "nothing written")


def _clear_previous_demo(out: Path) -> None:
    """Mark the folder as a demo and remove an earlier demo; called after the new market has been simulated."""
    out.mkdir(parents=True, exist_ok=True)
    (out / _MARKER_FILE).write_text(_MARKER_TEXT, encoding="utf-8")
    for stale in out.glob("history.duckdb*"):
        stale.unlink()
    for folder in ("market", "truth", "site"):
        if (out / folder).is_dir():
            shutil.rmtree(out / folder)


@contextmanager
def _progress(what: str, steps: int) -> Iterator[Callable[[], None]]:
    """A progress bar on standard error if that is a terminal."""
    from rich.console import Console  # noqa: PLC0415 - only the demo shows progress bars
    from rich.progress import Progress  # noqa: PLC0415

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task(what, total=steps)
        yield lambda: bars.advance(task)
