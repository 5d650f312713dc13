"""Account hashes: accounts are stored as salted hashes, so that the history does not contain them.

The hash is HMAC-SHA256 truncated to 128 bits, with a random salt in the table ``meta``. A shared history file therefore
reveals no account, but its owner can test whether a given account is contained.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from liqmap.history.loading.field_sql import Check, FieldSql, printable_sql, quote_literal, text_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from liqmap.history.column_limits import Column
    from liqmap.history.loading.mapping import FieldMapping

__all__ = ["REDACTED", "account_hash_sql", "account_sql", "hash_account", "redact"]

REDACTED = "(not shown)"
"""Placeholder for text that may contain an account."""

_HMAC_BLOCK_BYTES = 64
_HASH_DIGITS = 32


def redact(check: Check, cell: str | None) -> str | None:
    """Return the text of a cell as an error may show it."""
    return REDACTED if check.redacted and cell is not None else cell


def hash_account(connection: duckdb.DuckDBPyConnection, account: str) -> str:
    """Return the hash under which an account is stored."""
    row = connection.execute(f"SELECT {account_hash_sql(connection, quote_literal(account.strip()))}").fetchone()
    return str(row[0]) if row else ""


def account_sql(
    connection: duckdb.DuckDBPyConnection, column: Column, field: FieldMapping, columns: Sequence[str]
) -> FieldSql:
    """Return the SQL that reads an account; it is hashed inside the query, so that no table contains the plain text."""
    at = None if field.column is None else columns.index(field.column)
    cell = quote_literal(str(field.constant)) if at is None else text_column(at)
    text = f"trim({cell})"
    checks = (
        Check(f"{cell} IS NULL", column.name, at, column.expected),
        Check(f"NOT coalesce({printable_sql(text)}, true)", column.name, at, column.expected, redacted=True),
    )
    return FieldSql(account_hash_sql(connection, text), checks, frozenset(() if at is None else (at,)))


def account_hash_sql(connection: duckdb.DuckDBPyConnection, text: str) -> str:
    """Return SQL for the HMAC-SHA256 of a text, composed of plain SHA-256 because DuckDB has no keyed hash."""
    key = bytes.fromhex(_get_salt(connection)).ljust(_HMAC_BLOCK_BYTES, b"\0")
    inner, outer = (quote_literal(bytes(byte ^ pad for byte in key).hex()) for pad in (0x36, 0x5C))
    keyed = f"sha256(unhex({inner}) || encode({text}))"
    return f"left(sha256(unhex({outer}) || unhex({keyed})), {_HASH_DIGITS})"


def _get_salt(connection: duckdb.DuckDBPyConnection) -> str:
    """Return the salt of the history; it is created when the first account is loaded."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'account_salt'").fetchone()
    if row is not None:
        return str(row[0])
    salt = secrets.token_hex(32)
    connection.execute("INSERT INTO meta VALUES ('account_salt', $1)", [salt])
    return salt
