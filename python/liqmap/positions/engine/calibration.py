"""A calibration: a calibrated recipe with its issue time, fitted span and intervals."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from liqmap._base.timestamps import iso, parse_instant
from liqmap.positions.engine.calibrated_recipe import CalibratedRecipe

if TYPE_CHECKING:
    from liqmap._base.provenance import JSON
    from liqmap._base.timestamps import Instant

__all__ = ["Calibration"]

_SIDED_FIELDS = ("low", "high", "prior_share")


@dataclass(frozen=True, slots=True)
class Calibration:
    """A dated, immutable record of a fit; maps as of ``issued_at`` or later use it, earlier maps never do.

    Attributes:
        instrument: Instrument whose bars and volume are the input.
        feed: Source of the reported liquidations (an instrument, or a vendor's sum of venues).
        interval_s, price_source: The series of bars; shares of spot volume do not apply to perpetual volume.
        start, end: The fitted span, UTC microseconds.
        issued_at: UTC microseconds, at or after ``end``.
        kernel: The calibrated recipe.
        low, high: 5 % and 95 % of each share over block-bootstrap resamples, long and short.
        prior_share: Weight of the prior in each share, 0 to 1, long and short; near 1 the data had no influence.
        background: Liquidations per USD of expected volume that do not depend on price, long and short.
        notes: Assumptions, one sentence each.
    """

    instrument: str
    feed: str
    interval_s: int
    price_source: str
    start: Instant
    end: Instant
    issued_at: Instant
    kernel: CalibratedRecipe
    low: tuple[tuple[float, ...], tuple[float, ...]]
    high: tuple[tuple[float, ...], tuple[float, ...]]
    prior_share: tuple[tuple[float, ...], tuple[float, ...]]
    background: tuple[float, float]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, JSON]:
        """Return plain data; times as text."""
        plain: dict[str, Any] = asdict(self)
        plain |= {key: iso(plain[key]) for key in ("start", "end", "issued_at")}
        plain["kernel"] = self.kernel.to_dict()
        plain |= {key: [list(side) for side in plain[key]] for key in _SIDED_FIELDS}
        plain |= {"background": list(self.background), "notes": list(self.notes)}
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Calibration:
        """Restore a calibration from the result of :meth:`to_dict`."""
        made = dict(plain)
        made |= {key: parse_instant(made[key]) for key in ("start", "end", "issued_at")}
        made["kernel"] = CalibratedRecipe.from_dict(plain["kernel"])
        made |= {key: tuple(tuple(side) for side in made[key]) for key in _SIDED_FIELDS}
        made |= {"background": tuple(made["background"]), "notes": tuple(made["notes"])}
        return cls(**made)
