"""The versions of the libraries that compute: another version may give other digits."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version

COMPUTE = ("duckdb", "numpy", "pandas", "pyarrow", "scipy", "statsmodels")
_PREFIX = "library "


@cache
def library_versions() -> dict[str, str]:
    """The installed versions, by ``library <name>``."""
    return {f"{_PREFIX}{name}": version(name) for name in COMPUTE}


def versions_in(parts: dict[str, str]) -> dict[str, str]:
    """The versions named in the parts of a materialization record, by library."""
    return {name.removeprefix(_PREFIX): value for name, value in parts.items() if name.startswith(_PREFIX)}
