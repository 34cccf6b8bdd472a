"""What a stage is made from, and the fingerprint of its making.

Belongs here: the recipe of an asset and everything that decides whether its result is still valid: the text of its SQL
(comments and spacing aside), the protocol values it reads, the codebook, the code, its expectations and the engine.
Does not belong here: running anything.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

import stegvis.sql
from stegvis.assets.building.code import PACKAGE, code_digests, data_digests
from stegvis.assets.building.partitions import Kind
from stegvis.study.protocol import Protocol

if TYPE_CHECKING:
    import pandas as pd

    from stegvis.assets.building.build import Build
    from stegvis.expectations.rules import Rule

SQL = Path(stegvis.sql.__file__).parent
CODEBOOK = PACKAGE / "study" / "codebook.toml"

# A literal or quoted name, or a run of comments and spaces.
_SQL_TOKEN = re.compile(r"(?P<literal>'(?:[^']|'')*'|\"[^\"]*\")|(?:--[^\n]*|/\*.*?\*/|\s)+", re.DOTALL)
_VARIABLE = re.compile(r"getvariable\(\s*'([^']+)'\s*\)")
LIBRARIES = ("duckdb", "numpy", "pandas", "pyarrow", "scipy", "statsmodels")
_PARTITION_VARIABLES = {"wave", "batch"}


@dataclass
class Rows:
    """What a stage made, before it is judged.

    Attributes:
        source: the rows of the table, as a SELECT over the warehouse or a frame.
        summary: counts about the making (rows read, rows quarantined ...) that expectations may judge.
        problems: what went into quarantine: file, row, column, rule, message.
        also: further tables published in the same transaction.
        metadata: shown in the Dagster UI; counts only.
        prepare: called with the warehouse's connection before the SELECT runs, to make a view it reads.
        erased_from: tables that remember people of earlier releases; who stands in the rows is deleted from them in the
            transaction that publishes.
        on_publish: called inside the transaction that publishes, to move files into place.
        lake_files: files of the lake that belong to the rows, where they are once published.
        scratch: a folder that is removed after the judgment; what is published was moved away before.
    """

    source: str | pd.DataFrame
    summary: dict[str, float] = field(default_factory=dict)
    problems: pd.DataFrame | None = None
    also: dict[str, pd.DataFrame] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    prepare: Callable[[duckdb.DuckDBPyConnection], None] | None = None
    erased_from: tuple[str, ...] = ()
    on_publish: Callable[[], None] | None = None
    lake_files: Sequence[Path] = ()
    scratch: Path | None = None


@dataclass(frozen=True)
class Recipe:
    """One stage: its name is the name of its table, SQL file, expectations and tests."""

    name: str
    group: str
    description: str
    partition: Kind | None
    upstream: tuple[str, ...]
    make: Callable[[Build], Rows]
    delivery: str | None = None
    sql: tuple[str, ...] = ()
    protocol: tuple[str, ...] = ()
    codebook: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    kinds: frozenset[str] = frozenset({"duckdb"})
    owner: str = "team:data"
    # The table whose files in the lake this asset makes, where that is another one.
    makes_files_of: str = ""

    def rules(self, protocol: Protocol) -> list[Rule]:
        """What must be true of the table: ``expectations/<name>.py``."""
        return list(importlib.import_module(f"stegvis.expectations.{self.name}").rules(protocol))

    def protocol_names(self) -> tuple[str, ...]:
        """The protocol values this stage reads: those its SQL names, and those stated."""
        named = {n for file in self.sql for n in _VARIABLE.findall(sql_text(file))} - _PARTITION_VARIABLES
        return tuple(sorted(named | set(self.protocol)))

    def method(self, protocol: Protocol) -> dict[str, str]:
        """Everything but the data that decides the result, by a name a person understands."""
        parts = dict(library_versions())
        parts |= {f"sql/{file}.sql": _short(normalized_sql(sql_text(file))) for file in self.sql}
        parts |= {f"protocol {name}": _shown(protocol.value(name)) for name in self.protocol_names()}
        parts |= {f"codebook [{name}]": _short(_codebook_section(name)) for name in self.codebook}
        if self.make is not select:
            module = f"stegvis.assets.{self.name}"
            parts |= {f"code assets/{self.name}.py": code_digest(module)}
            parts |= {f"file {name}": digest for name, digest in data_digests(module).items()}
        parts |= {f"file {name}": _short(_data_file(name).read_bytes()) for name in self.files}
        parts |= {"expectations": _short(repr(self.rules(protocol)))}
        return parts

    def code_version(self, protocol: Protocol) -> str:
        """The method as one short word, shown by Dagster."""
        return fingerprint(self.method(protocol))


def _data_file(name: str) -> Path:
    return SQL / Path(name).name if name.startswith("sql/") else PACKAGE / name.removeprefix("stegvis/")


@cache
def library_versions() -> dict[str, str]:
    """The versions of the libraries that compute, by ``library <name>``: another version may give other digits."""
    return {f"library {name}": version(name) for name in LIBRARIES}


def select(build: Build) -> Rows:
    """The ``make`` of a stage whose table is exactly its SQL file."""
    return Rows(build.sql())


def sql_text(name: str) -> str:
    """The SELECT in ``sql/<name>.sql``."""
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


def normalized_sql(text: str) -> str:
    """SQL without comments and with single spaces, literals untouched: an edited comment is not an edited query."""

    return _SQL_TOKEN.sub(lambda found: found["literal"] or " ", text).strip()


def fingerprint(parts: Mapping[str, str]) -> str:
    """A short digest of named parts, independent of their order."""
    return _short(json.dumps(dict(sorted(parts.items()))))


def code_digest(module: str) -> str:
    """The code of a module and of all it rests on (``code.code_digests``) as one short word."""
    return fingerprint(code_digests(module))


def _codebook_section(name: str) -> str:
    import tomllib

    return json.dumps(tomllib.loads(CODEBOOK.read_text(encoding="utf-8"))[name])


def _shown(value: Any) -> str:
    return json.dumps(value)


def _short(content: str | bytes) -> str:
    raw = content.encode() if isinstance(content, str) else content
    return hashlib.sha256(raw).hexdigest()[:16]
