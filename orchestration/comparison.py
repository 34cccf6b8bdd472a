"""Two release folders side by side: what differs, and why, where the later one was made right after the earlier one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from stegvis.release.bridge import bridge, changed_values
from stegvis.storage.release_folder import PROTOCOL
from stegvis.storage.releases import MANIFEST
from stegvis.storage.report_inputs import as_records


class NotAReleaseError(ValueError):
    """A folder is not a release."""


def compare(old: Path, new: Path) -> dict[str, Any]:
    """What differs between two releases.

    Returns:
        ``changes``: estimates that are new, gone or changed; ``protocol_changes``: values that differ; ``steps``: the
        main estimates' changes step by step, and ``editions``, what kind of new edition each wave is, from the later
        release's bridge, empty unless it was made right after the earlier one; ``note``: why there are no steps.

    Raises:
        NotAReleaseError: a folder has no results.
    """
    for folder in (old, new):
        if not (folder / "results.parquet").is_file():
            raise NotAReleaseError(f"{folder} is not a release: it has no results.parquet")
    changes = bridge(pd.read_parquet(old / "results.parquet"), pd.read_parquet(new / "results.parquet"))
    then, now = (_read(folder / PROTOCOL) for folder in (old, new))
    facts = _read(new / "bridge.json")
    same = _read(old / MANIFEST).get("release") == _read(new / MANIFEST).get("release")
    follows = facts.get("previous_release") == _read(old / MANIFEST).get("release", old.name)
    apart = "" if same else "there are no steps: the later release was not made right after the earlier one"
    return {
        "changes": as_records(changes),
        "protocol_changes": changed_values(then, now) if then and now else [],
        "steps": facts.get("steps", []) if follows else [],
        "editions": facts.get("editions", {}) if follows else {},
        "note": facts.get("note", "") if follows else apart,
    }


def _read(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}
