"""Collect the data of an issue from a history; pages do not access the history elsewhere."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from liqmap._base.errors import NotFoundError
from liqmap.report.facts import Facts, Issue, source_tables
from liqmap.report.page import MissingData
from liqmap.report.pages import find_page
from liqmap.stress.impact_selection import triggered_side, usable_law

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap._base.timestamps import Instant
    from liqmap.maps.map import LiquidationMap
    from liqmap.public import History
    from liqmap.report.config import Report

__all__ = ["collect_issue"]

_DAY = 86_400_000_000
_SIGMA_DAYS = 7
_HORIZON = 12 * 3_600_000_000


def collect_issue(history: History, report: Report, at: Instant | None = None) -> Issue:
    """Collect an issue from a history; by default as of the end of the first instrument's bars.

    Raises:
        NotFoundError: The history lacks an instrument of the report, or its data at that time.
    """
    found: list[Facts] = []
    for name in report.instruments:
        made = history.map(name, found[0].map.at if found else at)
        change, sigma, data_to = _recent_moves(history, name, made)
        book = history.depth(name, made.at)
        # A side without liquidation levels cannot cascade.
        shocks = [shock for shock in report.shocks if made.side(triggered_side(shock)).any()]
        cascades = tuple(made.cascade(shock, usable_law(made, book, triggered_side(shock))) for shock in shocks)
        coverage = history.coverage(name)
        sources = source_tables(made.provenance, coverage, made.at)
        facts = Facts(
            history.instrument(name), made, change, sigma, sources, cascades, data_to, coverage, every=report.interval
        )
        facts.page_data.update((wanted, _read_page_data(history, facts, wanted)) for wanted in report.pages)
        found.append(facts)
    return Issue(report, found[0].map.at, tuple(found))


def _read_page_data(history: History, facts: Facts, name: str) -> Any:  # noqa: ANN401 - the type depends on the page
    """Read the data of one page; missing history data gives a page that states what is missing."""
    read = find_page(name).read
    if read is None:
        return None
    try:
        return read(history, facts)
    except NotFoundError as error:
        return MissingData(f"{error.where}: {error.found}.", f"It needs {error.expected}.")


def _recent_moves(history: History, name: str, made: LiquidationMap) -> tuple[float | None, float | None, Instant]:
    """24-hour move, 12-hour σ and end of the data; maps of observed positions only have no moves."""
    if "bars" not in made.provenance.inputs:
        return None, None, made.at if made.observed is None else made.observed.as_of
    bars = history.market_bars(name, until=made.at)
    return *_day_move_and_sigma(bars.end, bars.close, made.at), int(bars.end[-1])


def _day_move_and_sigma(
    ends: npt.NDArray[np.int64], close: npt.NDArray[np.float64], at: Instant
) -> tuple[float | None, float | None]:
    """The 24-hour move, and the 12-hour σ from log returns of the last seven days.

    σ² is the sum of squared log returns divided by the elapsed time, so that gaps in the bars are weighted correctly.
    """
    earlier = int(np.searchsorted(ends, at - _DAY, side="right")) - 1
    if earlier < 0:
        return None, None
    change = float(close[-1] / close[earlier] - 1)
    first = int(np.searchsorted(ends, at - _SIGMA_DAYS * _DAY, side="left"))
    moves, span = np.diff(np.log(close[first:])), int(ends[-1] - ends[first])
    return change, math.sqrt(float(moves @ moves) / span * _HORIZON) if span >= _DAY else None
