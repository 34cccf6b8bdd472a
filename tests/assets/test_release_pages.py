"""The index shows the verdicts of the releases that are kept, oldest first, whatever form they were written in."""

from __future__ import annotations

import json
from pathlib import Path

from stegvis.reporting.inputs import CLAIM_KEYS
from stegvis.storage.release_pages import earlier_claims


def release(folder: Path, name: str, created: str, claims: list[dict] | None) -> None:
    (folder / name).mkdir()
    (folder / name / "manifest.json").write_text(json.dumps({"created": created}))
    if claims is not None:
        (folder / name / "claims.json").write_text(json.dumps(claims))


def test_releases_are_in_the_order_they_were_made(tmp_path):
    # Two of one day: their names end in a digest, which says nothing of the order.
    release(tmp_path, "2026-01-05-bbb", "2026-01-05T08:00:00+00:00", [])
    release(tmp_path, "2026-01-05-aaa", "2026-01-05T09:00:00+00:00", [])
    release(tmp_path, "2025-12-31-ccc", "2025-12-31T09:00:00+00:00", [])
    assert list(earlier_claims(tmp_path)) == ["2025-12-31-ccc", "2026-01-05-bbb", "2026-01-05-aaa"]


def test_the_link_the_staging_and_releases_without_claims_are_left_aside(tmp_path):
    release(tmp_path, "2026-01-05-aaa", "2026-01-05T09:00:00+00:00", [])
    release(tmp_path, "2026-01-06-bbb", "2026-01-06T09:00:00+00:00", None)
    (tmp_path / "latest").symlink_to("2026-01-05-aaa")
    (tmp_path / ".staging-1").mkdir()
    assert list(earlier_claims(tmp_path)) == ["2026-01-05-aaa"]


def test_a_claim_of_an_older_form_has_empty_keys(tmp_path):
    old = {"wave": "A", "claim": "one", "statement": "s", "verdict": "unclear", "evidence": "e"}
    release(tmp_path, "2026-01-05-aaa", "2026-01-05T09:00:00+00:00", [old])
    (found,) = earlier_claims(tmp_path)["2026-01-05-aaa"]
    assert set(CLAIM_KEYS) <= set(found)
    assert found["turn"] == ""
    assert found["verdict"] == "unclear"
