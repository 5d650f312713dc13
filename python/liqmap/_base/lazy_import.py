"""Modules that are imported when an attribute of them is first used."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

__all__ = ["lazy_import"]


class _LazyModule(ModuleType):
    """Stands for a module and imports it at the first attribute.

    `importlib.util.LazyLoader` puts a module without its contents into ``sys.modules``, where another thread finds it
    before it is complete (CPython 3.11.7 and 3.12.1). Here only `importlib.import_module` touches ``sys.modules``: it
    holds the module's import lock, so that every thread waits for the complete module.
    """

    def __getattr__(self, name: str) -> object:
        return getattr(import_module(self.__name__), name)


def lazy_import(name: str) -> ModuleType:
    """A module that is imported when an attribute of it is first used, from any thread.

    Raises:
        ModuleNotFoundError: At the first use, if the module is not installed.

    Example:
        >>> lazy_import("json").dumps([1])
        '[1]'
    """
    return _LazyModule(name)
