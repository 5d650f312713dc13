"""The tables that files are loaded into: their fields, keys and checks. Mappings use the names of these fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["TABLES", "Column", "Kind", "Table"]

Kind: TypeAlias = Literal[
    "time", "price", "positive", "amount", "signed", "fraction", "whole", "label", "account", "choice"
]

SQL_TYPE: dict[Kind, str] = {
    "time": "BIGINT",
    "price": "DOUBLE",
    "positive": "DOUBLE",
    "amount": "DOUBLE",
    "signed": "DOUBLE",
    "fraction": "DOUBLE",
    "whole": "BIGINT",
    "label": "VARCHAR",
    "account": "VARCHAR",
    "choice": "VARCHAR",
}

EXPECTED: dict[Kind, str] = {
    "time": "a time from 2009 to tomorrow, UTC",
    "price": "a finite price above 0",
    "positive": "a finite number above 0",
    "amount": "a finite number, 0 or more",
    "signed": "a finite number",
    "fraction": "a fraction, above −1 and below 1",
    "whole": "a whole number, 0 or more",
    "label": "printable text",
    "account": "printable text",
    "choice": "one of",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a table.

    Attributes:
        name: Name of the field, as in ``schema.sql``.
        kind: Kind of its values.
        required: Whether a row without it is invalid.
        unit: Unit in which it is stored: ``quote``, ``base``, ``usd`` or ``fraction``; ``""`` if it has none.
        choices: Permitted values of a ``choice``.
    """

    name: str
    kind: Kind
    required: bool = True
    unit: str = ""
    choices: tuple[str, ...] = ()

    @property
    def expected(self) -> str:
        """Description of valid values, for errors."""
        return f"{EXPECTED[self.kind]} {', '.join(self.choices)}" if self.choices else EXPECTED[self.kind]


@dataclass(frozen=True, slots=True)
class Table:
    """A table that files are loaded into, or a kind of row that is aggregated into such a table.

    Attributes:
        name: Name of the table.
        columns: Its fields, in the order of ``schema.sql``.
        key: SQL expressions over ``{t}`` that identify a row; two rows with the same key must be equal.
        checks: Checks of a row: ``(invalid field, SQL condition that must be true or NULL, description of valid
            values)``.
        aggregated_into: For rows that are not stored themselves: the table they are aggregated into.
        allows_blank: Whether a row may have no values, such as a missing reading of a time series.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    checks: tuple[tuple[str, str, str], ...] = ()
    aggregated_into: str | None = None
    allows_blank: bool = False

    @property
    def destination(self) -> str:
        """Name of the table in which its rows are stored."""
        return self.aggregated_into or self.name

    @property
    def time_field(self) -> str | None:
        """Name of the field with the time of a row, or ``None``."""
        return next((c.name for c in self.columns if c.kind == "time" and c.required), None)

    def column(self, name: str) -> Column | None:
        """Return the field with a name, or ``None``."""
        return next((c for c in self.columns if c.name == name), None)

    def key_sql(self, alias: str) -> tuple[str, ...]:
        """Return the SQL expressions of the key for a table alias."""
        return tuple(k.format(t=alias) for k in self.key)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the fields."""
        return tuple(c.name for c in self.columns)


_INSTRUMENT = Column("instrument", "label")
_TS = Column("ts", "time")
_SIDE = Column("side", "choice", choices=("long", "short"))
_INSTRUMENT_AND_TIME = ("{t}.instrument", "{t}.ts")
_NO_PRICE = "0.0001, 999999"  # codes of venues for "no price"

