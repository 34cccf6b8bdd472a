"""The code of a module as a digest: two texts that do the same have the same.

Belongs here: what of Python counts as code, and which modules a module rests on. Does not belong here: anything else
that decides a result (``recipe``).

Parsing two hundred modules takes most of a second, so what was found is kept beside Python's own compiled files and
holds for the text it was found for.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import sys
from contextlib import suppress
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path

from stegvis.data_files import PACKAGE

_NOT_FOLLOWED = ("stegvis.orchestration", "stegvis.expectations")
# How a table is judged, published and remembered: it decides nothing about the rows.
_PLUMBING = {
    "stegvis.assets.building.build",
    "stegvis.assets.building.code",
    "stegvis.assets.building.graph",
    "stegvis.assets.building.history",
    "stegvis.assets.building.records",
    "stegvis.assets.building.lineage",
    "stegvis.assets.building.partitions",
    "stegvis.assets.building.pictures",
    "stegvis.assets.building.publish",
    "stegvis.assets.building.recipe",
    "stegvis.assets.building.sources",
}
_COMPARED_BY_VALUE = ("stegvis.study.protocol", "stegvis.study.codebook", "stegvis.study.dictionary")


def code_digests(module: str) -> dict[str, str]:
    """A digest of the code of a module and of each that it imports from the package, by name.

    Comments, docstrings and layout do not count, nor does the recipe itself (its parts are told apart by name). The
    protocol and the codebook do not count either: their values are compared one by one.
    """
    return {name: code for name, (code, _, _) in _followed(module).items()}


def data_digests(module: str) -> dict[str, str]:
    """The digests of the package's data files that a module and those it imports open, by name.

    They are found in the code: a data file is opened with ``data_file("its/name")`` and its name as a literal.
    """
    names = {name for _, _, named in _followed(module).values() for name in named}
    return {name: _data_digest(PACKAGE / name) for name in sorted(names)}


def _followed(module: str) -> dict[str, tuple[str, list[str], list[str]]]:
    """What is known of a module and of each that it imports from the package, by name."""
    found: dict[str, tuple[str, list[str], list[str]]] = {}
    wanted = [module]
    while wanted:
        name = wanted.pop()
        file = _file_of(PACKAGE, name)
        if file is None or name in found or name.startswith(_COMPARED_BY_VALUE):
            continue
        found[name] = _normalized(file, file.stat().st_mtime_ns)
        wanted += [
            other
            for other in found[name][1]
            if other.startswith("stegvis.") and not other.startswith(_NOT_FOLLOWED) and other not in _PLUMBING
        ]
    return found


def _data_digest(path: Path) -> str:
    """The digest of a file, or of every file in a folder that is not code."""
    files = [path] if path.is_file() else sorted(f for f in path.rglob("*") if f.is_file() and ".py" not in f.suffix)
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(path.parent)}\0".encode() + _content_digest(file, file.stat().st_mtime_ns))
    return digest.hexdigest()[:16]


@cache
def _content_digest(file: Path, modified: int) -> bytes:
    return hashlib.sha256(file.read_bytes()).digest()


@cache
def _file_of(root: Path, name: str) -> Path | None:
    parts = name.split(".")[1:]
    # In a checkout some folders of the package lie beside it, at the top.
    for place in (root.joinpath(*parts), root.parent.joinpath(*parts)):
        for file in (place.with_suffix(".py"), place / "__init__.py"):
            if parts and file.is_file():
                return file
    return None


@cache
def _normalized(file: Path, modified: int) -> tuple[str, list[str], list[str]]:
    """The digest of a file's code, the names that it imports, and the data files that it names."""
    text = file.read_bytes()
    kept = Path(cache_from_source(str(file))).with_suffix(".digest")
    holds_for = hashlib.sha256(_own_version() + text).hexdigest()
    with suppress(OSError, ValueError):
        known = json.loads(kept.read_text(encoding="utf-8"))
        if known["holds_for"] == holds_for:
            return known["code"], known["imports"], known["data"]
    code, imports, data = _parsed(text)
    # Where nothing can be written it is found again the next time.
    with suppress(OSError):
        kept.parent.mkdir(exist_ok=True)
        unfinished = kept.with_suffix(f".{os.getpid()}")
        unfinished.write_text(
            json.dumps({"holds_for": holds_for, "code": code, "imports": imports, "data": data}), encoding="utf-8"
        )
        unfinished.replace(kept)
    return code, imports, data


@cache
def _own_version() -> bytes:
    return sys.version.encode() + Path(__file__).read_bytes()


def _parsed(text: bytes) -> tuple[str, list[str], list[str]]:
    tree = ast.parse(text)
    imported: list[str] = []
    data: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            # "from stegvis.statistics import trend" may name a module or something in one.
            imported += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "data_file":
            data += [str(arg.value) for arg in node.args if isinstance(arg, ast.Constant)]
        body = getattr(node, "body", None)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and body:
            node.body = [part for part in body if not _is_docstring(part) and not _is_recipe(part)]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), imported, sorted(set(data))


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_recipe(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "RECIPE" for t in node.targets)
