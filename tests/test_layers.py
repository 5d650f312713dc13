"""Imports between modules: one direction, no circles, and no module name with two meanings."""

from __future__ import annotations

import ast
from collections import Counter
from functools import cache
from pathlib import Path

import liqmap

_PACKAGE = Path(liqmap.__file__).resolve().parent
# From the bottom to the top: a package imports from itself and from the packages before it.
LAYERS = (
    "_base", "venues", "history", "positions", "stress", "maps", "score", "strategies", "charts", "public", "report",
    "demo", "publish", "cli",
)  # fmt: skip
# These packages show what the others compute, so their modules are named after the object that they show.
_VIEWS = ("cli", "report.pages", "report.text", "charts")


@cache
def _modules() -> dict[str, Path]:
    found = {}
    for path in sorted(_PACKAGE.rglob("*.py")):
        parts = path.relative_to(_PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def _imports() -> dict[str, set[str]]:
    """Module → the modules of liqmap that it imports anywhere: at the top, for types only, or inside functions."""
    known = _modules()
    edges: dict[str, set[str]] = {}
    for name, path in known.items():
        found = set()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
                members = {f"{node.module}.{alias.name}" for alias in node.names}
                found |= {m if m in known else node.module for m in members}
            elif isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
        # `from liqmap import _core` imports the compiled core, not the facade.
        edges[name] = {target for target in found if target in known} - {name, "liqmap"}
    return edges


def _package(module: str) -> str:
    return module.split(".")[1]


def _circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that import each other, found by removing modules without open imports until none is left."""
    left = {module: set(targets) for module, targets in edges.items()}
    while done := [module for module, targets in left.items() if not targets & left.keys()]:
        for module in done:
            del left[module]
    return [sorted(left)] if left else []


def test_every_package_has_a_layer() -> None:
    packages = {_package(module) for module in _modules() if "." in module}
    assert packages == set(LAYERS)


def test_no_import_points_upwards() -> None:
    upward = [
        f"{module} imports {target}"
        for module, targets in _imports().items()
        if module != "liqmap"
        for target in targets
        if LAYERS.index(_package(target)) > LAYERS.index(_package(module))
    ]
    assert not upward


def test_no_imports_form_a_circle() -> None:
    assert not _circles({module: targets for module, targets in _imports().items() if module != "liqmap"})


def test_the_search_for_circles_finds_one() -> None:
    assert _circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == [["a", "b", "c"]]


def test_the_walk_sees_imports_inside_functions_and_for_types() -> None:
    assert "liqmap.history.loading.load" in _imports()["liqmap.history.store"]
    assert "liqmap.maps.types" in _imports()["liqmap.maps.clusters"]


def test_a_module_name_has_one_meaning() -> None:
    """`types` holds the shared types of its package; a sub-package may hold a module of its own name."""
    names: Counter[str] = Counter()
    for module, path in _modules().items():
        inner = module.removeprefix("liqmap.")
        if path.name != "__init__.py" and not inner.startswith(_VIEWS) and path.stem != "types":
            names[path.stem] += 1
    assert [name for name, count in names.items() if count > 1] == []
