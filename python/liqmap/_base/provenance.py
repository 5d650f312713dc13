"""Provenance of a result: inputs, parameters and assumptions; every result object has one."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = ["JSON", "Provenance", "compact_json", "digest"]

JSON: TypeAlias = bool | int | float | str | list["JSON"] | dict[str, "JSON"] | None


@dataclass(frozen=True, slots=True)
class Provenance:
    """Everything needed to re-create a result and to assess it.

    Attributes:
        version: Version of liqmap.
        inputs: Table → row count, first and last time, and the hashes of the source files.
        parameters: All parameters of the model.
        assumptions: One sentence for each assumption, default or missing input.
        simulated: Whether the market is simulated.
        observed_share: Share of mapped notional from observed positions, 0 to 1; the rest is modelled.
    """

    version: str
    inputs: dict[str, JSON] = field(default_factory=dict)
    parameters: dict[str, JSON] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()
    simulated: bool = False
    observed_share: float = 0.0

    def to_dict(self) -> dict[str, JSON]:
        """Return the fields, with one hash of the inputs and one of the parameters."""
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
    """Serialise to one line of JSON and keep the order of keys; NaN and infinity raise an error."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def digest(value: JSON) -> str:
    """Return a hash of a JSON value, 16 hexadecimal digits, independent of the order of keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
