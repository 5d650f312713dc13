"""Run Vega in an embedded V8 engine: render compiled Vega specifications to SVG, identically on every machine.

``vl-convert`` can also render SVG, but it measures text with the fonts of the machine. This takes two thirds of the
rendering time and makes the output depend on the installed fonts.
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
"""Timeout per chart, seconds; rendering usually takes some hundredths of a second."""

# Browser globals that a bare engine lacks; rendering does not use timers.
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
    """Render a Vega specification to an ``<svg>`` element and count its data marks.

    The SVG contains visible elements only, with coordinates rounded to 0.01 px and without fonts or ARIA roles.

    Args:
        name: Prefix of the element ids.
        drawing: The specification as JSON; parsed specifications are cached.
        signals: Signal values by name.
        data: Rows of the data sets by name.

    Raises:
        LiqmapError: ``mini-racer`` is not installed.
        InternalError: Vega rejects the specification.
    """
    with _start_lock:
        function = _draw_function()
    from py_mini_racer import JSEvalException, JSPromiseError  # noqa: PLC0415 - optional; imported above

    filling = json.dumps({"signals": dict(signals), "data": dict(data)}, allow_nan=False)
    try:
        promise = cast("JSPromise", function(name, drawing, filling))
        count, _, svg = str(promise.get(timeout=_TIMEOUT_S)).partition(" ")
    except (JSEvalException, JSPromiseError) as error:
        message = str(error).strip().partition("\n")[0]
        raise InternalError("chart", name, message, "a valid Vega specification", "nothing written") from None
    return svg, int(count)


def warm_up() -> Thread:
    """Start the engine, which takes about 0.25 s, in a thread while the history is read."""

    def start() -> None:
        with suppress(LiqmapError):  # draw() raises the same error
            draw("warm", '{"marks":[]}')

    thread = Thread(target=start, daemon=True)
    thread.start()
    return thread


@cache
def _draw_function() -> JSFunction:
    # Started in a separate thread: otherwise the engine would attach to an event loop that runs in this thread, such as
    # a notebook's, and waiting for a chart on that loop would block forever.
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(_start_engine).result()


def _start_engine() -> JSFunction:
    try:
        from py_mini_racer import MiniRacer  # noqa: PLC0415 - optional and slow to load
    except ImportError:
        raise LiqmapError(
            "report", "mini-racer", "not installed", 'pip install "liqmap[report]"', "nothing written"
        ) from None
    engine = MiniRacer()
    # A process may hang at exit if the engine is not closed.
    atexit.register(engine.close)
    engine.eval(_GLOBALS)
    engine.eval(vega_bundle().decode())
    engine.eval((resources.files("liqmap.report.vega") / "vega_engine.js").read_text())
    return cast("JSFunction", engine.eval("draw"))
