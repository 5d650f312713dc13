"""Mappings: TOML files that assign the columns of a source file to the fields of a table."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator
from pydantic import Field as Option

from liqmap._base.errors import InputError
from liqmap._base.provenance import digest
from liqmap.history.column_limits import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping as Dict
    from os import PathLike

__all__ = [
    "FieldMapping",
    "FileMapping",
    "TargetTable",
    "bundled_mappings",
    "mapping_from_columns",
    "own_layout",
    "read_mapping",
]

Unit: TypeAlias = Literal["usd", "base", "quote", "contracts", "fraction", "percent", "bps"]
TimeUnit: TypeAlias = Literal["auto", "s", "ms", "us", "iso"]


class _StrictModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldMapping(_StrictModel):
    """Source of one field.

    Attributes:
        column: Column of the file.
        constant: Value for all rows, if the file has no column for the field.
        until: For ``interval_s``: the column with the bar's last instant; the length is rounded to whole seconds.
        unit: Unit in the file, if it differs from the table's.
        price: Column with the price that converts between coin, USD and contracts.
        scale: Factor applied to the number.
        time: Unit of a time; ``auto`` detects it from the magnitude or the ISO 8601 format, one unit per file.
        offset_s: Seconds added to a time; the bar length for rows stamped with the bar's start but known at its end.
        values: Value in the file → value in the table.
        prefix: Text put before a label, such as ``binance:`` before a symbol.
    """

    column: str | None = None
    constant: int | float | str | None = None
    until: str | None = None
    unit: Unit | None = None
    price: str | None = None
    scale: Annotated[float, Option(gt=0, allow_inf_nan=False)] = 1.0
    time: TimeUnit = "auto"
    offset_s: int = 0
    values: dict[str, str] = Option(default_factory=dict)
    prefix: str = ""

    @model_validator(mode="after")
    def _validate_source(self) -> FieldMapping:
        if sum(x is not None for x in (self.column, self.constant, self.until)) != 1:
            message = "give exactly one of column, constant, until"
            raise ValueError(message)
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the file that the field needs."""
        return tuple(c for c in (self.column, self.until, self.price) if c is not None)


def _expand_shorthand(value: object) -> object:
    """Expand the short forms: plain text is a column, a plain number is a constant."""
    if isinstance(value, str):
        return {"column": value}
    return {"constant": value} if isinstance(value, int | float) and not isinstance(value, bool) else value


class TargetTable(_StrictModel):
    """One table that receives the rows of a file.

    Attributes:
        table: Table of the history; ``trades`` are aggregated to one-minute bars, ``bands`` to depth.
        instrument: Instrument of these rows, which overrides the requested one; for a vendor's sum over venues.
        fields: Field → source. If ``interval_s`` of bars is omitted, it is inferred from their spacing.
    """

    table: str
    instrument: str | None = None
    fields: dict[str, Annotated[FieldMapping, BeforeValidator(_expand_shorthand)]]

    @model_validator(mode="after")
    def _validate_fields(self) -> TargetTable:
        table = TABLES.get(self.table)
        if table is None:
            message = f"no table {self.table!r}; there are {', '.join(TABLES)}"
            raise ValueError(message)
        if unknown := sorted(set(self.fields) - set(table.names)):
            message = f"{self.table} has no field {unknown[0]!r}; it has {', '.join(table.names)}"
            raise ValueError(message)
        for name, field in self.fields.items():
            choices = next(c.choices for c in table.columns if c.name == name)
            given_words = [*field.values.values(), *([] if field.constant is None else [field.constant])]
            if choices and (wrong := [w for w in given_words if w not in choices]):
                message = f"{name} is one of {', '.join(choices)}, not {wrong[0]!r}"
                raise ValueError(message)
        given = {*self.fields, "instrument", "interval_s" if self.table == "bars" else "instrument"}
        if missing := [c.name for c in table.columns if c.required and c.name not in given]:
            message = f"{self.table} needs {', '.join(missing)}"
            raise ValueError(message)
        return self