_TABLES = (
    Table(
        "instruments",
        (
            _INSTRUMENT,
            Column("kind", "choice", choices=("perpetual", "dated", "aggregate")),
            Column("payoff", "choice", choices=("linear", "inverse")),
            Column("base", "label"),
            Column("quote", "label"),
            Column("settle", "label"),
            Column("contract_size", "positive"),
            Column("tick_size", "positive"),
            Column("expiry", "time", required=False),
        ),
        ("{t}.instrument",),
        (("expiry", "kind <> 'dated' OR expiry IS NOT NULL", "the expiry of a dated contract"),),
    ),
    Table(
        "margin_tiers",
        (
            _INSTRUMENT,
            Column("valid_from", "time"),
            Column("tier", "whole"),
            Column("notional_floor", "amount", unit="usd"),
            Column("notional_cap", "positive", required=False, unit="usd"),
            Column("max_leverage", "positive"),
            Column("mmr", "fraction", unit="fraction"),
            Column("deduction", "amount", unit="usd"),
            Column("source", "label"),
        ),
        ("{t}.instrument", "{t}.valid_from", "{t}.tier"),
        (
            ("mmr", "mmr >= 0", "a fraction, 0 or more"),
            ("notional_cap", "notional_cap > notional_floor", "a cap above the floor"),
        ),
    ),
    Table(
        "bars",
        (
            _INSTRUMENT,
            _TS,
            Column("interval_s", "whole"),
            Column("open", "price", unit="quote"),
            Column("high", "price", unit="quote"),
            Column("low", "price", unit="quote"),
            Column("close", "price", unit="quote"),
            Column("volume_base", "amount", required=False, unit="base"),
            Column("taker_buy_base", "amount", required=False, unit="base"),
            Column("taker_net_base", "signed", required=False, unit="base"),
            Column("price_source", "choice", choices=("last", "mark", "index", "spot")),
        ),
        (*_INSTRUMENT_AND_TIME, "{t}.interval_s", "{t}.price_source"),
        (
            ("interval_s", "interval_s > 0", "a bar of one second or more"),
            ("high", "high >= low", "high at least low"),
            ("high", "high >= open AND high >= close", "high at least open and close"),
            ("low", "low <= open AND low <= close", "low at most open and close"),
            ("taker_buy_base", "taker_buy_base <= volume_base * (1 + 1e-9)", "at most the volume"),
        ),
        allows_blank=True,
    ),
    Table(
        "open_interest",
        (
            _INSTRUMENT,
            _TS,
            Column("oi_base", "amount", required=False, unit="base"),
            Column("oi_usd", "amount", required=False, unit="usd"),
        ),
        _INSTRUMENT_AND_TIME,
        allows_blank=True,
    ),
    Table(
        "funding",
        (
            _INSTRUMENT,
            _TS,
            Column("rate", "fraction", unit="fraction"),
            Column("interval_h", "positive"),
        ),
        _INSTRUMENT_AND_TIME,
        allows_blank=True,
    ),
    Table(
        "liquidations",
        (
            _INSTRUMENT,
            _TS,
            Column("window_s", "whole"),
            _SIDE,
            Column("price", "price", required=False, unit="quote"),
            Column("size_base", "amount", required=False, unit="base"),
            Column("usd", "amount", unit="usd"),
            Column("feed", "choice", choices=("complete", "throttled", "aggregate")),
        ),
        # A single event has no id, so all of its values form the key.
        (
            *_INSTRUMENT_AND_TIME,
            "{t}.window_s",
            "{t}.side",
            "{t}.feed",
            "CASE WHEN {t}.window_s = 0 THEN {t}.price END",
            "CASE WHEN {t}.window_s = 0 THEN {t}.size_base END",
            "CASE WHEN {t}.window_s = 0 THEN {t}.usd END",
        ),
        allows_blank=True,
    ),
    Table(
        "depth",
        (
            _INSTRUMENT,
            _TS,
            Column("side", "choice", choices=("bid", "ask")),
            Column("price", "price", unit="quote"),
            Column("size_base", "amount", unit="base"),
        ),
        (*_INSTRUMENT_AND_TIME, "{t}.side", "{t}.price"),
        allows_blank=True,
    ),
    Table(
        "positions",
        (
            _INSTRUMENT,
            _TS,
            Column("account", "account"),
            _SIDE,
            Column("size_base", "positive", unit="base"),
            Column("entry_price", "price", unit="quote"),
            Column("leverage", "positive", required=False),
            Column("margin_mode", "choice", choices=("isolated", "cross", "portfolio")),
            Column("margin", "signed", required=False),
            Column("maintenance", "signed", required=False),
            Column("mark_price", "price", required=False, unit="quote"),
            Column("liquidation", "choice", required=False, choices=("reported", "none")),
            Column("liquidation_price", "price", required=False, unit="quote"),
            Column("source", "label"),
        ),
        (*_INSTRUMENT_AND_TIME, "{t}.account", "{t}.side", "{t}.margin_mode", "{t}.source"),
        (
            ("entry_price", f"entry_price NOT IN ({_NO_PRICE})", "a price, not a venue's code for no price"),
            ("liquidation_price", f"liquidation_price NOT IN ({_NO_PRICE})", "a price, or blank for no price"),
            ("liquidation", "liquidation <> 'none' OR liquidation_price IS NULL", "no liquidation_price with 'none'"),
            (
                "liquidation",
                "liquidation <> 'reported' OR liquidation_price IS NOT NULL",
                "a liquidation_price with 'reported'",
            ),
        ),
    ),
    Table(
        "trades",
        (
            _INSTRUMENT,
            _TS,
            Column("trade_id", "whole"),
            Column("price", "price", unit="quote"),
            Column("size_base", "amount", unit="base"),
            Column("taker", "choice", choices=("buy", "sell")),
        ),
        ("{t}.instrument", "{t}.trade_id"),
        aggregated_into="bars",
        allows_blank=True,
    ),
    Table(
        "bands",
        (
            _INSTRUMENT,
            _TS,
            Column("percent", "signed"),
            Column("depth_base", "amount", unit="base"),
            Column("depth_usd", "amount", unit="usd"),
        ),
        (*_INSTRUMENT_AND_TIME, "{t}.percent"),
        (("percent", "percent <> 0", "a band below (−) or above (+) the price"),),
        aggregated_into="depth",
        allows_blank=True,
    ),
)

TABLES: dict[str, Table] = {table.name: table for table in _TABLES}
