"""Run all benchmarks, or the named ones."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import benchmarks

names = sorted(m.name for m in pkgutil.iter_modules(benchmarks.__path__) if not m.name.startswith("_"))
chosen = sys.argv[1:] or [name for name in names if name != "timing"]
unknown = set(chosen) - set(names)
if unknown:
    sys.exit(f"unknown benchmarks {sorted(unknown)}; available: {names}")
for name in chosen:
    print(f"\n## {name}")
    importlib.import_module(f"benchmarks.{name}").main()
