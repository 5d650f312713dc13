"""The map of a market: the sum of its instruments' maps on one spot-equivalent axis."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.instruments import SIDES, split_name
from liqmap._base.ledger import Ledger, SideLedger
from liqmap._base.provenance import Provenance
from liqmap.maps.histogram import UNITS_PER_NOTIONAL
from liqmap.maps.map import LiquidationMap
from liqmap.maps.observed_modelled import ObservedPart

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap._base.grid import Grid
    from liqmap._base.instruments import Side
    from liqmap._base.provenance import JSON
    from liqmap._base.timestamps import Instant

    Floats = npt.NDArray[np.float64]

__all__ = ["MarketMap", "add_maps"]


@dataclass(frozen=True, eq=False)
class MarketMap(LiquidationMap):
    """All instruments on one base asset; ``instrument`` is the base, ``mark_price`` the spot price.

    A level at ``p`` of an instrument whose mark is ``m`` lies at ``p · spot / m``. Notional is not
    scaled, and every bin is the sum of its parts to the hundredth of a cent.

    Attributes:
        parts: The instruments' maps on the market's grid.
        basis: By instrument, its mark over spot, less 1.
        left_out: By instrument that is not in the sum, the reason.
    """

    parts: tuple[LiquidationMap, ...] = ()
    basis: dict[str, float] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def venues(self) -> dict[str, dict[Side, Floats]]:
        """USD per bin by venue and side; the venues sum to the map."""
        return {
            venue: {side: _exact_sum([part.side(side) for part in parts]) for side in SIDES}
            for venue, parts in self._by_venue().items()
        }

    def to_dict(self) -> dict[str, JSON]:
        """The map as plain data, with its split by venue and the figures of each instrument."""
        bins = self.venues()
        by_venue: dict[str, JSON] = {
            venue: {
                "instruments": [part.instrument for part in parts],
                "long": bins[venue]["long"].tolist(),
                "short": bins[venue]["short"].tolist(),
            }
            for venue, parts in self._by_venue().items()
        }
        instruments: list[JSON] = [self._instrument_dict(part) for part in self.parts]
        left_out: dict[str, JSON] = dict(self.left_out)
        return super().to_dict() | {"venues": by_venue, "instruments": instruments, "left_out": left_out}

    def _instrument_dict(self, part: LiquidationMap) -> dict[str, JSON]:
        outside: dict[str, JSON] = {str(side): usd for side, usd in part.outside.items()}
        return {
            "instrument": part.instrument,
            "mark_price": (1 + self.basis[part.instrument]) * self.mark_price,
            "basis": self.basis[part.instrument],
            "open_interest": part.open_interest,
            "ledger": {side: dict(account) for side, account in part.ledger.to_dict().items()},
            "outside": outside,
        }

    def _by_venue(self) -> dict[str, list[LiquidationMap]]:
        venues: dict[str, list[LiquidationMap]] = {}
        for part in self.parts:
            venues.setdefault(split_name(part.instrument)[0], []).append(part)
        return venues


def add_maps(
    market: str,
    parts: tuple[LiquidationMap, ...],
    *,
    at: Instant,
    spot: float,
    grid: Grid,
    basis: dict[str, float],
    left_out: dict[str, str],
    notes: tuple[str, ...],
) -> MarketMap:
    """Add maps that share one grid; brackets of equal leverage are merged."""
    brackets = tuple(sorted({leverage for part in parts for leverage in part.brackets}))
    long, short = (
        _exact_sum(
            [_onto_brackets(part.long if side == "long" else part.short, part.brackets, brackets) for part in parts]
        )
        for side in SIDES
    )
    weight = [float(part.long.sum() + part.short.sum()) + sum(part.outside.values()) for part in parts]
    observed = sum(w * part.provenance.observed_share for w, part in zip(weight, parts, strict=True))
    return MarketMap(
        instrument=market,
        at=at,
        mark_price=spot,
        open_interest=sum(part.open_interest for part in parts),
        grid=grid,
        brackets=brackets,
        long=long,
        short=short,
        outside={side: float(_exact_sum([np.array(part.outside[side]) for part in parts])) for side in SIDES},
        ledger=Ledger(*(_sum_accounts([getattr(part.ledger, side) for part in parts]) for side in SIDES)),
        provenance=Provenance(
            version=parts[0].provenance.version,
            inputs={part.instrument: part.provenance.inputs for part in parts},
            parameters={part.instrument: part.provenance.parameters for part in parts},
            assumptions=(*notes, *_assumptions(parts)),
            simulated=any(part.provenance.simulated for part in parts),
            observed_share=observed / sum(weight) if sum(weight) > 0 else 0.0,
        ),
        observed=_sum_observed(parts, brackets),
        parts=parts,
        basis=basis,
        left_out=left_out,
    )


def _exact_sum(parts: list[Floats]) -> Floats:
    """The sum in the integer units of the histogram, independent of order."""
    units = sum(np.rint(part * UNITS_PER_NOTIONAL).astype(np.int64) for part in parts)
    return np.asarray(units / UNITS_PER_NOTIONAL, dtype=np.float64)


def _onto_brackets(rows: Floats, brackets: tuple[float, ...], onto: tuple[float, ...]) -> Floats:
    out = np.zeros((len(onto), rows.shape[1]))
    out[[onto.index(leverage) for leverage in brackets]] = rows
    return out


def _sum_accounts(accounts: list[SideLedger]) -> SideLedger:
    names = ("opened", "closed", "liquidated", "mapped", "unmapped")
    return SideLedger(**{name: sum(getattr(account, name) for account in accounts) for name in names})


def _sum_observed(parts: tuple[LiquidationMap, ...], brackets: tuple[float, ...]) -> ObservedPart | None:
    observed = [(part, part.observed) for part in parts if part.observed is not None]
    if not observed:
        return None
    total = sum(part.open_interest for part in parts)
    held = {side: sum(part.open_interest * o.coverage[side] for part, o in observed) for side in SIDES}
    return ObservedPart(
        long=_exact_sum([_onto_brackets(o.long, part.brackets, brackets) for part, o in observed]),
        short=_exact_sum([_onto_brackets(o.short, part.brackets, brackets) for part, o in observed]),
        coverage={side: coin / total if total > 0 else 0.0 for side, coin in held.items()},
        positions=sum(o.positions for _, o in observed),
        as_of=max(o.as_of for _, o in observed),
    )


def _assumptions(parts: tuple[LiquidationMap, ...]) -> tuple[str, ...]:
    """Assumptions of all instruments, once each; those of some instruments are prefixed with the names."""
    instruments_by_note: dict[str, list[str]] = {}
    for part in parts:
        for note in part.provenance.assumptions:
            instruments_by_note.setdefault(note, []).append(part.instrument)
    return tuple(
        note if len(names) == len(parts) else f"{', '.join(names)}: {note}"
        for note, names in instruments_by_note.items()
    )
