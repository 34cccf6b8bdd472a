"""The ledger of releases, signatures under them, and which release is the latest."""

from __future__ import annotations

import json

import pytest

from stegvis.storage.hash_chain import broken_links, read_lines
from stegvis.storage.releases import (
    LEDGER,
    MANIFEST,
    ReleaseError,
    enter_in_ledger,
    latest,
    manifest_sha256,
    newest,
    newest_published,
    published_checks,
)
from stegvis.storage.signatures import FOLDER, SignatureError, advance_latest, sign, signatures, valid_signatures


@pytest.fixture
def releases(tmp_path):
    return tmp_path / "releases"


def made(releases, name, day="2026-01-01"):
    """A release moves into place."""
    folder = releases / name
    folder.mkdir(parents=True)
    (folder / MANIFEST).write_text(json.dumps({"release": name, "created": f"{day}T00:00:00+00:00", "files": {}}))
    return folder


def named(path):
    return path.name if path else None


# ---- the ledger ----


def test_a_release_is_entered_once(releases):
    made(releases, "a")
    enter_in_ledger(releases, "a")
    enter_in_ledger(releases, "a")
    (line,) = read_lines(releases / LEDGER)
    assert (line["release"], line["manifest_sha256"]) == ("a", manifest_sha256(releases / "a"))


def test_releases_whose_entry_was_cut_short_are_entered_later_in_the_order_they_were_made(releases):
    for name, day in (("z", "2026-01-01"), ("a", "2026-02-01"), ("m", "2026-03-01")):
        made(releases, name, day)
    made(releases, ".staging-1")
    advance_latest(releases, 0)
    assert [line["release"] for line in read_lines(releases / LEDGER)] == ["z", "a", "m"]
    assert broken_links(releases / LEDGER) == []
    assert named(latest(releases)) == named(newest(releases)) == "m"


def test_a_release_published_anew_is_entered_again(releases):
    for name in ("a", "b"):
        made(releases, name)
        enter_in_ledger(releases, name)
    enter_in_ledger(releases, "a")
    assert [line["release"] for line in read_lines(releases / LEDGER)] == ["a", "b", "a"]
    advance_latest(releases, 0)
    assert named(latest(releases)) == "a"


def test_an_empty_home_has_no_release(releases):
    releases.mkdir()
    advance_latest(releases, 0)
    assert latest(releases) is newest(releases) is None
    assert newest_published(releases) is None


def test_a_release_that_cannot_be_read_is_named(releases):
    made(releases, "a")
    with pytest.raises(ReleaseError, match="release a cannot be read"):
        newest_published(releases)
    with pytest.raises(ReleaseError, match="release a cannot be read"):
        published_checks(releases)


# ---- signatures ----


def test_latest_moves_when_two_people_have_signed(releases):
    made(releases, "a", "2026-01-01")
    advance_latest(releases, 0)
    made(releases, "b", "2026-02-01")
    advance_latest(releases, 2)
    assert (named(latest(releases)), named(newest(releases))) == ("a", "b")
    sign(releases, "b", "First Reviewer Å")
    advance_latest(releases, 2)
    assert named(latest(releases)) == "a"
    sign(releases, "b", "Second")
    advance_latest(releases, 2)
    assert named(latest(releases)) == "b"
    assert [each.name for each in signatures(releases / "b")] == ["First Reviewer Å", "Second"]


@pytest.mark.parametrize("again", ["First", " first ", "FIRST"])
def test_a_second_signature_must_be_another_persons(releases, again):
    made(releases, "a")
    sign(releases, "a", "First")
    with pytest.raises(SignatureError, match="another person's"):
        sign(releases, "a", again)


@pytest.mark.parametrize(("release", "name"), [("b", "First"), ("../a", "First"), ("a", "  "), ("a", "--")])
def test_only_a_release_can_be_signed_and_only_by_name(releases, release, name):
    made(releases, "a")
    with pytest.raises(SignatureError):
        sign(releases, release, name)


def test_a_signature_of_another_manifest_does_not_count(releases):
    folder = made(releases, "a")
    sign(releases, "a", "First")
    sign(releases, "a", "Second")
    (folder / MANIFEST).write_text((folder / MANIFEST).read_text() + "\n")
    assert valid_signatures(folder) == 0
    assert {each.problem for each in signatures(folder)} == {
        "First signed another manifest",
        "Second signed another manifest",
    }


def test_a_signature_copied_under_another_file_name_does_not_count(releases):
    folder = made(releases, "a")
    sign(releases, "a", "First")
    file = next((releases / FOLDER / "a").iterdir())
    file.with_name("second.json").write_text(file.read_text())
    file.with_name("third.json").write_text("no signature")
    assert valid_signatures(folder) == 1
    assert sorted(each.problem for each in signatures(folder)) == [
        "",
        "First signed twice",
        "third.json cannot be read",
    ]


def test_latest_never_moves_back(releases):
    for name, day in (("a", "2026-01-01"), ("b", "2026-02-01")):
        made(releases, name, day)
    advance_latest(releases, 0)
    sign(releases, "a", "First")
    sign(releases, "a", "Second")
    advance_latest(releases, 2)
    assert named(latest(releases)) == "b"
