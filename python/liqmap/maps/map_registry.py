"""Register issued maps in the history, and recreate them from it to check that they can be reproduced."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from liqmap._base.errors import NotFoundError
from liqmap._base.grid import Grid
from liqmap._base.timestamps import parse_instant
from liqmap.history.registry import issued_maps
from liqmap.history.registry.issued_maps import MapBins, MapRecord
from liqmap.maps.build import build_map
from liqmap.positions.engine.calibrated_recipe import CalibratedRecipe
from liqmap.positions.engine.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from liqmap.history.store import Store
    from liqmap.maps.map import LiquidationMap
    from liqmap.positions.engine.population import AnyRecipe

__all__ = ["Recreated", "map_id", "published_bytes", "recreate", "register_maps", "registry_entry"]


@dataclass(frozen=True, eq=False, slots=True)
class Recreated:
    """A registered map, computed again.

    Attributes:
        header: The registered record.
        map: The map computed from the history now.
        identical: Whether the published bytes of both are equal.
        differences: The differences, one sentence each.
    """

    header: MapRecord
    map: LiquidationMap
    identical: bool
    differences: tuple[str, ...]


def published_bytes(of: LiquidationMap) -> bytes:
    """The bytes of the map as a site publishes it, ``map.json``."""
    return (of.to_json() + "\n").encode()


def map_id(of: LiquidationMap) -> str:
    """SHA-256 of :func:`published_bytes`: the key of a map in the registry and in a site's manifest."""
    return hashlib.sha256(published_bytes(of)).hexdigest()


def register_maps(store: Store, maps: Iterable[LiquidationMap]) -> int:
    """Register maps; registering a map again changes nothing.

    Returns:
        Number of maps that were not registered before.

    Raises:
        StorageError: The history is read-only or cannot be written, or holds a different map under the same key.
        NotFoundError: The history does not have an instrument.
    """
    return issued_maps.record_issued_maps(
        store, (registry_entry(published_bytes(one), store.instrument(one.instrument).tick_size) for one in maps)
    )


def recreate(store: Store, name: str) -> Recreated:
    """Compute a registered map again from the present content of the history.

    Args:
        store: The history.
        name: The ``map_id``, or its first digits.

    Raises:
        NotFoundError: No map or several maps match, or the history no longer holds the data of the map.
    """
    known = [header for header in issued_maps.read_map_records(store) if header.map_id.startswith(name)]
    if len(known) != 1:
        found = f"{len(known)} maps whose name begins with {name!r}"
        raise NotFoundError("recreate", str(store.path), found, "exactly one; use more digits", "nothing made")
    header = known[0]
    axis = Grid(header.tick, header.low_tick, header.width_ticks, header.bins)
    recipe = _recipe(header.provenance["parameters"])
    made = build_map(store, header.instrument, at=header.issued_at, grid=axis, recipe=recipe)
    identical = map_id(made) == header.map_id
    differences = () if identical else tuple(_differences(store, header, made))
    return Recreated(header, made, identical, differences)


def registry_entry(raw: bytes, tick: float) -> tuple[MapRecord, MapBins]:
    """A published map in the form the registry stores; its key is the SHA-256 of ``raw``."""
    plain: dict[str, Any] = json.loads(raw)
    provenance, grid = plain["provenance"], plain["grid"]
    times = [parse_instant(str(part["last"])) for part in provenance["inputs"].values() if isinstance(part, dict)]
    both = np.array([plain["short"], plain["long"]], dtype=np.float64)
    # In descending order, as the history returns them.
    side, bracket, place = (np.ascontiguousarray(column[::-1]) for column in np.nonzero(both))
    at = parse_instant(plain["at"])
    header = MapRecord(
        map_id=hashlib.sha256(raw).hexdigest(),
        instrument=plain["instrument"],
        issued_at=at,
        data_cutoff=max(times, default=at),
        mark_price=plain["mark_price"],
        open_interest=plain["open_interest"],
        tick=tick,
        low_tick=round(grid["low"] / tick),
        width_ticks=round(grid["width"] / tick),
        bins=grid["bins"],
        params_hash=provenance["params_hash"],
        inputs_hash=provenance["inputs_hash"],
        provenance=provenance,
    )
    return header, MapBins(side == 1, np.asarray(plain["brackets"])[bracket], place, both[side, bracket, place])


def _recipe(parameters: dict[str, Any]) -> AnyRecipe | None:
    """The recipe of a map; ``None`` if it had no model or used the calibration in force."""
    if not parameters or "calibration" in parameters:
        return None
    if "distances" in parameters:
        return CalibratedRecipe.from_dict(parameters)
    plain: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in parameters.items()
    }
    plain["sizes"] = tuple(tuple(pair) for pair in plain["sizes"])
    return Recipe(**plain)


def _differences(store: Store, header: MapRecord, made: LiquidationMap) -> Iterator[str]:
    now, again = registry_entry(published_bytes(made), header.tick)
    held = issued_maps.read_map_bins(store, header.map_id)
    old_version, version = header.provenance["liqmap_version"], now.provenance["liqmap_version"]
    if version != old_version:
        yield f"made by liqmap {old_version}, now {version}"
    for what in ("mark_price", "open_interest", "inputs_hash", "params_hash"):
        a, b = getattr(header, what), getattr(now, what)
        if a != b:
            yield f"{what.replace('_', ' ')}: {a} registered, {b} now"
    if held.is_identical(again):
        yield "all levels are equal; other content differs"
    else:
        a, b = float(held.notional.sum()), float(again.notional.sum())
        yield f"levels: {a:,.0f} USD in {len(held.bin):,} bins registered, {b:,.0f} in {len(again.bin):,} now"
