"""The Python source of the package, for the tests that read it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("orchestration", "assets", "expectations", "sql", "studies", "stegvis")
MODULES = {
    file.relative_to(ROOT).as_posix(): file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))
}


@cache
def parsed(source: str) -> ast.Module:
    """The tree of a source; parsed once, however many rules look at it."""
    return ast.parse(source)


def imported(tree: ast.AST) -> Iterator[str]:
    """The dotted names that a tree imports, anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import hides which folder it enters"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def dotted(module: str) -> str:
    """The name a module is imported by: ``stegvis.assets.cohort`` for ``assets/cohort.py``."""
    parts = Path(module).with_suffix("").parts
    name = ".".join(parts if parts[0] == "stegvis" else ("stegvis", *parts))
    return name.removesuffix(".__init__")


def package_sources() -> dict[str, str]:
    return {dotted(module): file.read_text(encoding="utf-8") for module, file in MODULES.items()}


def functions(source: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def calls(source: str, function: str) -> Iterator[ast.Call]:
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == function:
            yield node
