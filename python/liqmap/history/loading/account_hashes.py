"""Accounts: stored as hashes under a salt of the history's own, so that the file names nobody.

The hash is HMAC-SHA256 cut to 128 bits. The salt lies in the history's ``meta``: a file that is passed on shows no
account, but whoever holds it can still test whether a given account is in it.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from liqmap.history.loading.field_sql import Check, FieldSql, printable_sql, quote_literal, text_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from liqmap.history.loading.mapping import Field
    from liqmap.history.tables import Column

__all__ = ["REDACTED", "account_hash_sql", "account_sql", "hash_account", "redact"]

REDACTED = "(not shown)"
"""Stands for text that may hold an account."""

_HMAC_BLOCK_BYTES = 64
_HASH_DIGITS = 32


def redact(fault: Check, cell: str | None) -> str | None:
    """What an error may tell of a cell."""
    return REDACTED if fault.redacted and cell is not None else cell


def hash_account(connection: duckdb.DuckDBPyConnection, account: str) -> str:
    """An account as the history names it."""
    row = connection.execute(f"SELECT {account_hash_sql(connection, quote_literal(account.strip()))}").fetchone()
    return str(row[0]) if row else ""


def account_sql(
    connection: duckdb.DuckDBPyConnection, column: Column, field: Field, columns: Sequence[str]
) -> FieldSql:
    """How an account is read: hashed in the query itself, so that no table ever holds it."""
    at = None if field.column is None else columns.index(field.column)
    cell = quote_literal(str(field.constant)) if at is None else text_column(at)
    text = f"trim({cell})"
    checks = (
        Check(f"{cell} IS NULL", column.name, at, column.expected),
        Check(f"NOT coalesce({printable_sql(text)}, true)", column.name, at, column.expected, redacted=True),
    )
    return FieldSql(account_hash_sql(connection, text), checks, frozenset(() if at is None else (at,)))


def account_hash_sql(connection: duckdb.DuckDBPyConnection, text: str) -> str:
    """SQL: HMAC-SHA256 of a text, spelled out, since DuckDB has the hash but not the keyed one."""
    key = bytes.fromhex(_get_salt(connection)).ljust(_HMAC_BLOCK_BYTES, b"\0")
    inner, outer = (quote_literal(bytes(byte ^ pad for byte in key).hex()) for pad in (0x36, 0x5C))
    keyed = f"sha256(unhex({inner}) || encode({text}))"
    return f"left(sha256(unhex({outer}) || unhex({keyed})), {_HASH_DIGITS})"


def _get_salt(connection: duckdb.DuckDBPyConnection) -> str:
    """The history's salt, made when its first account comes in."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'account_salt'").fetchone()
    if row is not None:
        return str(row[0])
    salt = secrets.token_hex(32)
    connection.execute("INSERT INTO meta VALUES ('account_salt', $1)", [salt])
    return salt
