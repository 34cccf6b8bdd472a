"""Releases on disk: their order, their manifests, and what they published."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pandas as pd
import pytest

from stegvis.disclosure.tables import Tables
from stegvis.storage import releases as published
from stegvis.storage.releases import ReleaseError, enter_in_ledger, manifest, manifest_sha256, release_folders


def release(folder: Path, name: str, created: str) -> Path:
    (folder / name).mkdir(parents=True)
    (folder / name / "manifest.json").write_text(json.dumps({"created": created}), encoding="utf-8")
    (folder / name / "checks.json").write_text(json.dumps([{"check": name}]), encoding="utf-8")
    (folder / name / "histogram.csv").write_text("left,n\n0,12\n", encoding="utf-8")
    return folder / name


def test_releases_are_ordered_by_when_they_were_made(tmp_path: Path) -> None:
    assert release_folders(tmp_path / "none") == []
    second = release(tmp_path, "a", "2026-02-01")
    first = release(tmp_path, "b", "2026-01-01")
    (tmp_path / ".unfinished").mkdir()
    (tmp_path / "no manifest").mkdir()
    (tmp_path / "latest").symlink_to(second)
    assert release_folders(tmp_path) == [first, second]
    (second / "manifest.json").write_text("{", encoding="utf-8")
    assert release_folders(tmp_path) == [second, first], "one that does not say when comes first"


def test_the_ledger_has_their_order_whatever_the_clock_said(tmp_path: Path) -> None:
    folder = tmp_path / "releases"
    first = release(folder, "a", "2026-02-01")
    enter_in_ledger(folder, "a")
    after_the_clock_went_back = release(folder, "b", "2026-01-01")
    enter_in_ledger(folder, "b")
    interrupted = release(folder, "c", "2025-01-01")
    assert release_folders(folder) == [first, after_the_clock_went_back, interrupted]
    enter_in_ledger(folder, "a")  # published again
    assert release_folders(folder) == [after_the_clock_went_back, interrupted, first]


def test_a_manifest_is_read_or_the_release_is_named(tmp_path: Path) -> None:
    folder = release(tmp_path, "a", "2026-01-01")
    assert manifest(folder) == {"created": "2026-01-01"}
    assert manifest_sha256(folder) == hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    (folder / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(ReleaseError, match=re.escape("the manifest of a cannot be read")):
        manifest(folder)


def test_the_checks_of_the_newest_release_are_read(tmp_path: Path) -> None:
    assert published.published_checks(tmp_path) == []
    release(tmp_path, "a", "2026-01-01")
    newest = release(tmp_path, "b", "2026-02-01")
    assert published.published_checks(tmp_path) == [{"check": "b"}]
    (newest / "checks.json").write_text("[", encoding="utf-8")
    with pytest.raises(ReleaseError, match="the checks of release b"):
        published.published_checks(tmp_path)


def test_where_a_waves_numbers_come_from(tmp_path: Path) -> None:
    """A release of an earlier program does not say: its waves are its own."""
    tables = Tables.of_results(pd.DataFrame({"wave": ["A"]}))
    said = published.Published("b", {"A": {"release": "a"}}, tables, pd.DataFrame(), [])
    assert (said.origin("A")["release"], said.origin("B")["release"]) == ("a", "b")
