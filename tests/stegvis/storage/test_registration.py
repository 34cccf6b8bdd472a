"""A wave is registered before it is opened: dated, hashed, chained, never replaced; amendments say what changed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from stegvis.storage.hash_chain import broken_links
from stegvis.storage.home import Home
from stegvis.storage.registration import (
    CHAIN,
    FOLDER,
    RegistrationError,
    copy_documents,
    how_opened,
    register,
    registration_state,
    registrations,
)
from stegvis.study.study import FILES, PROTOCOL, Study
from tests.study import home_with_study

WAVE = "2033-2035"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    found = home_with_study(tmp_path / "home")
    (found.landing / "followup").mkdir(parents=True)
    return found


def edit(home: Home, file: str, old: str, new: str) -> None:
    path = home.study / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def state(home: Home) -> dict:
    (found,) = registration_state(home.root, home.study, Study.of(home.root), [WAVE])
    return found


def arrive(home: Home, drop: str = WAVE) -> None:
    (home.landing / "followup" / drop).mkdir()


def test_it_has_the_date_the_hash_of_each_file_the_protocol_and_what_is_asked(home: Home) -> None:
    made = register(home, WAVE)
    content = json.loads(made.file.read_text(encoding="utf-8"))
    assert made.file == home.root / FOLDER / f"{WAVE}.json"
    assert set(content["files"]) == set(FILES)
    for name, digest in content["files"].items():
        assert digest == hashlib.sha256((home.study / name).read_bytes()).hexdigest()
    assert content["protocol"]["estimates"]["primary"]["category"] == 4
    assert [each["purpose"] for each in content["estimates"]] == ["primary"] + ["secondary"] * 7
    assert content["code"]["version"]
    assert not content["late"]
    text = made.file.with_suffix(".md").read_text(encoding="utf-8")
    assert f"# Registration of wave {WAVE}" in text
    assert "- Primary. Walking volume: fully adjusted risk ratio of the highest category against the lowest" in text
    assert f"| {PROTOCOL} | `{content['files'][PROTOCOL]}` |" in text
    assert made.sha256 in text
    assert state(home) | {"sha256": None} == {
        "wave": WAVE, "registered": made.day, "late": False, "document": f"{FOLDER}/{WAVE}.json", "sha256": None,
        "amendments": [], "changed": [], "files": [], "declared": True,
    }  # fmt: skip


@pytest.mark.parametrize("drop", [WAVE, f"{WAVE}.2"])
def test_a_wave_that_has_arrived_is_refused_unless_the_registration_may_be_late(home: Home, drop: str) -> None:
    arrive(home, drop)
    with pytest.raises(RegistrationError, match=r"its delivery is in the landing zone.*--late registers it as late"):
        register(home, WAVE)
    assert not (home.root / FOLDER).exists()
    made = register(home, WAVE, late=True)
    assert made.content["late"]
    assert "**after the wave had arrived (late)**" in made.file.with_suffix(".md").read_text(encoding="utf-8")
    assert state(home)["late"]


def test_asking_for_late_does_not_make_an_early_one_late(home: Home) -> None:
    arrive(home, "2030")
    assert how_opened(home, "2030")
    assert not register(home, WAVE, late=True).content["late"]


def test_a_release_that_has_the_wave_means_that_it_was_opened(home: Home) -> None:
    release = home.releases / "2036-01-01-0123456789ab"
    release.mkdir(parents=True)
    (release / "manifest.json").write_text(json.dumps({"waves": {WAVE: {}}}), encoding="utf-8")
    with pytest.raises(RegistrationError, match="a release has it"):
        register(home, WAVE)


@pytest.mark.parametrize("name", ["next", "2033.2", "2035-2033", "../2033"])
def test_what_is_no_wave_is_refused(home: Home, name: str) -> None:
    with pytest.raises(RegistrationError, match="a wave is named by its years"):
        register(home, name)


def test_a_second_one_is_a_numbered_amendment_that_says_what_changed(home: Home) -> None:
    first = register(home, WAVE)
    kept = first.file.read_bytes()
    with pytest.raises(RegistrationError, match=f"registered on {first.day}, and nothing has changed since"):
        register(home, WAVE)
    edit(home, PROTOCOL, "trend_unit = 20", "trend_unit = 10")
    edit(home, "claims.toml", "paper, or lay summary", "paper or lay summary")
    assert (state(home)["changed"], state(home)["files"]) == (["exposures"], ["claims.toml"])
    second = register(home, WAVE)
    assert second.file.name == f"{WAVE}.amendment-1.json"
    assert second.content["amends_sha256"] == first.sha256
    assert second.content["changed"] == [{"name": "exposures.walking_minutes.trend_unit", "before": 20, "now": 10}]
    assert second.content["changed_files"] == ["claims.toml"]
    text = second.file.with_suffix(".md").read_text(encoding="utf-8")
    assert "- `exposures.walking_minutes.trend_unit`: 20 becomes 10\n- claims.toml" in text
    assert first.file.read_bytes() == kept
    found = state(home)
    assert (found["changed"], found["files"]) == ([], [])
    (amendment,) = found["amendments"]
    assert (amendment["changed"], amendment["files"], amendment["late"]) == (["exposures"], ["claims.toml"], False)


def test_a_comment_is_no_change_of_the_protocol(home: Home) -> None:
    register(home, WAVE)
    edit(home, PROTOCOL, "# The linear trend", "# A linear trend")
    assert state(home)["changed"] == []
    with pytest.raises(RegistrationError, match="nothing has changed"):
        register(home, WAVE)


def test_waves_have_registrations_of_their_own_in_one_chain(home: Home) -> None:
    register(home, WAVE)
    register(home, "2037")
    assert [each.content["number"] for each in registrations(home.root, "2037")] == [1]
    assert broken_links(home.root / FOLDER / CHAIN) == []
    assert registrations(home.root, "2040") == []


@pytest.mark.parametrize("harm", ["document", "gone", "chain"])
def test_what_was_altered_is_found(home: Home, harm: str) -> None:
    file = register(home, WAVE).file
    edit(home, PROTOCOL, "trend_unit = 20", "trend_unit = 10")
    register(home, WAVE)
    if harm == "document":
        file.write_text(file.read_text(encoding="utf-8").replace('"late": false', '"late": true'), encoding="utf-8")
    elif harm == "gone":
        file.unlink()
    else:
        chain = home.root / FOLDER / CHAIN
        chain.write_text(chain.read_text(encoding="utf-8").replace('"number": 1', '"number": 3'), encoding="utf-8")
    for act in (lambda: state(home), lambda: register(home, WAVE)):
        with pytest.raises(RegistrationError, match="restore it from a backup; until then nothing is published"):
            act()


def test_a_document_without_its_line_does_not_count_and_is_replaced(home: Home) -> None:
    (home.root / FOLDER).mkdir()
    (home.root / FOLDER / f"{WAVE}.json").write_text("{", encoding="utf-8")
    assert registrations(home.root, WAVE) == []
    assert register(home, WAVE).content["number"] == 1
    assert state(home)["registered"]


def test_the_documents_go_into_a_release(home: Home, tmp_path: Path) -> None:
    register(home, WAVE)
    register(home, "2037")
    release = tmp_path / "release"
    release.mkdir()
    copy_documents(home.root, [WAVE, "2040"], release)
    assert {file.name for file in (release / FOLDER).iterdir()} == {f"{WAVE}.json", f"{WAVE}.md"}
