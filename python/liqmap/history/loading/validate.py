"""Checks across rows: open interest against price, bar length, dates in the file name, share of blank rows."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from liqmap._base.errors import InputError
from liqmap._base.timestamps import iso, parse_instant
from liqmap.history.loading.field_sql import Check
from liqmap.history.loading.staging import BLANK_CODE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liqmap.history.loading.staging import Staging
    from liqmap.history.loading.types import StagedRows

__all__ = ["check_blanks", "check_open_interest", "infer_interval"]

OI_TOLERANCE = 0.05
"""Maximum relative difference between base × price and the USD value."""

_MAX_BAR_AGE_US = 2 * 3_600_000_000  # an older bar is not used as a price reference
_DATE_IN_NAME = re.compile(r"-(\d{4})-(\d{2})(?:-(\d{2}))?\.")
_MAX_BLANK_SHARE = 0.1
_LONGEST_BAR_S = 7 * 86_400


def check_open_interest(
    staging: Staging, staged: StagedRows, others: Sequence[StagedRows]
) -> tuple[StagedRows, str | None]:
    """Mark rows whose coin × price differs from their USD value by more than 5 %.

    The price is the low to high of the latest bar at that time, from the file or the history.

    Returns:
        The rows with one more check, and a note if no price was available.
    """
    if staged.table.name != "open_interest" or not {"oi_base", "oi_usd"} <= set(staged.target.fields):
        return staged, None
    columns = "SELECT instrument, ts, low, high FROM"
    bars = [f"{columns} {other.name} WHERE failed_check IS NULL" for other in others if other.table.name == "bars"]
    bars.append(f"{columns} bars WHERE instrument IN (SELECT DISTINCT instrument FROM {staged.name})")
    number = len(staged.checks) + 1
    connection = staging.connection
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE with_price AS SELECT s.row_index, s.oi_base, s.oi_usd, p.low, p.high "
        f"FROM {staged.name} s ASOF JOIN ({' UNION ALL '.join(bars)}) p "
        f"ON s.instrument = p.instrument AND s.ts >= p.ts WHERE s.ts - p.ts <= {_MAX_BAR_AGE_US} "
        f"AND s.failed_check IS NULL AND s.oi_base IS NOT NULL AND s.oi_usd IS NOT NULL"
    )
    connection.execute(
        f"UPDATE {staged.name} SET failed_check = {number} WHERE row_index IN (SELECT row_index FROM with_price "
        f"WHERE oi_usd < oi_base * low * {1 - OI_TOLERANCE} OR oi_usd > oi_base * high * {1 + OI_TOLERANCE})"
    )
    row = connection.execute(
        f"SELECT (SELECT count(*) FROM with_price), (SELECT count(*) FROM {staged.name} WHERE failed_check IS NULL "
        "AND oi_base IS NOT NULL AND oi_usd IS NOT NULL)"
    ).fetchone()
    note = (
        "open interest: no price to check that base × price = USD; load bars first"
        if row and row[1] and not row[0]
        else None
    )
    field = staged.target.fields["oi_usd"]
    at = staging.match.columns.index(field.column) if field.column else None
    check = Check("false", "oi_usd", at, f"coin × price within {OI_TOLERANCE:.0%}")
    return replace(staged, checks=(*staged.checks, check)), note


def infer_interval(staging: Staging, staged: StagedRows) -> None:
    """Infer the bar length from the spacing of bars, if the mapping does not define it.

    Raises:
        InputError: The file has one bar only, no usual spacing of at most a week, or bars between the regular times.
    """
    if staged.table.name != "bars" or "interval_s" in staged.target.fields:
        return
    connection, name = staging.connection, staged.name
    where = staging.source.where
    row = connection.execute(
        f"SELECT mode(gap), min(ts) FROM (SELECT ts, ts - lag(ts) OVER (ORDER BY ts) AS gap "
        f"FROM (SELECT DISTINCT ts FROM {name} WHERE failed_check IS NULL))"
    ).fetchone()
    gap, first = (row[0], row[1]) if row else (None, None)
    if gap is None or gap % 1_000_000 or gap > _LONGEST_BAR_S * 1_000_000:
        found = "one bar" if gap is None else f"bars {gap / 1e6:g} s apart"
        raise InputError(
            "load", where, found, "interval_s, or evenly spaced bars", "nothing stored", field="interval_s"
        )
    irregular = connection.execute(
        f"SELECT row_index FROM {name} WHERE failed_check IS NULL AND (ts - {first}) % {gap} <> 0 "
        "ORDER BY row_index LIMIT 1"
    ).fetchone()
    if irregular:
        found = f"a bar off the {gap // 1_000_000} s grid of the others"
        raise InputError(
            "load",
            where,
            found,
            "interval_s, or evenly spaced bars",
            "nothing stored",
            row=staging.rows.line_number(irregular[0]),
        )
    connection.execute(f"UPDATE {name} SET interval_s = {gap // 1_000_000}")


def check_dates(staging: Staging, staged: StagedRows) -> None:
    """Verify that rows belong to the day or month in the name of the file (including the midnight at its end).

    Raises:
        InputError: A row belongs to another day; the message names the first.
    """
    match = _DATE_IN_NAME.search(staging.source.name) if staging.match.mapping.dated_name else None
    if match is None:
        return
    year, month, day = int(match[1]), int(match[2]), match[3]
    start = date(year, month, int(day or 1))
    end = start + timedelta(days=1) if day else date(year + month // 12, month % 12 + 1, 1)
    low, high = (parse_instant(d.isoformat()) for d in (start, end))
    row = staging.connection.execute(
        f"SELECT row_index, ts FROM {staged.name} WHERE failed_check IS NULL AND (ts < {low} OR ts > {high}) "
        "ORDER BY row_index LIMIT 1"
    ).fetchone()
    if row:
        found, expected = iso(int(row[1])), f"a time in {match[0].strip('-.')}, as stated by the file's name"
        raise InputError(
            "load",
            staging.source.where,
            found,
            expected,
            "nothing stored",
            row=staging.rows.line_number(int(row[0])),
            field="ts" if staged.time_column is None else staging.match.columns[staged.time_column],
        )


def check_blanks(staging: Staging, staged: StagedRows) -> int:
    """Count the rows without any value for the table.

    Raises:
        InputError: More than a tenth of the rows are blank.
    """
    row = staging.connection.execute(
        f"SELECT count(*), min(row_index) FROM {staged.name} WHERE failed_check = {BLANK_CODE}"
    ).fetchone()
    blank, first = (int(row[0]), row[1]) if row else (0, None)
    if first is not None and (blank > max(1, _MAX_BLANK_SHARE * staged.rows) or blank == staged.rows):
        found = f"{blank:,} of {staged.rows:,} rows blank for {staged.table.name}"
        expected = f"at most {_MAX_BLANK_SHARE:.0%}"
        raise InputError(
            "load", staging.source.where, found, expected, "nothing stored", row=staging.rows.line_number(int(first))
        )
    return blank
