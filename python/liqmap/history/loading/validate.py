"""Checks that need more than one row: open interest against price, the length of a bar, how much is blank."""

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
"""How far base × price may lie from the USD value."""

_MAX_BAR_AGE_US = 2 * 3_600_000_000  # a bar this much older says nothing about the price any more
_DATE_IN_NAME = re.compile(r"-(\d{4})-(\d{2})(?:-(\d{2}))?\.")
_MAX_BLANK_SHARE = 0.1
_LONGEST_BAR_S = 7 * 86_400


def check_open_interest(
    staging: Staging, staged: StagedRows, others: Sequence[StagedRows]
) -> tuple[StagedRows, str | None]:
    """Mark rows whose coin × price is not their USD value within 5 %, by the nearest bar of the file or the history.

    Returns:
        The rows with one more possible fault, and a note where there was no price to check with.
    """
    if staged.table.name != "open_interest" or not {"oi_base", "oi_usd"} <= set(staged.target.fields):
        return staged, None
    columns = "SELECT instrument, ts, low, high FROM"
    bars = [f"{columns} {other.name} WHERE failed_check IS NULL" for other in others if other.table.name == "bars"]
    bars.append(f"{columns} bars WHERE instrument IN (SELECT DISTINCT instrument FROM {staged.name})")
    code = len(staged.checks) + 1
    connection = staging.connection
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE priced AS SELECT s.row_index, s.oi_base, s.oi_usd, p.low, p.high "
        f"FROM {staged.name} s ASOF JOIN ({' UNION ALL '.join(bars)}) p "
        f"ON s.instrument = p.instrument AND s.ts >= p.ts WHERE s.ts - p.ts <= {_MAX_BAR_AGE_US} "
        f"AND s.failed_check IS NULL AND s.oi_base IS NOT NULL AND s.oi_usd IS NOT NULL"
    )
    connection.execute(
        f"UPDATE {staged.name} SET failed_check = {code} WHERE row_index IN (SELECT row_index FROM priced "
        f"WHERE oi_usd < oi_base * low * {1 - OI_TOLERANCE} OR oi_usd > oi_base * high * {1 + OI_TOLERANCE})"
    )
    row = connection.execute(
        f"SELECT (SELECT count(*) FROM priced), (SELECT count(*) FROM {staged.name} WHERE failed_check IS NULL "
        "AND oi_base IS NOT NULL AND oi_usd IS NOT NULL)"
    ).fetchone()
    note = (
        "open interest: no price to check base × price = USD with; load bars first"
        if row and row[1] and not row[0]
        else None
    )
    field = staged.target.fields["oi_usd"]
    at = staging.match.columns.index(field.column) if field.column else None
    fault = Check("false", "oi_usd", at, f"coin × price within {OI_TOLERANCE:.0%}")
    return replace(staged, checks=(*staged.checks, fault)), note


def infer_interval(staging: Staging, staged: StagedRows) -> None:
    """Read the length of bars off their spacing, where the mapping does not give it.

    Raises:
        InputError: One bar only, no spacing of at most a week, or bars off their own grid.
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
    off = connection.execute(
        f"SELECT row_index FROM {name} WHERE failed_check IS NULL AND (ts - {first}) % {gap} <> 0 ORDER BY row_index LIMIT 1"
    ).fetchone()
    if off:
        found = f"a bar off the {gap // 1_000_000} s grid of the others"
        raise InputError(
            "load",
            where,
            found,
            "interval_s, or evenly spaced bars",
            "nothing stored",
            row=staging.rows.line_number(off[0]),
        )
    connection.execute(f"UPDATE {name} SET interval_s = {gap // 1_000_000}")


def check_dates(staging: Staging, staged: StagedRows) -> None:
    """Rows of an archive belong to the day or month in its name (the closing midnight included).

    Raises:
        InputError: A row of another day; names the first.
    """
    match = _DATE_IN_NAME.search(staging.source.name) if staging.match.mapping.dated_name else None
    if match is None:
        return
    year, month, day = int(match[1]), int(match[2]), match[3]
    start = date(year, month, int(day or 1))
    end = start + timedelta(days=1) if day else date(year + month // 12, month % 12 + 1, 1)
    low, high = (parse_instant(d.isoformat()) for d in (start, end))
    row = staging.connection.execute(
        f"SELECT row_index, ts FROM {staged.name} WHERE failed_check IS NULL AND (ts < {low} OR ts > {high}) ORDER BY row_index LIMIT 1"
    ).fetchone()
    if row:
        found, expected = iso(int(row[1])), f"a time in {match[0].strip('-.')}, as the file's name says"
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
    """Count rows that hold nothing for the table.

    Raises:
        InputError: More than a tenth of the file.
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
