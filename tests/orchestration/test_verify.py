"""A release is proven to be as published, or what was done to it is reported."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from stegvis.orchestration.verify import verify
from stegvis.storage.releases import LEDGER
from stegvis.storage.signatures import sign, signatures
from stegvis.version import commit, version
from tests.orchestration.story import Story


@pytest.fixture
def release(story: Story) -> Path:
    """The built home's release, in which files may be written."""
    folder = story.release()
    for file in folder.rglob("*"):
        file.chmod(0o755 if file.is_dir() else 0o644)
    return folder


def test_a_release_is_as_it_was_published(release: Path) -> None:
    found = verify(release)
    assert (found.problems, found.notes) == ([], [])
    assert found.files == sum(file.is_file() for file in release.rglob("*")) - 1
    sign(release.parent, release.name, "First")
    assert verify(release).signed_by == ["First"]


def alter(release: Path) -> None:
    file = release / "results.csv"
    file.write_text(file.read_text().replace("suppressed", "ok", 1))


def remove(release: Path) -> None:
    (release / "report" / "index.html").unlink()


def add(release: Path) -> None:
    (release / "report" / "more.html").write_text("more")


def link(release: Path) -> None:
    file = release / "claims.json"
    file.rename(release.parent / "claims.json")
    file.symlink_to(release.parent / "claims.json")


def alter_with_its_hash(release: Path) -> None:
    """Whoever alters a file and its hash has altered the manifest."""
    import hashlib

    alter(release)
    facts = json.loads((release / "manifest.json").read_text())
    facts["files"]["results.csv"] = hashlib.sha256((release / "results.csv").read_bytes()).hexdigest()
    (release / "manifest.json").write_text(json.dumps(facts))


def spoil(release: Path) -> None:
    (release / "manifest.json").write_text("{")


def forge_a_line(release: Path) -> None:
    ledger = release.parent / LEDGER
    ledger.write_text('{"release": "forged", "before": ""}\n' + ledger.read_text())


def empty_the_ledger(release: Path) -> None:
    (release.parent / LEDGER).write_text("")


def remove_the_ledger(release: Path) -> None:
    (release.parent / LEDGER).unlink()


def slip_one_in(release: Path) -> None:
    shutil.copytree(release, release.parent / "2020-01-01-000000000000")


def sign_another(release: Path) -> None:
    sign(release.parent, release.name, "First")
    (file,) = (release.parent / ".signoff" / release.name).iterdir()
    file.write_text(file.read_text().replace(signatures(release)[0].manifest_sha256, "0" * 64))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (alter, "altered: results.csv"),
        (remove, "missing: report/index.html"),
        (add, "not in the manifest: report/more.html"),
        (link, "not a file but a link: claims.json"),
        (alter_with_its_hash, "altered: manifest.json"),
        (spoil, "manifest.json is absent or cannot be read"),
        (forge_a_line, "edited or removed"),
        (empty_the_ledger, "is not in ledger.jsonl"),
        (remove_the_ledger, "there is no ledger.jsonl"),
        (slip_one_in, "2020-01-01-000000000000 is not in ledger.jsonl"),
        (sign_another, "invalid signature: First signed another manifest"),
    ],
)
def test_a_change_to_a_release_is_reported(release: Path, change, message: str) -> None:
    change(release)
    assert any(message in problem for problem in verify(release).problems)


def test_the_manifest_names_the_version_and_commit_of_the_program(release: Path) -> None:
    program = json.loads((release / "manifest.json").read_text(encoding="utf-8"))["stegvis"]
    assert program == {"version": version(), "commit": commit()}
    assert program["version"]


def test_a_copy_by_itself_is_checked_against_its_manifest(release: Path, tmp_path: Path) -> None:
    copied = tmp_path / "elsewhere" / release.name
    shutil.copytree(release, copied)
    found = verify(copied)
    assert found.problems == []
    assert found.notes == ["there is no ledger.jsonl beside it: only the files were checked"]
    renamed = copied.rename(copied.with_name("renamed"))
    assert any("the folder is called renamed" in problem for problem in verify(renamed).problems)
