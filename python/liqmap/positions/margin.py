"""Exact liquidation prices by each venue's formula and margin tiers, for any number of positions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from liqmap import _core
from liqmap._base.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import arro3.core

    from liqmap.venues.catalogue import Tier

__all__ = ["liquidation_prices", "liquidation_tranches", "tier_table"]


def liquidation_prices(positions: Any, tiers: Any, instruments: Any = None) -> arro3.core.Table:  # noqa: ANN401 - any Arrow stream
    r"""Return liquidation and bankruptcy price of every position, by its venue's rule.

    In ``x`` (the price of a linear contract, one over the price of an inverse one) equity and maintenance margin are
    linear under every rule, and the liquidation price is where they are equal (``docs/venues.md`` derives it):
    linear ``L = (s·q·E − M − c) / (q·(s − m − f))``, inverse ``L = N·(s + m + f) / (M + c + s·N/E)``. If the notional
    at ``L`` falls into another tier, that tier is used. Bankruptcy is the same with ``m = f = c = 0``.

    Args:
        positions: Anything with ``__arrow_c_stream__``. Columns; null means "not given":

            =====================  =====================================================================
            ``instrument``         ``venue:SYMBOL``; the part before the colon selects the rules
            ``side``               ``long`` / ``short``, or 1 / −1
            ``size_base``          coin; of an inverse contract its face value over the entry price
            ``entry_price``        quote currency
            ``margin_mode``        ``isolated`` (default without the column) or ``cross``
            ``leverage``           as set at the venue; no price above its tier's maximum
            ``margin``             settlement currency. Isolated: margin without unrealised profit; if null,
                                   ``notional / leverage``. Cross: OKX equity of the currency, Binance wallet balance
                                   plus unrealised profit of the *other* positions, Bybit margin balance (inverse:
                                   wallet balance), Hyperliquid account value
            ``maintenance``        maintenance margin, settlement currency, cross only. OKX, Binance: of the *other*
                                   positions (null: 0); Bybit linear, Hyperliquid: of the whole account
            ``mark_price``         quote currency; OKX, Bybit linear and Hyperliquid in cross
            ``fee_rate``           closing fee, a fraction; null: the venue's taker fee
            ``borrow_rate``        Bybit cross with an overdrawn settlement coin: 0.04; null: 0
            ``hedge_size_base``    Binance hedge mode in cross: coin of the opposite leg
            ``hedge_entry_price``  its entry price; both legs share one liquidation price
            ``ts``                 UTC microseconds or a timestamp: selects the tier table valid at that time;
                                   the default is the newest table
            =====================  =====================================================================

            Dictionary-encoded strings and float64 numbers without nulls are read without a copy; other types are
            converted batch by batch. Other columns are ignored.
        tiers: Rows of ``margin_tiers``, an Arrow stream: ``instrument, tier, notional_floor, mmr`` and, if known,
            ``notional_cap``, ``max_leverage``, ``deduction``, ``valid_from``. Notional is in settlement currency; OKX
            defines its tiers by size (coin, or USD face value of inverse contracts). A null deduction is derived:
            ``c_n = c_{n−1} + floor_n·(m_n − m_{n−1})``. Every instrument needs its own rows; a dated contract does not
            use those of its perpetual.
        instruments: Rows of ``instruments``, an Arrow stream: ``instrument, payoff`` and ``tick_size``, which OKX's
            one-tick offset needs (without it, prices of isolated longs are one tick low). Without a row the payoff is
            inferred from the venue's symbol: ``BTC-USD-SWAP``, ``BTCUSD_PERP``, ``BTCUSD`` are inverse.

    Returns:
        One row per position, in order: ``liquidation_price`` (quote currency), ``bankruptcy_price`` (quote currency),
        ``tier`` (the venue's number of the tier at the liquidation price), and ``reason``: null, or the reason why
        there is no liquidation price.

    Raises:
        InputError: A column is missing or of the wrong type, or a tier table has gaps or invalid rates.

    Example:
        >>> import duckdb
        >>> positions = duckdb.sql(
        ...     "SELECT 'binance:BTCUSDT' AS instrument, * FROM (VALUES"
        ...     " ('long', 0.5, 65000.0, 100.0), ('short', 0.5, 65000.0, 100.0), ('long', 0.5, 65000.0, 200.0)"
        ...     ") AS t(side, size_base, entry_price, leverage)"
        ... )
        >>> tiers = duckdb.sql(
        ...     "SELECT 'binance:BTCUSDT' AS instrument, * FROM (VALUES"
        ...     " (1, 0, 300000, 150, 0.004), (2, 300000, 800000, 100, 0.005)"
        ...     ") AS t(tier, notional_floor, notional_cap, max_leverage, mmr)"
        ... )
        >>> priced = liquidation_prices(positions, tiers)
        >>> [None if p is None else round(p, 2) for p in priced["liquidation_price"].to_pylist()]
        [64608.43, 65388.45, None]
        >>> priced["reason"].to_pylist()
        [None, None, "leverage is above the tier's maximum"]
    """
    return _core.liquidation_prices(*_streams("liquidation_prices", positions, tiers, instruments))


def liquidation_tranches(positions: Any, tiers: Any, instruments: Any = None) -> arro3.core.Table:  # noqa: ANN401 - any Arrow stream
    """Return the tranches in which a venue liquidates each position, in order.

    OKX reduces a position in its third tier or above by two tiers at a time, Bybit by one tier at a time; Hyperliquid
    liquidates 20 % of a position above 100,000 USDC first; all others are liquidated at once (``docs/venues.md``). Each
    tranche is closed at its own liquidation price. The rest keeps the equity, so its price is farther away; closing
    fees are not included. The coin of the tranches sums to that of the position.

    Args:
        positions: As in :func:`liquidation_prices`.
        tiers: As in :func:`liquidation_prices`.
        instruments: As in :func:`liquidation_prices`.

    Returns:
        ``row`` (of the position, from 0), ``tranche`` (from 0), ``price`` (quote currency; null if the rest is never
        liquidated), ``size_base`` (coin). A position without liquidation price has no tranche.

    Raises:
        InputError: As in :func:`liquidation_prices`.

    Example:
        >>> import duckdb
        >>> position = duckdb.sql(
        ...     "SELECT 'hyperliquid:BTC' AS instrument, 'long' AS side, 10.0 AS size_base, 80000.0 AS entry_price,"
        ...     " 20.0 AS leverage"
        ... )
        >>> tiers = duckdb.sql(
        ...     "SELECT 'hyperliquid:BTC' AS instrument, 0 AS notional_floor, 40 AS max_leverage, 0.0125 AS mmr"
        ... )
        >>> pieces = liquidation_tranches(position, tiers)
        >>> [round(p) for p in pieces["price"].to_pylist()], pieces["size_base"].to_pylist()
        ([76962, 76718], [2.0, 8.0])
    """
    return _core.liquidation_tranches(*_streams("liquidation_tranches", positions, tiers, instruments))


def tier_table(instrument: str, tiers: Sequence[Tier]) -> arro3.core.Table:
    """Return the stored tiers of one instrument as the table that :func:`liquidation_prices` takes."""
    from arro3.core import Array, DataType, Table  # noqa: PLC0415 - Arrow loads only when positions are priced

    types = {
        "tier": DataType.int32(),
        "notional_floor": DataType.float64(),
        "notional_cap": DataType.float64(),
        "max_leverage": DataType.float64(),
        "mmr": DataType.float64(),
        "deduction": DataType.float64(),
        "valid_from": DataType.int64(),
    }
    columns = {name: Array([getattr(tier, name) for tier in tiers], kind) for name, kind in types.items()}
    return Table.from_pydict({"instrument": Array([instrument] * len(tiers), DataType.utf8()), **columns})


def _streams(stage: str, positions: Any, tiers: Any, instruments: Any) -> tuple[Any, Any, Any]:  # noqa: ANN401
    tables = {"positions": positions, "tiers": tiers, "instruments": instruments}
    for name, table in tables.items():
        if not hasattr(table, "__arrow_c_stream__") and not (table is None and name == "instruments"):
            found = f"a {type(table).__name__}"
            raise InputError(stage, name, found, "an Arrow stream (__arrow_c_stream__)", "nothing computed")
    return positions, tiers, instruments
