"""``datapackage.json``: what is in a release, for programs (Frictionless Data Package 1).

Specification: https://specs.frictionlessdata.io/data-package/
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from stegvis.release.results_schema import TABLES, fields
from stegvis.statistics.results import KEY_COLUMNS
from stegvis.study.protocol import Protocol

FILE = "datapackage.json"
_MEDIA_TYPES = {
    ".csv": "text/csv", ".json": "application/json", ".parquet": "application/vnd.apache.parquet", ".html": "text/html",
    ".R": "text/plain", ".do": "text/plain", ".cff": "application/yaml",
    ".svg": "image/svg+xml", ".png": "image/png", ".md": "text/markdown",
}  # fmt: skip
_KEYS = {
    "results": list(KEY_COLUMNS),
    "characteristics": ["wave", "exposure", "category", "variable", "level"],
    "attrition": ["wave", "step"],
    "declared_estimates": ["wave", "place"],
}


def data_package(folder: Path, release: str, created: str, protocol: Protocol, synthetic: bool) -> dict[str, Any]:
    """The description of a release's files as they are in ``folder``.

    Args:
        folder: the release's files, without the manifest and the description itself.
        release: its name.
        created: when it was made (ISO 8601).
        protocol: the study.
        synthetic: whether any of its data are.
    """
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != FILE)
    return {
        "profile": "data-package",
        "name": release.lower(),
        "title": protocol.study.title + (" (synthetic data)" if synthetic else ""),
        "description": "Estimates, who they are about, and how they were made; no row is a person's.",
        "version": release,
        "created": created,
        "resources": [_resource(file, file.relative_to(folder).as_posix()) for file in files],
    }


def _resource(file: Path, path: str) -> dict[str, Any]:
    content = file.read_bytes()
    resource: dict[str, Any] = {
        "name": path.lower().replace("/", "-"),
        "path": path,
        "format": file.suffix.removeprefix(".").lower(),
        "mediatype": _MEDIA_TYPES.get(file.suffix, "application/octet-stream"),
        "bytes": len(content),
        "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
    }
    table = file.stem if file.suffix == ".csv" else ""
    if file.suffix in (".csv", ".json", ".html", ".R", ".do", ".cff", ".svg", ".md"):
        resource["encoding"] = "utf-8"
    if table in TABLES:
        resource |= {
            "profile": "tabular-data-resource",
            "schema": {"fields": fields(table), "primaryKey": _KEYS[table], "missingValues": [""]},
        }
    return resource
