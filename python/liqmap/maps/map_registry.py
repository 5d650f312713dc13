"""Maps frozen when issued: put on record in the history, and made again from it to see whether they still come out."""

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
    """A map on record, made again.

    Attributes:
        header: What is on record.
        map: What the history gives now.
        identical: Whether it is the same to the last byte of what was published.
        differences: What is not, one sentence each.
    """

    header: MapRecord
    map: LiquidationMap
    identical: bool
    differences: tuple[str, ...]


def published_bytes(of: LiquidationMap) -> bytes:
    """The map as a site publishes it, ``map.json``."""
    return (of.to_json() + "\n").encode()


def map_id(of: LiquidationMap) -> str:
    """sha256 of :func:`published_bytes`: the name of a map, in the history as in a site's manifest."""
    return hashlib.sha256(published_bytes(of)).hexdigest()


def register_maps(store: Store, maps: Iterable[LiquidationMap]) -> int:
    """Put maps on record; the same map twice is there once.

    Returns:
        How many were not there yet.

    Raises:
        StorageError: The history was opened to read or cannot be written, or holds another map under the same name.
        NotFoundError: The history does not have an instrument.
    """
    return issued_maps.record_issued_maps(
        store, (registry_entry(published_bytes(one), store.instrument(one.instrument).tick_size) for one in maps)
    )


def recreate(store: Store, name: str) -> Recreated:
    """Make a map on record again, from what the history holds now.

    Args:
        store: The history.
        name: ``map_id``, or the first digits of it.

    Raises:
        NotFoundError: No map of that name, or several; or the history no longer holds what it was made from.
    """
    known = [header for header in issued_maps.read_map_records(store) if header.map_id.startswith(name)]
    if len(known) != 1:
        found = f"{len(known)} maps whose name begins with {name!r}"
        raise NotFoundError("recreate", str(store.path), found, "one; longer names are surer", "nothing made")
    header = known[0]
    axis = Grid(header.tick, header.low_tick, header.width_ticks, header.bins)
    recipe = _recipe(header.provenance["parameters"])
    made = build_map(store, header.instrument, at=header.issued_at, grid=axis, recipe=recipe)
    identical = map_id(made) == header.map_id
    differences = () if identical else tuple(_differences(store, header, made))
    return Recreated(header, made, identical, differences)


def registry_entry(raw: bytes, tick: float) -> tuple[MapRecord, MapBins]:
    """A published map as the history records it; its name is the sha256 of ``raw``."""
    plain: dict[str, Any] = json.loads(raw)
    provenance, grid = plain["provenance"], plain["grid"]
    times = [parse_instant(str(part["last"])) for part in provenance["inputs"].values() if isinstance(part, dict)]
    both = np.array([plain["short"], plain["long"]], dtype=np.float64)
    # Descending, as the history reads them back.
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
    """The recipe that a map was made by; ``None`` where it had none, or the calibration that was in force."""
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
    then_version, version = header.provenance["liqmap_version"], now.provenance["liqmap_version"]
    if version != then_version:
        yield f"made by liqmap {then_version}, now {version}"
    for what in ("mark_price", "open_interest", "inputs_hash", "params_hash"):
        a, b = getattr(header, what), getattr(now, what)
        if a != b:
            yield f"{what.replace('_', ' ')}: {a} on record, {b} now"
    if held.is_identical(again):
        yield "every level is the same; what is said of them is not"
    else:
        a, b = float(held.notional.sum()), float(again.notional.sum())
        yield f"levels: {a:,.0f} USD in {len(held.bin):,} bins on record, {b:,.0f} in {len(again.bin):,} now"