class FileMapping(_StrictModel):
    """The mapping of one file format.

    Attributes:
        name: Name of the TOML file without suffix.
        about: Description of the file format in one line.
        columns: Exact columns in order; empty for a mapping that lists only the columns it uses.
        header: Whether the first row of the file is a header.
        file_name: Regular expression for the name of a file without header.
        ask: Whether the mapping is used only if requested by name, because another mapping has the same header.
        instrument: Default instrument.
        skip_first: Number of leading placeholder rows.
        skip_last: Number of trailing incomplete rows.
        dated_name: Whether the name of the file ends in the day or month of its rows.
        may_end_open: Whether complete files of this format lack the final newline.
        targets: Tables that receive the rows.
    """

    name: str
    about: str
    columns: tuple[str, ...] = ()
    header: Literal["always", "maybe", "never"] = "always"
    file_name: str | None = None
    ask: bool = False
    instrument: str | None = None
    skip_first: Annotated[int, Option(ge=0)] = 0
    skip_last: Annotated[int, Option(ge=0)] = 0
    dated_name: bool = False
    may_end_open: bool = False
    targets: tuple[TargetTable, ...] = Option(min_length=1, alias="target")

    @model_validator(mode="after")
    def _validate_columns(self) -> FileMapping:
        if len(set(self.columns)) != len(self.columns):
            message = "a column is listed twice"
            raise ValueError(message)
        if self.header != "always" and not self.columns:
            message = "a mapping without a header must list its columns"
            raise ValueError(message)
        used = [c for t in self.targets for f in t.fields.values() for c in f.columns]
        if self.columns and (unknown := [c for c in used if c not in self.columns]):
            message = f"column {unknown[0]!r} is not among its columns"
            raise ValueError(message)
        if self.file_name is not None:
            re.compile(self.file_name)
        return self

    @property
    def used_columns(self) -> tuple[str, ...]:
        """Columns of the file that are read, without repeats."""
        return tuple(dict.fromkeys(c for t in self.targets for f in t.fields.values() for c in f.columns))

    @property
    def hash(self) -> str:
        """Hash of everything that influences how a file is read."""
        return digest(self.model_dump(mode="json", exclude={"about"}))


@cache
def bundled_mappings() -> tuple[FileMapping, ...]:
    """Return the mappings that are part of liqmap, sorted by name."""
    folder = resources.files(__package__) / "mappings"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return tuple(_parse_toml(f.read_text("utf-8"), f.name, f.name.removesuffix(".toml")) for f in files)


def read_mapping(which: str | PathLike[str]) -> FileMapping:
    """Read a mapping from a file, or return a bundled mapping by name.

    Raises:
        InputError: The file or name does not exist, the file is not TOML, or a key, field or table is unknown.
    """
    known = {m.name: m for m in bundled_mappings()}
    if str(which) in known:
        return known[str(which)]
    path = Path(which)
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        expected = f"a TOML file, or one of {', '.join(known)}"
        found = "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror or str(error)
        raise InputError("mapping", str(which), found, expected, "nothing loaded") from None
    return _parse_toml(text, str(which), path.stem)


def _parse_toml(text: str, where: str, name: str) -> FileMapping:
    try:
        return _validate_mapping({"name": name, **tomllib.loads(text)}, where)
    except tomllib.TOMLDecodeError as error:
        raise InputError("mapping", where, str(error), "TOML", "nothing loaded") from None


def _validate_mapping(data: Dict[str, Any], where: str) -> FileMapping:
    try:
        return FileMapping.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or None
        found = first["msg"].removeprefix("Value error, ")
        expected = "a mapping as docs/add-a-mapping.md describes it"
        raise InputError("mapping", where, found, expected, "nothing loaded", field=place) from None


def own_layout(table: str, header: tuple[str, ...], *, instrument: bool) -> FileMapping | None:
    """Return the mapping of a file whose columns have the names of a table's fields; ``None`` if they do not.

    Args:
        table: Name of the table.
        header: Columns of the file, in any order.
        instrument: Whether the instrument is given, so that no column is needed.
    """
    spec = TABLES[table]
    if spec.aggregated_into or set(header) - set(spec.names):
        return None
    optional = {"instrument"} if instrument else set()
    if table == "bars":
        optional |= {"interval_s", "price_source"}
    if any(c.required and c.name not in header and c.name not in optional for c in spec.columns):
        return None
    fields: dict[str, Any] = {name: {"column": name} for name in spec.names if name in header}
    if table == "bars":
        fields.setdefault("price_source", {"constant": "last"})
    target = {"table": table, "fields": fields}
    return FileMapping.model_validate({"name": table, "about": f"liqmap's own: {table}", "target": [target]})


def mapping_from_columns(table: str, columns: Dict[str, Any], header: tuple[str, ...]) -> FileMapping:
    """Build a mapping from the argument ``columns``; other fields are read from the column of the same name.

    Raises:
        InputError: The table or a field is unknown, or a required field is missing.
    """
    if table not in TABLES:
        raise InputError("load", "table", repr(table), f"one of {', '.join(TABLES)}", "nothing loaded")
    fields: dict[str, Any] = {
        name: {"column": name} for name in TABLES[table].names if name in header and name not in columns
    }
    fields |= dict(columns)
    if table == "bars":
        fields.setdefault("price_source", {"constant": "last"})
    target = {"table": table, "fields": fields}
    return _validate_mapping(
        {"name": f"columns of {table}", "about": "given in the call", "target": [target]}, "columns"
    )
