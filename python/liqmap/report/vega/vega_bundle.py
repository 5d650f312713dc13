"""Vega, Vega-Lite and Vega-Embed bundled as one script, for pages and for static charts."""

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

# vl-convert resolves this address from its bundled copy of Vega; nothing is downloaded.
_BUNDLE_SOURCE = """
import {{ View, parse, textMetrics }} from "https://cdn.jsdelivr.net/npm/vega@{vega}/+esm";
window.vegaEmbed = vegaEmbed;
window.vega = {{ View, parse, textMetrics }};
"""


@cache
def vega_bundle() -> bytes:
    """The script that defines ``window.vegaEmbed`` and ``window.vega``; it needs neither network nor ``eval``.

    Bundling takes seconds, so the script is cached in the user's cache folder and verified by its hash on each read.

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
        # The cache is optional: if it is not writable, the next run bundles the script again.
        return script
    return script


def vl_convert_version() -> str:
    """Version of vl-convert, which determines the version of Vega."""
    return importlib.metadata.version("vl-convert-python")


def load_vl_convert() -> ModuleType:
    """Import ``vl_convert``, an optional dependency.

    Raises:
        LiqmapError: ``vl-convert-python`` is not installed.
    """
    try:
        import vl_convert  # noqa: PLC0415 - optional and slow to load
    except ImportError:
        raise LiqmapError(
            "report", "vl-convert-python", "not installed", 'pip install "liqmap[report]"', "nothing written"
        ) from None
    module: ModuleType = vl_convert
    return module


def _file_name(stem: str, script: bytes) -> str:
    return f"{stem}-{hashlib.sha256(script).hexdigest()}.js"
