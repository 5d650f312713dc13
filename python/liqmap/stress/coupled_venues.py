"""Cascades on several venues and contracts: marks follow an index, and order books are partly consolidated."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from liqmap import _core
from liqmap._base.errors import InputError
from liqmap.stress.directional_levels import MapLike, directional_levels
from liqmap.stress.impact_selection import law_or_fallback, triggered_side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liqmap._base.instruments import Side
    from liqmap.stress.impact import Law
    from liqmap.stress.types import BookSide

__all__ = ["CONSOLIDATION", "Contract", "CoupledCascade", "coupled_cascade"]

CONSOLIDATION = 0.8
"""Degree to which venues share one order book, an assumption: 0 fully segmented (2025-10-10), 1 one shared book."""


@dataclass(frozen=True, eq=False, slots=True)
class Contract:
    """One instrument of a market.

    Attributes:
        map: Map of the contract.
        depth: Book of the contract, or another law; ``None`` is the labelled fallback.
        index_weight: Weight of its price in the index.
        own_weight: Weight of its own price in its mark; 0: the mark is the index.
        basis_shock: Added to the shock, in the same direction: widening basis of a dated contract.
    """

    map: MapLike
    depth: Law | None = None
    index_weight: float = 1.0
    own_weight: float = 0.0
    basis_shock: float = 0.0


@dataclass(frozen=True, slots=True)
class CoupledCascade:
    """The end of a cascade on several contracts; all tuples are in the order of the contracts.

    Attributes:
        side: Side of the liquidated positions.
        instruments: Names.
        stop_price: Last price of each contract.
        mark: Mark price of each contract, which triggers its levels.
        liquidated: USD forced to close.
        rounds: Rounds until no level triggers on any contract, including the last round without triggers.
        depth_exhausted: Whether the flow exceeds the known depth of a book.
    """

    side: Side
    instruments: tuple[str, ...]
    stop_price: tuple[float, ...]
    mark: tuple[float, ...]
    liquidated: tuple[float, ...]
    rounds: int
    depth_exhausted: bool


def coupled_cascade(
    contracts: Sequence[Contract], shock: float, consolidated: Law, *, consolidation: float = CONSOLIDATION
) -> CoupledCascade:
    """Follow one shock on several contracts: ``x_v = s_v + (1−κ)·I_v(Q_v) + κ·I_all(ΣQ)``, levels triggered by marks.

    A mark is ``(1 − w)·index + w·x_v`` with own weight ``w``; the index is the weighted mean of all ``x_v``. All
    functions are nondecreasing, so the rounds converge to the least fixed point. Displacements are relative, so
    contracts at different prices (dated ones, with their basis) can be combined; a contract without levels on that side
    still moves the index.

    Args:
        contracts: At least one; index weights sum to 1.
        shock: Signed fraction of every contract's mark.
        consolidated: Merged depth of all books, such as :meth:`liqmap.stress.depth.Depth.merged`.
        consolidation: κ.

    Raises:
        InputError: Weights or κ out of range, an invalid shock, or no contract with levels on that side.
    """
    side = triggered_side(shock)
    book: BookSide = "bid" if side == "long" else "ask"
    rows = []
    all_levels = []
    for contract in contracts:
        total = abs(shock) + contract.basis_shock
        if not (math.isfinite(total) and 0 <= total < 1):
            raise InputError("cascade", contract.map.instrument, f"a shock of {total}", "0 to 1", "nothing computed")
        levels = directional_levels(contract.map, side, minimum=0)
        all_levels.append(levels)
        curve = law_or_fallback(contract.map, contract.depth).curve(book)
        rows.append(
            (levels.distance, levels.notional, curve, levels.mark, total, contract.index_weight, contract.own_weight)
        )
    if not any(levels.notional.size for levels in all_levels):
        raise InputError("cascade", "contracts", "no levels", f"a contract with {side}s", "nothing computed")
    price, mark, fired, rounds, exhausted = _core.coupled(rows, consolidated.curve(book), consolidation)
    sign = -1 if side == "long" else 1
    return CoupledCascade(
        side=side,
        instruments=tuple(c.map.instrument for c in contracts),
        stop_price=tuple(c.map.mark_price * (1 + sign * float(x)) for c, x in zip(contracts, price, strict=True)),
        mark=tuple(c.map.mark_price * (1 + sign * float(m)) for c, m in zip(contracts, mark, strict=True)),
        liquidated=tuple(float(ls.notional[:k].sum()) for ls, k in zip(all_levels, fired, strict=True)),
        rounds=rounds,
        depth_exhausted=exhausted,
    )
