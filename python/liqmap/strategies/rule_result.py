"""A use of a map: the rule in one sentence, what it found, and why nothing where it found nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from liqmap._base.provenance import JSON

__all__ = ["Use"]

Row_co = TypeVar("Row_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Use(Generic[Row_co]):
    """What one rule finds on one map.

    Attributes:
        rule: The rule, in one sentence, with its numbers.
        rows: What it found, in the order a reader wants it.
        none: Why nothing was found, in one sentence; ``None`` where something was.
        limits: What the numbers take for granted, a sentence each.
    """

    rule: str
    rows: tuple[Row_co, ...]
    none: str | None
    limits: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, JSON]:
        """Plain data."""
        plain: tuple[Any, ...] = self.rows
        return {
            "rule": self.rule,
            "rows": [asdict(row) for row in plain],
            "none": self.none,
            "limits": list(self.limits),
        }
