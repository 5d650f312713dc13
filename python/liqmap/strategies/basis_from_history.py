"""The basis of a market, computed from a history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.errors import InputError
from liqmap.maps.build_market import build_market
from liqmap.maps.market import MarketMap, add_maps
from liqmap.strategies.basis import MIN_DAYS, Basis, DatedBasis, annual_basis, z_score
from liqmap.strategies.colocation import colocate
from liqmap.strategies.price_series import fresh_bars, spot_series

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy.typing as npt

    from liqmap._base.instruments import Instrument
    from liqmap._base.timestamps import Instant
    from liqmap.history.queries import MarketBars
    from liqmap.history.store import Store
    from liqmap.maps.map import LiquidationMap
    from liqmap.positions.engine.population import AnyRecipe

__all__ = ["basis_from_history"]

_DAY = 86_400_000_000
_WINDOW = 30 * _DAY
_YEAR_HOURS = 8760.0


def basis_from_history(store: Store, market: str, at: Instant | None, *, recipe: AnyRecipe | None = None) -> Basis:
    """Dated contracts of a base asset against spot and against its perpetuals, from data known at ``at``.

    Spot is the most recent of the market's spot bars, or else its index bars, or else the perpetual with the most open
    interest. Maps use the market's spot-equivalent axis (:mod:`liqmap.maps.market`): a level at ``p`` of a contract
    with the mark ``m`` lies at ``p · spot / m``, which is ``p · exp(−b·τ)``.

    Raises:
        InputError: ``market`` is an instrument.
        NotFoundError: No instrument on that asset, or none with a map at that time.
    """
    if ":" in market:
        raise InputError("levels", "market", repr(market), "a base asset, such as BTC", "no basis")
    of = build_market(store, market, at=at, recipe=recipe)
    names = {part.instrument: part for part in of.parts}
    members = [one for one in store.instruments() if one.base == market and not (one.simulated and _is_traded(of))]
    perpetuals = [one.name for one in members if one.kind == "perpetual" and one.name in names]
    dated = [one for one in members if one.kind == "dated"]
    spot, spot_from = spot_series(store, of, [one.name for one in members])
    funding_from, funding = _funding(store, of, perpetuals)
    together = _sum_maps(of, perpetuals) if perpetuals else None
    found: list[DatedBasis] = []
    left_out = {name: why for name, why in of.left_out.items() if any(one.name == name for one in dated)}
    for one in dated:
        result = _dated_basis(store, one, of.at, spot, funding, together, names.get(one.name))
        if isinstance(result, str):
            left_out[one.name] = result
        else:
            left_out.pop(one.name, None)
            found.append(result)
    found.sort(key=lambda one: (one.expiry, one.instrument))
    return Basis(
        market=market,
        at=of.at,
        spot=float(spot.close[-1]),
        spot_from=spot_from,
        funding_from=funding_from,
        funding=funding,
        dated=tuple(found),
        none=None if found else _missing_reason(market, left_out),
        left_out=left_out,
    )


def _missing_reason(market: str, left_out: dict[str, str]) -> str:
    reasons = "; ".join(f"{name}: {why}" for name, why in left_out.items()) or "the history holds none"
    return (
        f"no dated future on {market} ({reasons}); to add one, load its bars: liqmap load FILE --db FILE --instrument "
        "venue:SYMBOL, and if the catalogue lacks it, a row of kind dated with its expiry in instruments"
    )


def _is_traded(of: MarketMap) -> bool:
    return not of.provenance.simulated


def _funding(store: Store, of: MarketMap, perpetuals: list[str]) -> tuple[str | None, float | None]:
    """The perpetual with the most open interest among those with a recent rate, and its funding per year."""
    parts = [part for part in of.parts if part.instrument in perpetuals]
    for part in sorted(parts, key=lambda part: (-part.open_interest, part.instrument)):
        rates = store.funding(part.instrument, until=of.at)
        if rates.ts.size and of.at - int(rates.ts[-1]) <= _DAY:
            return part.instrument, float(rates.rate[-1] * _YEAR_HOURS / rates.interval_h[-1])
    return None, None


def _sum_maps(of: MarketMap, names: Collection[str]) -> LiquidationMap:
    """The sum of some of a market's maps."""
    parts = tuple(part for part in of.parts if part.instrument in names)
    basis = {part.instrument: of.basis[part.instrument] for part in parts}
    return add_maps(
        of.instrument, parts, at=of.at, spot=of.mark_price, grid=of.grid, basis=basis, left_out={}, notes=()
    )


def _dated_basis(
    store: Store,
    one: Instrument,
    at: Instant,
    spot: MarketBars,
    funding: float | None,
    perpetuals: LiquidationMap | None,
    own: LiquidationMap | None,
) -> DatedBasis | str:
    """The basis of one contract, or the reason why it is not shown."""
    if one.expiry is None or one.expiry <= at:
        return "expired"
    bars = fresh_bars(store, one.name, at)
    if bars is None:
        return "no bar in the last hour"
    if bars.price_source in ("spot", "index"):
        return "only spot or index prices, none of the contract"
    ends, ours, theirs = np.intersect1d(bars.end, spot.end, assume_unique=True, return_indices=True)
    price, days = float(bars.close[-1]), (one.expiry - at) / _DAY
    rates = _rates(one.expiry, ends, bars.close[ours], spot.close[theirs], at)
    z, why = z_score(rates), []
    last = float(spot.close[-1])
    annual, simple = annual_basis(price, last, days) if days >= MIN_DAYS else (None, None)
    if annual is None:
        why.append("within a day of expiry no annual rate is given")
    if z is None:
        why.append(f"no z-score: {rates.size} values in 30 days are too few or too often equal")
    if funding is None:
        why.append("the funding of the perpetuals is missing")
    both = colocate(perpetuals, own) if perpetuals is not None and own is not None else None
    if both is None:
        why.append("no map of the contract and of a perpetual to compare: open interest is missing")
    return DatedBasis(
        instrument=one.name,
        expiry=one.expiry,
        days=days,
        price=price,
        basis=price / last - 1,
        annual=annual,
        annual_simple=simple,
        z=z if annual is not None else None,
        readings=int(rates.size),
        carry_gap=None if annual is None or funding is None else annual - funding,
        colocation=both,
        why=tuple(why),
    )


def _rates(
    expiry: Instant,
    ends: npt.NDArray[np.int64],
    future: npt.NDArray[np.float64],
    spot: npt.NDArray[np.float64],
    at: Instant,
) -> npt.NDArray[np.float64]:
    """The annual basis at every common bar of the last 30 days, except within a day of expiry."""
    days = (expiry - ends) / _DAY
    kept = (ends > at - _WINDOW) & (days >= MIN_DAYS)
    return np.asarray(np.log(future[kept] / spot[kept]) * 365 / days[kept], dtype=np.float64)
