"""The code that a module depends on, as digests: two texts that do the same have the same digest.

From a module its imports inside the package are followed. Comments, docstrings and layout do not count. Where a module
names a data file (``data_file("reporting/style.css")``) or a SELECT (``sql_text("cohort")``), that file counts too, so
nothing that decides a result has to be listed by hand. How tables are published and the tables a module depends on are
not followed: they have digests and data versions of their own.

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
from typing import Any, NamedTuple

from stegvis.data_files import PACKAGE
from stegvis.provenance.fingerprint import fingerprint, short
from stegvis.provenance.sql import normalized

# How a table is published and recorded decides nothing about its rows. Of the protocol, the values that were read are
# compared one by one.
_NOT_FOLLOWED = (
    "stegvis.assets.graph",
    "stegvis.assets.home",
    "stegvis.assets.table",
    "stegvis.data_files",
    "stegvis.expectations",
    "stegvis.orchestration",
    "stegvis.provenance",
    "stegvis.sql",
    "stegvis.storage.home",
    "stegvis.storage.lock",
    "stegvis.storage.process",
    "stegvis.storage.publishing",
    "stegvis.storage.reader",
    "stegvis.storage.records",
    "stegvis.storage.selects",
    "stegvis.storage.tables",
    "stegvis.storage.warehouse",
    "stegvis.studies",
    "stegvis.study.about",
    "stegvis.study.agreement",
    "stegvis.study.dictionary",
    "stegvis.study.protocol",
    "stegvis.study.protocol_models",
    "stegvis.study.protocol_publication",
    "stegvis.study.protocol_recordings",
    "stegvis.study.settings",
    "stegvis.study.study",
    "stegvis.version",
)
_PREFIXES = tuple(f"{name}." for name in _NOT_FOLLOWED)
# Calls that open a file of the package by a literal name.
_DATA, _SQL = ("data_file",), ("sql_text", "sql_table")
# What declares a table in a module; it is no part of the code that makes the rows.
_TABLE, _SQL_TABLE = "table", "sql_table"


class _Parsed(NamedTuple):
    """Of a module's text: the digest of its code, what it imports, the files it names, whether it makes a table."""

    code: str
    imports: list[str]
    data: list[str]
    sql: list[str]
    is_table: bool


def code_parts(module: str) -> dict[str, str]:
    """The digests of a module, of all modules it depends on, and of the package's files that these name.

    Args:
        module: a dotted name inside the package.

    Returns:
        Digests by ``code <module>`` (of all that code one digest), ``file <name>`` and ``sql/<name>.sql``.
    """
    parts: dict[str, str] = {}
    code: dict[str, str] = {}
    seen: set[str] = set()
    wanted = [module]
    while wanted:
        name = wanted.pop()
        file = _file_of(PACKAGE, name)
        if file is None or name in seen:
            continue
        seen.add(name)
        parsed = _parsed(file, file.stat().st_mtime_ns)
        if parsed.is_table and name != module:
            continue
        code[name] = parsed.code
        parts |= {f"file {each}": data_digest(each) for each in parsed.data}
        parts |= {f"sql/{each}.sql": sql_digest(each) for each in parsed.sql}
        wanted += [each for each in parsed.imports if each.startswith("stegvis.") and not _plumbing(each)]
    return parts | {f"code {module.removeprefix('stegvis.')}": fingerprint(code)}


def sql_digest(name: str) -> str:
    """The digest of ``sql/<name>.sql`` without its comments."""
    from stegvis.sql import sql_text

    return short(normalized(sql_text(name)))


def data_digest(name: str) -> str:
    """The digest of a data file of the package, or of every file in a folder."""
    path = PACKAGE / name
    if not path.is_dir():
        return _file_digest(path, path.stat().st_mtime_ns)
    files = sorted(file for file in path.rglob("*") if file.is_file() and file.suffix not in {".py", ".pyc", ".digest"})
    return short(json.dumps([[str(f.relative_to(path)), _file_digest(f, f.stat().st_mtime_ns)] for f in files]))


@cache
def _file_digest(path: Path, modified: int) -> str:
    return short(path.read_bytes())


def _plumbing(name: str) -> bool:
    return f"{name}.".startswith(_PREFIXES)


@cache
def _file_of(package: Path, name: str) -> Path | None:
    parts = name.split(".")[1:]
    above = _file_of(package, name.rpartition(".")[0]) if len(parts) > 1 else None
    if above and above.name != "__init__.py":
        return None  # something in a module, which most imports name
    # In a checkout some folders of the package are beside it, at the top of the repository.
    for place in (package.joinpath(*parts), package.parent.joinpath(*parts)):
        for file in (place.with_suffix(".py"), place / "__init__.py"):
            if parts and file.is_file():
                return file
    return None


@cache
def _parsed(file: Path, modified: int) -> _Parsed:
    text = file.read_bytes()
    kept = Path(cache_from_source(str(file))).with_suffix(".digest")
    holds_for = hashlib.sha256(_own_version() + text).hexdigest()
    with suppress(OSError, ValueError, TypeError):
        known = json.loads(kept.read_text(encoding="utf-8"))
        if known["holds_for"] == holds_for:
            return _Parsed(*known["parsed"])
    parsed = _parse(text)
    # Where nothing can be written, it is found again the next time.
    with suppress(OSError):
        kept.parent.mkdir(exist_ok=True)
        unfinished = kept.with_suffix(f".{os.getpid()}")
        unfinished.write_text(json.dumps({"holds_for": holds_for, "parsed": parsed}), encoding="utf-8")
        unfinished.replace(kept)
    return parsed


@cache
def _own_version() -> bytes:
    return sys.version.encode() + Path(__file__).read_bytes()


def _parse(text: bytes) -> _Parsed:
    tree = ast.parse(text)
    imports: list[str] = []
    named: dict[str, set[str]] = {name: set() for name in _DATA + _SQL}
    is_table = False
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            # "from stegvis.statistics import trend" may name a module or something in one.
            imports += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Call) and (name := _called(node)) in named:
            named[name] |= {str(arg.value) for arg in node.args[:1] if isinstance(arg, ast.Constant)}
        if isinstance(node, ast.FunctionDef):
            kept = [each for each in node.decorator_list if _called(each) != _TABLE]
            is_table |= len(kept) < len(node.decorator_list)
            node.decorator_list = kept
        if isinstance(node, ast.Module):
            declared = [part for part in node.body if _declares_table(part)]
            is_table |= bool(declared)
            node.body = [part for part in node.body if part not in declared]
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [part for part in node.body if not _is_docstring(part)] or [ast.Pass()]
    code = hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:16]
    return _Parsed(
        code,
        sorted(set(imports)),
        sorted(set().union(*(named[name] for name in _DATA))),
        sorted(set().union(*(named[name] for name in _SQL))),
        is_table,
    )


def _called(node: Any) -> str:
    function = node.func if isinstance(node, ast.Call) else node
    return getattr(function, "id", getattr(function, "attr", ""))


def _declares_table(node: ast.stmt) -> bool:
    """``cohort = sql_table("cohort", ...)``."""
    return isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _called(node.value) == _SQL_TABLE


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
