"""Assets shared by all pages, named by their content hash so that they can be cached indefinitely."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources
from pathlib import PurePath

from liqmap.charts import shade_ramp
from liqmap.charts.theme import css
from liqmap.report.vega.vega_bundle import vega_bundle

__all__ = ["asset_names", "assets"]


@cache
def assets() -> dict[str, bytes]:
    """Published name → content: the files of ``report/assets/``, with colours added to the style sheet, and Vega."""
    return {asset_names()[stem]: content for stem, (_, content) in _sources().items()}


@cache
def asset_names() -> dict[str, str]:
    """File stem → published name, which contains 16 digits of the content's SHA-256."""
    return {
        stem: f"{stem}-{hashlib.sha256(content).hexdigest()[:16]}{suffix}"
        for stem, (suffix, content) in _sources().items()
    }


@cache
def _sources() -> dict[str, tuple[str, bytes]]:
    folder = resources.files("liqmap.report") / "assets"
    names = sorted(PurePath(entry.name) for entry in folder.iterdir())
    found = {name.stem: (name.suffix, (folder / name.name).read_bytes()) for name in names}
    found["site"] = (".css", (css() + shade_ramp.css()).encode() + found["site"][1])
    return found | {"vega": (".js", vega_bundle())}
