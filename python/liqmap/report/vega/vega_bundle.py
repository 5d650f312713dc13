"""Vega, Vega-Lite and Vega-Embed as one script: for pages, and for drawing at build time."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
from functools import cache
from typing import TYPE_CHECKING

from liqmap._base.errors import LiqmapError
from liqmap.charts.spec_cache import cache_folder

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["load_vl_convert", "vega_bundle", "vl_convert_version"]

# The package's own copy of Vega is read, nothing is fetched; the address is the name it goes by there.
_BUNDLE_SOURCE = """
import {{ View, parse, textMetrics }} from "https://cdn.jsdelivr.net/npm/vega@{vega}/+esm";
window.vegaEmbed = vegaEmbed;
window.vega = {{ View, parse, textMetrics }};
"""


@cache
def vega_bundle() -> bytes:
    """One script that sets ``window.vegaEmbed`` and ``window.vega``: no network, no ``eval`` needed.

    Making it takes seconds, so it is kept in the user's cache under its own hash, and made again if that does not fit.

    Raises:
        LiqmapError: ``vl-convert-python`` is not installed.
    """
    made_by = load_vl_convert()
    snippet = _BUNDLE_SOURCE.format(vega=made_by.get_vega_version())
    folder, stem = cache_folder(), f"vega-{vl_convert_version()}-{hashlib.sha256(snippet.encode()).hexdigest()[:8]}"
    for found in sorted(folder.glob(f"{stem}-*.js")):
        script = found.read_bytes()
        if found.name == _file_name(stem, script):
            return script
    script = str(made_by.javascript_bundle(snippet)).encode()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".vega-{os.getpid()}.js"
        draft.write_bytes(script)
        draft.replace(folder / _file_name(stem, script))
    except OSError:
        # A cache is a convenience: where it cannot be written, the next run makes the script again.
        return script
    return script


def vl_convert_version() -> str:
    """Of the library whose Vega it is."""
    return importlib.metadata.version("vl-convert-python")


def load_vl_convert() -> ModuleType:
    """``vl_convert``, an extra.

    Raises:
        LiqmapError: It is not installed.
    """
    try:
        import vl_convert  # noqa: PLC0415 - an extra, and slow to load
    except ImportError:
        raise LiqmapError(
            "report", "vl-convert-python", "not installed", 'pip install "liqmap[report]"', "nothing written"
        ) from None
    module: ModuleType = vl_convert
    return module


def _file_name(stem: str, script: bytes) -> str:
    return f"{stem}-{hashlib.sha256(script).hexdigest()}.js"
