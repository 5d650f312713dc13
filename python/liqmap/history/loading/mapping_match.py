"""Which mapping a file has: by the one asked for, by its exact header, or, without a header, by its name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from liqmap._base.errors import InputError
from liqmap.history.loading.mapping import Mapping, adhoc, own, read_mapping, shipped
from liqmap.history.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping as Dict
    from os import PathLike

    from liqmap._base.timestamps import Instant
    from liqmap.history.loading.source import Source
    from liqmap.history.loading.venue_rows import Payload

__all__ = ["Asked", "Layout", "find_layout"]

_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Asked:
    """What the caller said about the file; the account and the time are for a venue's answer that lacks them."""

    table: str | None = None
    instrument: str | None = None
    mapping: str | PathLike[str] | None = None
    columns: Dict[str, Any] | None = None
    account: str | None = None
    at: Instant | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """A file's columns as they stand, and the mapping that reads them.

    Attributes:
        columns: The file's columns in order, named by its header or by the mapping.
        header: Whether the first row is a header.
    """

    mapping: Mapping
    columns: tuple[str, ...]
    header: bool


def find_layout(source: Source, asked: Asked) -> Layout:
    """Find the mapping of a file.

    Raises:
        InputError: None fits, several do, or the one asked for does not.
    """
    if asked.table is not None and asked.table not in TABLES:
        raise InputError("load", "table", repr(asked.table), f"one of {', '.join(TABLES)}", "nothing stored")
    if source.payload is not None:
        return _of_payload(source, source.payload, asked)
    return _of_columns(source, asked)


def _of_columns(source: Source, asked: Asked) -> Layout:
    if asked.account is not None or asked.at is not None:
        said = "an account or a time in the call"
        raise InputError("load", source.where, said, "them in the file's own columns", "nothing stored")
    if asked.mapping is not None:
        return _fit(read_mapping(asked.mapping), source)
    first = source.first_row
    if asked.columns is not None:
        if asked.table is None:
            raise InputError("load", source.where, "columns without a table", "table=", "nothing stored")
        _refuse_doubled(source)
        return _fit(adhoc(asked.table, asked.columns, first), source)
    if asked.table is None:
        exact = [m for m in shipped() if not m.ask and m.columns == first and m.header != "never"]
        if len(exact) == 1:
            return Layout(exact[0], first, header=True)
    tables = [asked.table] if asked.table else [t for t in TABLES if TABLES[t].into is None]
    found = [m for t in tables if (m := own(t, first, instrument=asked.instrument is not None))]
    if not found and asked.table is None and source.header_is_data:
        found = [m for m in shipped() if _is_headerless(m, source)]
    if len(found) == 1:
        return _fit(found[0], source)
    raise _unknown(source, asked, [m.name for m in found])


def _of_payload(source: Source, payload: Payload, asked: Asked) -> Layout:
    """A venue's answer comes with its fields named already."""
    mapping = own(payload.table, source.first_row, instrument=False)
    if mapping is None or asked.mapping is not None or asked.columns is not None:
        raise InputError("load", source.where, payload.shape, "no mapping: its fields are known", "nothing stored")
    return Layout(mapping.model_copy(update={"name": payload.shape}), source.first_row, header=False)


def _is_headerless(mapping: Mapping, source: Source) -> bool:
    return (
        mapping.header != "always"
        and not mapping.ask
        and len(mapping.columns) == len(source.first_row)
        and mapping.file_name is not None
        and re.search(mapping.file_name, source.name) is not None
    )


def _fit(mapping: Mapping, source: Source) -> Layout:
    """The mapping over this file, if its columns are there."""
    first = source.first_row
    if mapping.columns:
        if first == mapping.columns and mapping.header != "never":
            return Layout(mapping, first, header=True)
        if mapping.header != "always" and len(first) == len(mapping.columns) and source.header_is_data:
            return Layout(mapping, mapping.columns, header=False)
        expected = f"{mapping.name}: {_listed(mapping.columns)}"
        raise InputError("load", source.where, f"columns {_listed(first)}", expected, "nothing stored", row=1)
    _refuse_doubled(source)
    if missing := [c for c in mapping.used if c not in first]:
        found = f"no such column; the file has {_listed(first)}"
        raise InputError("load", source.where, found, f"a column {missing[0]!r}", "nothing stored", field=missing[0])
    return Layout(mapping, first, header=True)


def _refuse_doubled(source: Source) -> None:
    first = source.first_row
    if doubled := next((c for c in first if first.count(c) > 1), None):
        raise InputError("load", source.where, f"column {doubled!r} twice", "each once", "nothing stored", row=1)


def _listed(columns: tuple[str, ...]) -> str:
    shown = ", ".join(columns[:_SHOWN])
    return f"[{shown}, … {len(columns) - _SHOWN} more]" if len(columns) > _SHOWN else f"[{shown}]"


def _unknown(source: Source, asked: Asked, fitting: list[str]) -> InputError:
    first = source.first_row
    if len(fitting) > 1:
        expected = f"one layout, not {' and '.join(fitting)}: say which with a table or a mapping"
        return InputError("load", source.where, f"columns {_listed(first)}", expected, "nothing stored", row=1)
    if asked.table is None:
        known = ", ".join(m.name for m in shipped() if not m.ask)
        tables = ", ".join(t for t in TABLES if not TABLES[t].into)
        expected = f"a known layout ({known}), the columns of a table ({tables}), or a mapping"
        if source.header_is_data:
            expected = f"a header, or a file name that tells the layout; known layouts: {known}"
        return InputError("load", source.where, f"columns {_listed(first)}", expected, "nothing stored", row=1)
    spec = TABLES[asked.table]
    if unknown := [c for c in first if c not in spec.names]:
        return InputError(
            "load",
            source.where,
            f"an unknown column; {asked.table} has {_listed(spec.names)}",
            "its columns, or a mapping",
            "nothing stored",
            row=1,
            field=unknown[0],
        )
    missing = [c.name for c in spec.columns if c.required and c.name not in first]
    hint = "; or name the instrument in the call" if "instrument" in missing else ""
    expected = f"{', '.join(missing)} among them{hint}"
    return InputError("load", source.where, f"columns {_listed(first)}", expected, "nothing stored", row=1)
