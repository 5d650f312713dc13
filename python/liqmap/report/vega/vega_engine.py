"""Vega in a JavaScript engine of this process: a compiled specification in, a drawing out, on every machine the same.

``vl-convert`` can draw too, and does not serve here: it shapes each text with the machine's fonts to learn how wide it
is, which takes two thirds of the time of a drawing and makes it another one where the fonts are others.
"""

from __future__ import annotations

import atexit
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from importlib import resources
from threading import Lock, Thread
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from liqmap._base.errors import InternalError, LiqmapError
from liqmap.report.vega.vega_bundle import vega_bundle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from py_mini_racer import JSFunction, JSPromise

__all__ = ["draw", "warm_up"]

_TIMEOUT_S = 60.0
"""Seconds for one drawing; it takes some hundredths."""

# What a browser has and a bare engine has not; nothing that is drawn waits for a clock.
_GLOBALS = """
globalThis.window = globalThis;
globalThis.setInterval = globalThis.clearInterval = () => 0;
globalThis.structuredClone = (value) => (value === undefined ? value : JSON.parse(JSON.stringify(value)));
"""

_EMPTY: Mapping[str, Any] = MappingProxyType({})
_start_lock = Lock()


def draw(
    name: str, drawing: str, signals: Mapping[str, Any] = _EMPTY, data: Mapping[str, Any] = _EMPTY
) -> tuple[str, int]:
    """A Vega specification as the text of an ``<svg>``, and how many marks of data are in it.

    The text holds what shows and no more: no digits below a hundredth of a pixel, no fonts, no roles.

    Args:
        name: What ids in the drawing begin with.
        drawing: The specification as JSON; kept parsed, so that the next one of its kind is drawn sooner.
        signals: Values of its signals, by name.
        data: Rows of its data sets, by name.

    Raises:
        LiqmapError: ``mini-racer`` is not installed.
        InternalError: Vega refuses it.
    """
    with _start_lock:
        function = _draw_function()
    from py_mini_racer import JSEvalException, JSPromiseError  # noqa: PLC0415 - an extra, and here by now

    filling = json.dumps({"signals": dict(signals), "data": dict(data)}, allow_nan=False)
    try:
        promise = cast("JSPromise", function(name, drawing, filling))
        count, _, svg = str(promise.get(timeout=_TIMEOUT_S)).partition(" ")
    except (JSEvalException, JSPromiseError) as error:
        said = str(error).strip().partition("\n")[0]
        raise InternalError("chart", name, said, "a specification that Vega draws", "nothing written") from None
    return svg, int(count)


def warm_up() -> Thread:
    """Start the engine, which takes a quarter of a second, on another processor while the history is read."""

    def start() -> None:
        with suppress(LiqmapError):  # whoever draws is told the same
            draw("warm", '{"marks":[]}')

    thread = Thread(target=start, daemon=True)
    thread.start()
    return thread


@cache
def _draw_function() -> JSFunction:
    # Made in a thread of its own: a loop that runs in this one, such as a notebook's, would become the engine's, and a
    # drawing asked for on it could never be waited for.
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(_start_engine).result()


def _start_engine() -> JSFunction:
    try:
        from py_mini_racer import MiniRacer  # noqa: PLC0415 - an extra, and slow to load
    except ImportError:
        raise LiqmapError(
            "report", "mini-racer", "not installed", 'pip install "liqmap[report]"', "nothing written"
        ) from None
    engine = MiniRacer()
    # A process that ends with its engine open may wait for it for ever.
    atexit.register(engine.close)
    engine.eval(_GLOBALS)
    engine.eval(vega_bundle().decode())
    engine.eval((resources.files("liqmap.report.vega") / "vega_engine.js").read_text())
    return cast("JSFunction", engine.eval("draw"))
