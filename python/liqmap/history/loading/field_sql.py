"""SQL that converts the cells of a file to one field of a table, and the checks on its values.

Every cell is read as text. The staging query adds columns for each cell it needs: ``text_3`` is the text of the file's
column 3, ``number_3`` its number, ``unit_3`` the code of its time unit and ``time_3`` its time in UTC microseconds. A
column with the name of a field holds the field's value. File content appears in SQL only as quoted literals, never as
identifiers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from liqmap._base.errors import InputError
from liqmap._base.timestamps import EARLIEST, iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liqmap._base.instruments import Instrument
    from liqmap.history.column_limits import Column
    from liqmap.history.loading.mapping import FieldMapping, TimeUnit

__all__ = [
    "FUTURE_TOLERANCE",
    "TIME_UNIT_CODES",
    "Check",
    "FieldSql",
    "field_sql",
    "number_column",
    "number_sql",
    "printable_sql",
    "quote_literal",
    "text_column",
    "time_column",
    "time_sql",
    "time_unit_sql",
    "unit_column",
]

TIME_UNIT_CODES: dict[TimeUnit, int] = {"s": 1, "ms": 2, "us": 3, "iso": 4}
TIME_UNIT_NAMES = {1: "seconds", 2: "milliseconds", 3: "microseconds", 4: "ISO 8601"}
_ISO = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?)?(Z|\+00:?00| UTC)?"
_MAX_LABEL_LENGTH = 200
FUTURE_TOLERANCE = 86_400_000_000
"""Accepted time ahead of this machine's clock, microseconds."""
_USD_CURRENCIES = ("USD", "USDT", "USDC", "BUSD", "FDUSD", "TUSD", "DAI", "USDE")


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a row, and the parts of its error message.

    Attributes:
        condition: SQL that is true for an invalid row.
        field: FieldMapping of the table.
        column: Index of the file's column with the value; ``None`` if there is none.
        expected: Description of valid values.
        before_blank_check: Whether the check runs before blank rows are recognised; true for times.
        redacted: Whether the message must not show the value.
    """

    condition: str
    field: str
    column: int | None
    expected: str
    before_blank_check: bool = False
    redacted: bool = False


@dataclass(frozen=True, slots=True)
class FieldSql:
    """SQL of one field.

    Attributes:
        value: SQL expression of the value.
        checks: Checks of the value.
        text_columns: Indices of the file's columns that are needed as text.
        number_columns: Indices of the columns that are needed as numbers.
        time_columns: Indices of the columns that are needed as times.
    """

    value: str
    checks: tuple[Check, ...]
    text_columns: frozenset[int] = frozenset()
    number_columns: frozenset[int] = frozenset()
    time_columns: frozenset[int] = frozenset()


def text_column(index: int) -> str:
    """Name of the staging column with the text of the file's column ``index``."""
    return f"text_{index}"


def number_column(index: int) -> str:
    """Name of the staging column with that text as a number, or NULL."""
    return f"number_{index}"


def unit_column(index: int) -> str:
    """Name of the staging column with the code of its time unit (``TIME_UNIT_CODES``), or NULL."""
    return f"unit_{index}"


def time_column(index: int) -> str:
    """Name of the staging column with that text as a time in UTC microseconds, or NULL."""
    return f"time_{index}"


def quote_literal(text: str) -> str:
    """Quote a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def printable_sql(text: str) -> str:
    """Return SQL for: the text is not empty, not too long, and has no control characters."""
    return f"{text} <> '' AND length({text}) <= {_MAX_LABEL_LENGTH} AND NOT regexp_matches({text}, '[[:cntrl:]]')"


def number_sql(cell: str) -> str:
    """Return SQL for the number in a cell, or NULL; ``1_000`` is not accepted."""
    return f"CASE WHEN contains({cell}, '_') THEN NULL ELSE TRY_CAST({cell} AS DOUBLE) END"


def time_unit_sql(cell: str, number: str) -> str:
    """Return SQL for the code of a time's unit, detected from its magnitude, or from the ISO 8601 format, or NULL."""
    return (
        f"CASE WHEN {number} >= 1e12 AND {number} < 1e13 THEN 2 WHEN {number} >= 1e15 AND {number} < 1e16 THEN 3 "
        f"WHEN {number} >= 1e9 AND {number} < 1e10 THEN 1 "
        f"WHEN {number} IS NULL AND regexp_full_match({cell}, {quote_literal(_ISO)}) THEN 4 END"
    )


