"""Exact liquidation prices: each venue's own formula and margin tiers, for any number of positions."""

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
    r"""Liquidation and bankruptcy price of every position, by its venue's rule.

    In ``x`` (the price of a linear contract, one over the price of an inverse one) equity and maintenance margin are
    straight lines under every rule, and the liquidation price is where they meet (``docs/venues.md`` derives it):
    linear ``L = (s·q·E − M − c) / (q·(s − m − f))``, inverse ``L = N·(s + m + f) / (M + c + s·N/E)``. If the notional
    at ``L`` falls into another tier, that tier is used. Bankruptcy is the same with ``m = f = c = 0``.

    Args:
        positions: Anything with ``__arrow_c_stream__``. Columns, nulls meaning "not given":

            =====================  =====================================================================
            ``instrument``         ``venue:SYMBOL``; the part before the colon chooses the rules
            ``side``               ``long`` / ``short``, or 1 / −1
            ``size_base``          coin; of an inverse contract its face value over the entry price
            ``entry_price``        quote currency
            ``margin_mode``        ``isolated`` (also where the column is left out) or ``cross``
            ``leverage``           as set at the venue; above its tier's maximum the row is refused
            ``margin``             settlement currency. Isolated: margin without profit, ``notional / leverage``
                                   where null. Cross: OKX the currency's equity, Binance the wallet balance with the
                                   profit of the *other* positions, Bybit the margin balance (an inverse contract's
                                   wallet balance), Hyperliquid the account value
            ``maintenance``        settlement currency, cross only. OKX, Binance: what the *other* positions owe (0
                                   where null); Bybit linear, Hyperliquid: what the account owes in total
            ``mark_price``         quote currency; OKX, Bybit linear and Hyperliquid in cross
            ``fee_rate``           closing fee, a fraction; the venue's taker fee where null
            ``borrow_rate``        Bybit cross, once the settlement coin is overdrawn: 0.04; 0 where null
            ``hedge_size_base``    Binance hedge mode in cross: the opposite leg's coin …
            ``hedge_entry_price``  … and its entry price; both legs share one liquidation price
            ``ts``                 UTC microseconds or a timestamp: chooses the tier table valid then; without
                                   it the newest one is used
            =====================  =====================================================================

            Dictionary-encoded words and float64 numbers without nulls are read where they lie; anything else is
            converted batch by batch. Other columns are ignored.
        tiers: Rows of ``margin_tiers``, an Arrow stream: ``instrument, tier, notional_floor, mmr`` and, where known,
            ``notional_cap``, ``max_leverage``, ``deduction``, ``valid_from``. Notional is in settlement currency; OKX
            counts its tiers by size (coin, USD face of inverse contracts). A null deduction is chained:
            ``c_n = c_{n−1} + floor_n·(m_n − m_{n−1})``. Every instrument needs its own: a dated contract never
            borrows its perpetual's.
        instruments: Rows of ``instruments``, an Arrow stream: ``instrument, payoff`` and ``tick_size``, which OKX's
            one-tick offset needs (left out, prices of its isolated longs are one tick low). Without a row the payoff
            is read off the venue's own spelling: ``BTC-USD-SWAP``, ``BTCUSD_PERP``, ``BTCUSD`` are inverse.

    Returns:
        One row per position, in order: ``liquidation_price`` (quote currency), ``bankruptcy_price`` (quote currency),
        ``tier`` (the venue's number of the tier at the liquidation price), and ``reason``. Where there is no
        liquidation price it is null and ``reason`` says why in words; otherwise ``reason`` is null.

    Raises:
        InputError: A column is missing or of the wrong type, or a tier table has gaps or rates that make no sense.

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
    """The pieces in which a venue takes each position, as levels in order.

    OKX brings a position in its third tier or above down two tiers at a time, Bybit one tier at a time, Hyperliquid
    takes a fifth of a position above 100,000 USDC first; everything else goes whole (``docs/venues.md``). Each piece is
    closed at its own liquidation price and what is left keeps the equity, so its price lies further out; fees of the
    closing are not counted. The pieces' coin sums to the position's.

    Args:
        positions: As in :func:`liquidation_prices`.
        tiers: As in :func:`liquidation_prices`.
        instruments: As in :func:`liquidation_prices`.

    Returns:
        ``row`` (of the position, from 0), ``tranche`` (from 0), ``price`` (quote currency; null: what is left is
        covered and never taken), ``size_base`` (coin). A position without liquidation price has no piece.

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
    """Stored tiers of one instrument as the table :func:`liquidation_prices` takes."""
    from arro3.core import Array, DataType, Table  # noqa: PLC0415 - Arrow loads only when it is asked for

    of = {
        "tier": DataType.int32(),
        "notional_floor": DataType.float64(),
        "notional_cap": DataType.float64(),
        "max_leverage": DataType.float64(),
        "mmr": DataType.float64(),
        "deduction": DataType.float64(),
        "valid_from": DataType.int64(),
    }
    columns = {name: Array([getattr(tier, name) for tier in tiers], kind) for name, kind in of.items()}
    return Table.from_pydict({"instrument": Array([instrument] * len(tiers), DataType.utf8()), **columns})


def _streams(stage: str, positions: Any, tiers: Any, instruments: Any) -> tuple[Any, Any, Any]:  # noqa: ANN401
    given = {"positions": positions, "tiers": tiers, "instruments": instruments}
    for name, table in given.items():
        if not hasattr(table, "__arrow_c_stream__") and not (table is None and name == "instruments"):
            found = f"a {type(table).__name__}"
            raise InputError(stage, name, found, "an Arrow stream (__arrow_c_stream__)", "nothing computed")
    return positions, tiers, instruments
