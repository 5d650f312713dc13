"""How a file's columns become fields: mappings are data (TOML), one per layout, never code."""

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
from liqmap.history.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping as Dict
    from os import PathLike

__all__ = ["Field", "Mapping", "TargetTable", "bundled_mappings", "mapping_from_columns", "own_layout", "read_mapping"]

Unit: TypeAlias = Literal["usd", "base", "quote", "contracts", "fraction", "percent", "bps"]
TimeUnit: TypeAlias = Literal["auto", "s", "ms", "us", "iso"]


class _StrictModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Field(_StrictModel):
    """Where one field comes from.

    Attributes:
        column: The file's column.
        constant: A value for every row, where the file has no column for it.
        until: For ``interval_s``: the column with the bar's last instant; its span is rounded to whole seconds.
        unit: The file's unit, where it is not the table's own.
        price: The column with the price that turns coin into USD, USD into coin, or contracts into either.
        scale: Multiplies the number.
        time: The unit of a time; ``auto`` goes by its size, or reads ISO 8601, one unit per file.
        offset_s: Added to a time: a row stamped with its bar's start, but known at its end, has the bar's length here.
        values: The file's words for the table's words.
        prefix: Put before a label: ``binance:`` before a symbol.
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
    def _one_origin(self) -> Field:
        if sum(x is not None for x in (self.column, self.constant, self.until)) != 1:
            message = "give exactly one of column, constant, until"
            raise ValueError(message)
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it needs."""
        return tuple(c for c in (self.column, self.until, self.price) if c is not None)


def _expand_shorthand(value: object) -> object:
    """Plain text is a column, a plain number a constant."""
    if isinstance(value, str):
        return {"column": value}
    return {"constant": value} if isinstance(value, int | float) and not isinstance(value, bool) else value


class TargetTable(_StrictModel):
    """One table that a file's rows feed.

    Attributes:
        table: A table of the history; ``trades`` are reduced to one-minute bars, ``bands`` to depth.
        instrument: The instrument of these rows, whatever is asked for: for a vendor's sum over several venues.
        fields: Field → where it comes from. ``interval_s`` left out of bars is read off their spacing.
    """

    table: str
    instrument: str | None = None
    fields: dict[str, Annotated[Field, BeforeValidator(_expand_shorthand)]]

    @model_validator(mode="after")
    def _known(self) -> TargetTable:
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


class Mapping(_StrictModel):
    """One layout of a file.

    Attributes:
        name: What it is called: the TOML file's name.
        about: Whose layout it is, in one line.
        columns: The exact columns, in order; empty for a layout that only names the columns it uses.
        header: Whether the file's first row names them.
        file_name: What the name of a file without a header looks like (a regular expression).
        ask: Only used when asked for by name: another layout has the same header.
        instrument: The instrument unless another is asked for.
        skip_first: Leading rows known to be placeholders.
        skip_last: Trailing rows known to be still growing.
        dated_name: Whether the file's name ends in the day or month that its rows belong to.
        may_end_open: Whether whole files of this layout come without a line end after the last row.
        targets: What the rows feed.
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
    def _consistent(self) -> Mapping:
        if len(set(self.columns)) != len(self.columns):
            message = "a column is named twice"
            raise ValueError(message)
        if self.header != "always" and not self.columns:
            message = "a layout without a header must list its columns"
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
        """The columns it reads, each once."""
        return tuple(dict.fromkeys(c for t in self.targets for f in t.fields.values() for c in f.columns))

    @property
    def hash(self) -> str:
        """Stands for what the mapping does."""
        return digest(self.model_dump(mode="json", exclude={"about"}))


@cache
def bundled_mappings() -> tuple[Mapping, ...]:
    """The matches liqmap knows, by name."""
    folder = resources.files(__package__) / "mappings"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return tuple(_parse_toml(f.read_text("utf-8"), f.name, f.name.removesuffix(".toml")) for f in files)


def read_mapping(which: str | PathLike[str]) -> Mapping:
    """A mapping of the user's own, or a shipped one by its name.

    Raises:
        InputError: No such file or name; not TOML; an unknown key; a field or table that does not exist.
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


def _parse_toml(text: str, where: str, name: str) -> Mapping:
    try:
        return _validate_mapping({"name": name, **tomllib.loads(text)}, where)
    except tomllib.TOMLDecodeError as error:
        raise InputError("mapping", where, str(error), "TOML", "nothing loaded") from None


def _validate_mapping(data: Dict[str, Any], where: str) -> Mapping:
    try:
        return Mapping.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or None
        found = first["msg"].removeprefix("Value error, ")
        expected = "a mapping as docs/add-a-mapping.md describes it"
        raise InputError("mapping", where, found, expected, "nothing loaded", field=place) from None


def own_layout(table: str, header: tuple[str, ...], *, instrument: bool) -> Mapping | None:
    """Own layout: columns named like the table's fields; ``None`` if the header does not fit.

    Args:
        table: The table.
        header: The file's columns, in any order.
        instrument: Whether the instrument is known without a column of its own.
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
    return Mapping.model_validate({"name": table, "about": f"liqmap's own: {table}", "target": [target]})


def mapping_from_columns(table: str, columns: Dict[str, Any], header: tuple[str, ...]) -> Mapping:
    """A mapping given in a call: field → column, constant or :class:`Field`; fields not given go by their own name.

    Raises:
        InputError: An unknown table or field, or a field that must be given.
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
