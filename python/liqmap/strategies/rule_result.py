"""Result of a strategy rule: the rule, its rows, the reason if there are none, and its assumptions."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from liqmap._base.provenance import JSON

__all__ = ["RuleResult"]

Row_co = TypeVar("Row_co", covariant=True)


@dataclass(frozen=True, slots=True)
class RuleResult(Generic[Row_co]):
    """Result of one rule on one map.

    Attributes:
        rule: The rule in one sentence, with its parameters.
        rows: The rows, most relevant first.
        none: Reason for an empty or unflagged result, in one sentence; ``None`` otherwise.
        limits: Assumptions, one sentence each.
    """

    rule: str
    rows: tuple[Row_co, ...]
    none: str | None
    limits: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, JSON]:
        """The attributes as JSON values."""
        plain: tuple[Any, ...] = self.rows
        return {
            "rule": self.rule,
            "rows": [asdict(row) for row in plain],
            "none": self.none,
            "limits": list(self.limits),
        }
