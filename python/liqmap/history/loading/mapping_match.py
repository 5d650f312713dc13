"""Finds the mapping of a file: the requested one, or by its exact header, or by its name if it has no header."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from liqmap._base.errors import InputError
from liqmap.history.column_limits import TABLES
from liqmap.history.loading.mapping import FileMapping, bundled_mappings, mapping_from_columns, own_layout, read_mapping
from liqmap.history.loading.types import MappingMatch

if TYPE_CHECKING:
    from liqmap.history.loading.types import LoadOptions, SourceFile, VenueRows

__all__ = ["match_mapping"]

_MAX_COLUMNS_SHOWN = 12


def match_mapping(source: SourceFile, options: LoadOptions) -> MappingMatch:
    """Find the mapping of a file.

    Raises:
        InputError: No mapping or several mappings match, or the requested one does not.
    """
    if options.table is not None and options.table not in TABLES:
        raise InputError("load", "table", repr(options.table), f"one of {', '.join(TABLES)}", "nothing stored")
    if source.venue_rows is not None:
        return _match_venue_rows(source, source.venue_rows, options)
    return _match_columns(source, options)


def _match_columns(source: SourceFile, options: LoadOptions) -> MappingMatch:
    if options.account is not None or options.at is not None:
        conflict = "an account or a time in the call"
        raise InputError("load", source.where, conflict, "both in the file's own columns", "nothing stored")
    if options.mapping is not None:
        return _apply_mapping(read_mapping(options.mapping), source)
    header = source.first_row
    if options.columns is not None:
        if options.table is None:
            raise InputError("load", source.where, "columns without a table", "table=", "nothing stored")
        _reject_duplicate_columns(source)
        return _apply_mapping(mapping_from_columns(options.table, options.columns, header), source)
    if options.table is None:
        exact = [m for m in bundled_mappings() if not m.ask and m.columns == header and m.header != "never"]
        if len(exact) == 1:
            return MappingMatch(exact[0], header, header=True)
    tables = [options.table] if options.table else [t for t in TABLES if TABLES[t].aggregated_into is None]
    found = [m for t in tables if (m := own_layout(t, header, instrument=options.instrument is not None))]
    if not found and options.table is None and source.first_row_is_data:
        found = [m for m in bundled_mappings() if _matches_headerless_file(m, source)]
    if len(found) == 1:
        return _apply_mapping(found[0], source)
    raise _no_match_error(source, options, [m.name for m in found])


def _match_venue_rows(source: SourceFile, venue_rows: VenueRows, options: LoadOptions) -> MappingMatch:
    """Return the mapping of venue JSON, whose cells already have the names of fields."""
    mapping = own_layout(venue_rows.table, source.first_row, instrument=False)
    if mapping is None or options.mapping is not None or options.columns is not None:
        raise InputError("load", source.where, venue_rows.schema, "no mapping: the fields are known", "nothing stored")
    return MappingMatch(mapping.model_copy(update={"name": venue_rows.schema}), source.first_row, header=False)


def _matches_headerless_file(mapping: FileMapping, source: SourceFile) -> bool:
    return (
        mapping.header != "always"
        and not mapping.ask
        and len(mapping.columns) == len(source.first_row)
        and mapping.file_name is not None
        and re.search(mapping.file_name, source.name) is not None
    )


def _apply_mapping(mapping: FileMapping, source: SourceFile) -> MappingMatch:
    """Apply a mapping to the file; its columns must exist."""
    first = source.first_row
    if mapping.columns:
        if first == mapping.columns and mapping.header != "never":
            return MappingMatch(mapping, first, header=True)
        if mapping.header != "always" and len(first) == len(mapping.columns) and source.first_row_is_data:
            return MappingMatch(mapping, mapping.columns, header=False)
        expected = f"{mapping.name}: {_format_columns(mapping.columns)}"
        raise InputError("load", source.where, f"columns {_format_columns(first)}", expected, "nothing stored", row=1)
    _reject_duplicate_columns(source)
    if missing := [c for c in mapping.used_columns if c not in first]:
        found = f"no such column; the file has {_format_columns(first)}"
        raise InputError("load", source.where, found, f"a column {missing[0]!r}", "nothing stored", field=missing[0])
    return MappingMatch(mapping, first, header=True)


def _reject_duplicate_columns(source: SourceFile) -> None:
    first = source.first_row
    if repeated := next((c for c in first if first.count(c) > 1), None):
        raise InputError("load", source.where, f"column {repeated!r} twice", "unique columns", "nothing stored", row=1)


def _format_columns(columns: tuple[str, ...]) -> str:
    shown = ", ".join(columns[:_MAX_COLUMNS_SHOWN])
    return (
        f"[{shown}, … {len(columns) - _MAX_COLUMNS_SHOWN} more]" if len(columns) > _MAX_COLUMNS_SHOWN else f"[{shown}]"
    )


def _no_match_error(source: SourceFile, options: LoadOptions, matching: list[str]) -> InputError:
    first = source.first_row
    if len(matching) > 1:
        expected = f"one mapping, not {' and '.join(matching)}: select one with a table or a mapping"
        return InputError("load", source.where, f"columns {_format_columns(first)}", expected, "nothing stored", row=1)
    if options.table is None:
        known = ", ".join(m.name for m in bundled_mappings() if not m.ask)
        tables = ", ".join(t for t in TABLES if not TABLES[t].aggregated_into)
        expected = f"the columns of a bundled mapping ({known}) or of a table ({tables}), or a mapping"
        if source.first_row_is_data:
            expected = f"a header, or a file name that identifies the mapping; bundled mappings: {known}"
        return InputError("load", source.where, f"columns {_format_columns(first)}", expected, "nothing stored", row=1)
    spec = TABLES[options.table]
    if unknown := [c for c in first if c not in spec.names]:
        return InputError(
            "load",
            source.where,
            f"an unknown column; {options.table} has {_format_columns(spec.names)}",
            "its columns, or a mapping",
            "nothing stored",
            row=1,
            field=unknown[0],
        )
    missing = [c.name for c in spec.columns if c.required and c.name not in first]
    hint = "; or give the instrument in the call" if "instrument" in missing else ""
    expected = f"also {', '.join(missing)}{hint}"
    return InputError("load", source.where, f"columns {_format_columns(first)}", expected, "nothing stored", row=1)
