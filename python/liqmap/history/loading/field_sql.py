"""Cells to values: the SQL that reads one field of one row, and the conditions it must meet.

Every cell arrives as text. ``c3`` is column 3's text, ``n3`` its number, ``u3`` its unit as a time, ``t3`` the time,
and a field's own name is its value; all identifiers are ours, what a file says only ever appears as a quoted literal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from liqmap._base.errors import InputError
from liqmap._base.timestamps import EARLIEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liqmap._base.instruments import Instrument
    from liqmap.history.loading.mapping import Field, TimeUnit
    from liqmap.history.tables import Column

__all__ = [
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
_USD_CURRENCIES = ("USD", "USDT", "USDC", "BUSD", "FDUSD", "TUSD", "DAI", "USDE")


@dataclass(frozen=True, slots=True)
class Check:
    """What can be wrong with a row: a condition, and how to tell of it.

    Attributes:
        condition: SQL that is true for a row at fault.
        field: The field of the table.
        column: The file's column that holds the value, by number.
        expected: What would have been right.
        of_key: Found before a row is taken for blank.
        secret: What stood there is not told.
    """

    condition: str
    field: str
    column: int | None
    expected: str
    before_blank_check: bool = False
    redacted: bool = False


@dataclass(frozen=True, slots=True)
class FieldSql:
    """How one field is read.

    Attributes:
        value: SQL of its value.
        checks: What can be wrong with it.
        cells: The columns it needs as text, by number.
        numbers: The columns it needs as numbers.
        times: The columns it needs as times.
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
    """A quoted SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def printable_sql(text: str) -> str:
    """SQL: whether a text is a label: not empty, not too long, no control characters."""
    return f"{text} <> '' AND length({text}) <= {_MAX_LABEL_LENGTH} AND NOT regexp_matches({text}, '[[:cntrl:]]')"


def number_sql(cell: str) -> str:
    """SQL: a cell's number, or NULL; ``1_000`` is none."""
    return f"CASE WHEN contains({cell}, '_') THEN NULL ELSE TRY_CAST({cell} AS DOUBLE) END"


def time_unit_sql(cell: str, number: str) -> str:
    """SQL: the number of a time's unit, by its size, or as ISO 8601 where it is no number."""
    return (
        f"CASE WHEN {number} >= 1e12 AND {number} < 1e13 THEN 2 WHEN {number} >= 1e15 AND {number} < 1e16 THEN 3 "
        f"WHEN {number} >= 1e9 AND {number} < 1e10 THEN 1 "
        f"WHEN {number} IS NULL AND regexp_full_match({cell}, {quote_literal(_ISO)}) THEN 4 END"
    )


def time_sql(cell: str, number: str, unit: str) -> str:
    """SQL: a cell's time in microseconds, or NULL."""
    # DuckDB wants seconds before a zone.
    whole = f"regexp_replace({cell}, '(:\\d\\d)(Z|\\+00:?00| UTC)$', '\\1:00\\2')"
    written = f"coalesce(TRY_CAST({cell} AS TIMESTAMP), TRY_CAST({whole} AS TIMESTAMP))"
    return (
        f"CASE {unit} WHEN 2 THEN CAST(round({number} * 1e3) AS BIGINT) WHEN 3 THEN CAST({number} AS BIGINT) "
        f"WHEN 1 THEN CAST(round({number} * 1e6) AS BIGINT) WHEN 4 THEN epoch_us({written}) END"
    )


def field_sql(
    column: Column, field: Field, columns: Sequence[str], instrument: Instrument | None, latest: int, where: str
) -> FieldSql:
    """How a field is read from a file.

    Args:
        column: The field of the table.
        field: Where the mapping takes it from.
        columns: The file's columns.
        instrument: The rows' instrument where it is one: its contract size turns contracts into coin or USD.
        latest: The latest time that is believed, UTC microseconds.
        where: The file, for errors.

    Raises:
        InputError: A unit that cannot be turned into the table's.
    """
    if field.until is not None:
        return _interval_sql(column, columns.index(field.until), latest)
    at = None if field.column is None else columns.index(field.column)
    cell = quote_literal(str(field.constant)) if at is None else text_column(at)
    cells = frozenset(() if at is None else (at,))
    blank = (Check(f"{cell} IS NULL", column.name, at, column.expected),) if column.required and at is not None else ()

    def must(condition: str, expected: str = column.expected) -> Check:
        return Check(f"{cell} IS NOT NULL AND NOT coalesce({condition}, false)", column.name, at, expected)

    if column.kind == "time":
        return _time_field_sql(column, field, cell, at, blank, latest)
    if column.kind == "label":
        text = f"trim({cell})"
        value = f"{quote_literal(field.prefix)} || {text}" if field.prefix else text
        return FieldSql(value, (*blank, must(printable_sql(text))), cells)
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
    checks = (*blank, must(f"isfinite({value}) AND {condition}"))
    needed = frozenset(i for i in (at, price) if i is not None)
    typed = f"CAST({value} AS BIGINT)" if column.kind == "whole" else value
    return FieldSql(typed, checks, cells, number_columns=needed)


def _time_field_sql(
    column: Column, field: Field, cell: str, at: int | None, blank: tuple[Check, ...], latest: int
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
    wrong = f"{cell} IS NOT NULL AND NOT coalesce({value} >= {EARLIEST} AND {value} <= {until}, false)"
    checks.append(Check(wrong, column.name, at, column.expected, before_blank_check=True))
    shifted = f"{value} + {field.offset_s * 1_000_000}" if field.offset_s else value
    cells = frozenset(() if at is None else (at,))
    return FieldSql(shifted, tuple(checks), cells, time_columns=cells)


def _interval_sql(column: Column, until: int, latest: int) -> FieldSql:
    value = f'CAST(round(({time_column(until)} - "ts") / 1e6) AS BIGINT)'
    wrong = f"NOT coalesce({time_column(until)} >= {EARLIEST} AND {time_column(until)} <= {latest + 7 * 86_400_000_000} AND {value} > 0, false)"
    fault = Check(wrong, column.name, until, "the bar's end, after its start")
    return FieldSql(value, (fault,), frozenset((until,)), time_columns=frozenset((until,)))


def _choice_sql(column: Column, field: Field, cell: str, at: int | None, blank: tuple[Check, ...]) -> FieldSql:
    words = field.values or dict(zip(column.choices, column.choices, strict=True))
    cases = " ".join(f"WHEN {quote_literal(k)} THEN {quote_literal(v)}" for k, v in words.items())
    value = f"CASE trim({cell}) {cases} END"
    fault = Check(f'{cell} IS NOT NULL AND "{column.name}" IS NULL', column.name, at, f"one of {', '.join(words)}")
    return FieldSql(value, (*blank, fault), frozenset(() if at is None else (at,)))


def _convert_unit(
    column: Column, field: Field, number: str, columns: Sequence[str], instrument: Instrument | None, where: str
) -> tuple[str, int | None]:
    """SQL of a number in the table's unit, and the price column it needs."""
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
    hint = "one instrument, so that its contract size is known" if unit == "contracts" else "a price column beside it"
    found = f"{field.unit or unit} for a field in {column.unit or 'its own unit'}"
    raise InputError("mapping", where, found, hint, "nothing stored", field=column.name)


def _is_quoted_in_usd(instrument: Instrument | None) -> bool:
    return instrument is not None and instrument.quote in _USD_CURRENCIES
