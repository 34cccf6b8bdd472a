"""What is recorded of the landing zone between scans: it saves work, and changes nothing of what a scan finds."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from stegvis.storage.home_key import keyed_hash
from stegvis.storage.landing import scan
from tests.stegvis.storage.drops import deliver, sha256


def test_a_hash_is_computed_once_until_the_file_changes(tmp_path: Path) -> None:
    landing, cache = tmp_path / "landing", tmp_path / "state" / "hashes.json"
    drop = deliver(landing / "baseline/a", {"participants.csv": "1"})
    file = drop / "participants.csv"
    assert scan(landing, cache).accepted
    # A file may be named after a person: the cache has keyed hashes of names.
    assert set(json.loads(cache.read_text())) == {
        keyed_hash(cache.parent, "file name", name) for name in ("baseline/a", "baseline/a/participants.csv")
    }

    state = file.stat()
    file.write_text("2")  # same size, and the same time of change: not seen, because it is not read again
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert scan(landing, cache).accepted
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    assert scan(landing, cache).rejected
    assert not list(cache.parent.glob(".*"))  # nothing unfinished is left behind


@pytest.mark.parametrize("harm", ["{", "[]", '{"baseline/a/participants.csv": 1}'])
def test_a_harmed_cache_is_made_anew(tmp_path: Path, harm: str) -> None:
    landing, cache = tmp_path / "landing", tmp_path / "hashes.json"
    deliver(landing / "baseline/a", {"participants.csv": "1"})
    cache.write_text(harm)
    assert scan(landing, cache).accepted
    entry = json.loads(cache.read_text())[keyed_hash(tmp_path, "file name", "baseline/a/participants.csv")]
    assert entry[2] == sha256("1")


def test_a_cache_with_names_is_taken_over_without_hashing_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing, cache = tmp_path / "landing", tmp_path / "hashes.json"
    deliver(landing / "recordings/a", {"P1.csv": "1"})
    state = (landing / "recordings/a/P1.csv").stat()
    cache.write_text(json.dumps({"recordings/a/P1.csv": [state.st_size, state.st_mtime_ns, sha256("1")]}))
    with monkeypatch.context() as patch:
        patch.setattr("stegvis.storage.landing_cache.hashlib.file_digest", None)
        assert scan(landing, cache).accepted
    assert "P1" not in cache.read_text()


def change_nothing(drop: Path) -> None:
    """The drop as it was."""


def add_unlisted(drop: Path) -> None:
    (drop / "notes.txt").write_text("1")


def add_hidden(drop: Path) -> None:
    (drop / ".DS_Store").write_text("1")


def add_folder(drop: Path) -> None:
    (drop / "more").mkdir()


def take_a_file_away(drop: Path) -> None:
    (drop / "P2.csv").unlink()


def rename_a_file(drop: Path) -> None:
    (drop / "P2.csv").rename(drop / "P3.csv")


def exchange_a_file(drop: Path) -> None:
    (drop / "P2.csv").write_text("two")


def link_a_file(drop: Path) -> None:
    (drop / "P2.csv").unlink()
    (drop / "P2.csv").symlink_to("/etc/hostname")


def take_the_manifest_away(drop: Path) -> None:
    (drop / "drop.json").unlink()


def say_that_it_is_synthetic(drop: Path) -> None:
    facts = json.loads((drop / "drop.json").read_text())
    (drop / "drop.json").write_text(json.dumps(facts | {"synthetic": True}))


def harm_the_manifest(drop: Path) -> None:
    (drop / "drop.json").write_text("{")


def replace_another(drop: Path) -> None:
    facts = json.loads((drop / "drop.json").read_text())
    (drop / "drop.json").write_text(json.dumps(facts | {"replaces": "b"}))


CHANGES = (
    change_nothing, add_unlisted, add_hidden, add_folder, take_a_file_away, rename_a_file, exchange_a_file, link_a_file,
    take_the_manifest_away, say_that_it_is_synthetic, harm_the_manifest, replace_another,
)  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_scan_from_the_cache_finds_what_one_without_finds(tmp_path: Path, change: Callable[[Path], None]) -> None:
    landing, cache = tmp_path / "landing", tmp_path / "hashes.json"
    drop = deliver(landing / "recordings/a", {"P1.csv": "1", "P2.csv": "2"})
    deliver(landing / "recordings/b", {"P1.csv": "3"})
    assert len(scan(landing, cache).accepted) == 2
    change(drop)
    assert scan(landing, cache) == scan(landing, None)
    assert scan(landing, cache) == scan(landing, None)


def test_an_accepted_drop_is_not_examined_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    landing, cache = tmp_path / "landing", tmp_path / "hashes.json"
    for name in ("recordings/a", "followup/2021"):
        deliver(landing / name, {"days.csv" if "a" in name else "questionnaire.csv": name})
    found = scan(landing, cache)
    with monkeypatch.context() as patch:
        patch.setattr("stegvis.storage.landing.examine", None)
        assert scan(landing, cache) == found
    # By other rules it is.
    monkeypatch.setattr("stegvis.storage.landing._rules", lambda: "others")
    monkeypatch.setattr("stegvis.storage.landing.examine", lambda kind, path, known: (_ for _ in ()).throw(OSError))
    assert [each.issues[0].rule for each in scan(landing, cache).rejected] == ["unreadable"] * 2


def test_the_cache_forgets_files_that_are_gone(tmp_path: Path) -> None:
    landing, cache = tmp_path / "landing", tmp_path / "hashes.json"
    drop = deliver(landing / "baseline/a", {"participants.csv": "1"})
    scan(landing, cache)
    (drop / "participants.csv").unlink()
    scan(landing, cache)
    assert json.loads(cache.read_text()) == {}