def time_sql(cell: str, number: str, unit: str) -> str:
    """Return SQL for the time in a cell in UTC microseconds, or NULL."""
    # DuckDB requires seconds before a time zone.
    with_seconds = f"regexp_replace({cell}, '(:\\d\\d)(Z|\\+00:?00| UTC)$', '\\1:00\\2')"
    timestamp = f"coalesce(TRY_CAST({cell} AS TIMESTAMP), TRY_CAST({with_seconds} AS TIMESTAMP))"
    return (
        f"CASE {unit} WHEN 2 THEN CAST(round({number} * 1e3) AS BIGINT) WHEN 3 THEN CAST({number} AS BIGINT) "
        f"WHEN 1 THEN CAST(round({number} * 1e6) AS BIGINT) WHEN 4 THEN epoch_us({timestamp}) END"
    )


def field_sql(
    column: Column, field: FieldMapping, columns: Sequence[str], instrument: Instrument | None, latest: int, where: str
) -> FieldSql:
    """Return the SQL that reads one field of a table from a file.

    Args:
        column: Field of the table.
        field: Source of the field according to the mapping.
        columns: Columns of the file.
        instrument: Instrument of all rows, if there is only one; its contract size converts contracts to coin or USD.
        latest: Latest plausible time, UTC microseconds.
        where: Name of the file, for errors.

    Raises:
        InputError: The unit cannot be converted to the unit of the table.
    """
    if field.until is not None:
        return _interval_sql(column, columns.index(field.until), latest)
    at = None if field.column is None else columns.index(field.column)
    cell = quote_literal(str(field.constant)) if at is None else text_column(at)
    cells = frozenset(() if at is None else (at,))
    blank = (Check(f"{cell} IS NULL", column.name, at, column.expected),) if column.required and at is not None else ()

    def require(condition: str, expected: str = column.expected) -> Check:
        return Check(f"{cell} IS NOT NULL AND NOT coalesce({condition}, false)", column.name, at, expected)

    if column.kind == "time":
        return _time_field_sql(column, field, cell, at, blank, latest)
    if column.kind == "label":
        text = f"trim({cell})"
        value = f"{quote_literal(field.prefix)} || {text}" if field.prefix else text
        return FieldSql(value, (*blank, require(printable_sql(text))), cells)
    if column.kind == "choice":
        return _choice_sql(column, field, cell, at, blank)
    number = number_column(at) if at is not None else number_sql(cell)
    value, price = _convert_unit(column, field, number, columns, instrument, where)
    condition = {
        "price": "{v} > 0",
        "positive": "{v} > 0",
        "amount": "{v} >= 0",
        "signed": "true",
        "fraction": "abs({v}) < 1",
        "whole": "{v} >= 0 AND {v} = floor({v})",
    }[column.kind].format(v=f"({value})")
    checks = (*blank, require(f"isfinite({value}) AND {condition}"))
    needed = frozenset(i for i in (at, price) if i is not None)
    typed = f"CAST({value} AS BIGINT)" if column.kind == "whole" else value
    return FieldSql(typed, checks, cells, number_columns=needed)


