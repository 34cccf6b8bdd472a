"""A module of another package that is loaded when something of it is first used, not when it is imported."""

from __future__ import annotations

import importlib
import importlib.util
import sys


def load_when_used(package: str, module: str) -> None:
    """Let ``from package import module``, of a module that is not loaded yet, load it at its first use.

    Raises:
        ModuleNotFoundError: there is no such package or module.
    """
    name = f"{package}.{module}"
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"no module named {name!r}", name=name)
    spec.loader = importlib.util.LazyLoader(spec.loader)
    lazy = importlib.util.module_from_spec(spec)
    sys.modules[name] = lazy
    spec.loader.exec_module(lazy)
    # Where it is an attribute of the package, an import takes it from there and does not look into it.
    setattr(importlib.import_module(package), module, lazy)
