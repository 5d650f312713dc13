"""Where a result came from and what it assumes: every result object carries one."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = ["JSON", "Provenance", "compact_json", "digest"]

JSON: TypeAlias = bool | int | float | str | list["JSON"] | dict[str, "JSON"] | None


@dataclass(frozen=True, slots=True)
class Provenance:
    """Enough to re-create a result and to doubt it.

    Attributes:
        version: liqmap's version.
        inputs: What was read: table → rows, first and last time, and the hashes of the files they came from.
        parameters: Every number the model used.
        assumptions: One sentence each: what was taken for granted, defaulted or missing.
        simulated: Whether the market is made up.
        observed_share: Share of mapped notional that comes from observed positions; the rest is modelled.
    """

    version: str
    inputs: dict[str, JSON] = field(default_factory=dict)
    parameters: dict[str, JSON] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()
    simulated: bool = False
    observed_share: float = 0.0

    def to_dict(self) -> dict[str, JSON]:
        """All of it, with a hash of the inputs and one of the parameters."""
        return {
            "liqmap_version": self.version,
            "inputs": self.inputs,
            "inputs_hash": digest(self.inputs),
            "parameters": self.parameters,
            "params_hash": digest(self.parameters),
            "assumptions": list(self.assumptions),
            "simulated": self.simulated,
            "observed_share": self.observed_share,
        }


def compact_json(value: JSON) -> str:
    """One line of JSON, keys in their order; NaN and infinity are refused."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def digest(value: JSON) -> str:
    """Sixteen hex digits that stand for a JSON value, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