def _time_field_sql(
    column: Column, field: FieldMapping, cell: str, at: int | None, blank: tuple[Check, ...], latest: int
) -> FieldSql:
    if at is not None:
        value, unit = time_column(at), unit_column(at)
    else:
        unit = time_unit_sql(cell, number_sql(cell))
        value = time_sql(cell, number_sql(cell), unit)
    checks = [Check(f.condition, f.field, f.column, f.expected, before_blank_check=True) for f in blank]
    if field.time != "auto":
        code = TIME_UNIT_CODES[field.time]
        wrong = f"{cell} IS NOT NULL AND {unit} IS NOT NULL AND {unit} <> {code}"
        checks.append(Check(wrong, column.name, at, f"a time in {TIME_UNIT_NAMES[code]}", before_blank_check=True))
    until = "9000000000000000" if column.name == "expiry" else str(latest)
    wrong = f"{cell} IS NOT NULL AND NOT coalesce({value} >= {EARLIEST}, false)"
    checks.append(Check(wrong, column.name, at, column.expected, before_blank_check=True))
    future = f"{cell} IS NOT NULL AND {value} > {until}"
    expected = column.expected if column.name == "expiry" else _future_text(latest)
    checks.append(Check(future, column.name, at, expected, before_blank_check=True))
    shifted = f"{value} + {field.offset_s * 1_000_000}" if field.offset_s else value
    cells = frozenset(() if at is None else (at,))
    return FieldSql(shifted, tuple(checks), cells, time_columns=cells)


def _future_text(latest: int) -> str:
    """The valid times of a future time; a wrong clock of this machine is the other possible cause."""
    now = iso(latest - FUTURE_TOLERANCE)
    return f"a time at most one day after this machine's clock, which shows {now} and may be wrong"


def _interval_sql(column: Column, until: int, latest: int) -> FieldSql:
    value = f'CAST(round(({time_column(until)} - "ts") / 1e6) AS BIGINT)'
    plausible = f"{time_column(until)} BETWEEN {EARLIEST} AND {latest + 7 * 86_400_000_000} AND {value} > 0"
    check = Check(f"NOT coalesce({plausible}, false)", column.name, until, "the end of the bar, after its start")
    return FieldSql(value, (check,), frozenset((until,)), time_columns=frozenset((until,)))


def _choice_sql(column: Column, field: FieldMapping, cell: str, at: int | None, blank: tuple[Check, ...]) -> FieldSql:
    values = field.values or dict(zip(column.choices, column.choices, strict=True))
    cases = " ".join(f"WHEN {quote_literal(k)} THEN {quote_literal(v)}" for k, v in values.items())
    value = f"CASE trim({cell}) {cases} END"
    check = Check(f'{cell} IS NOT NULL AND "{column.name}" IS NULL', column.name, at, f"one of {', '.join(values)}")
    return FieldSql(value, (*blank, check), frozenset(() if at is None else (at,)))


def _convert_unit(
    column: Column, field: FieldMapping, number: str, columns: Sequence[str], instrument: Instrument | None, where: str
) -> tuple[str, int | None]:
    """Return SQL of a number in the unit of the table, and the index of the price column that it needs."""
    scaled = number if field.scale == 1.0 else f"({number} * {field.scale!r})"
    unit = field.unit or column.unit
    if unit == column.unit or (unit == "quote" and column.unit == "usd" and _is_quoted_in_usd(instrument)):
        return scaled, None
    if column.unit == "fraction" and unit in ("percent", "bps"):
        return f"({scaled} / {100.0 if unit == 'percent' else 10_000.0})", None
    at = None if field.price is None else columns.index(field.price)
    price = None if at is None else number_column(at)
    if unit == "contracts" and instrument is not None:
        scaled = f"({scaled} * {instrument.contract_size!r})"
        unit = "base" if instrument.payoff == "linear" else "usd"
        if unit == column.unit:
            return scaled, None
    if price is not None and (unit, column.unit) == ("base", "usd"):
        return f"({scaled} * {price})", at
    if price is not None and (unit, column.unit) == ("usd", "base"):
        return f"({scaled} / {price})", at
    hint = "a single instrument with a known contract size" if unit == "contracts" else "a price column"
    found = f"{field.unit or unit} for a field in {column.unit or 'its own unit'}"
    raise InputError("mapping", where, found, hint, "nothing stored", field=column.name)


def _is_quoted_in_usd(instrument: Instrument | None) -> bool:
    return instrument is not None and instrument.quote in _USD_CURRENCIES
