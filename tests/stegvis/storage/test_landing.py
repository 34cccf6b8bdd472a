"""The landing zone: each delivery is accepted, waits, is rejected or repeats an earlier one, with the reason."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from stegvis.storage.landing import Landing, scan
from stegvis.storage.recording_files import recording_level
from tests.stegvis.storage.drops import deliver, sha256, withdraw


def names(drops: list) -> list[tuple[str, str]]:
    return [(drop.kind, drop.name) for drop in drops]


def rejected_rule(landing: Path) -> str:
    found = scan(landing, None)
    assert not found.accepted
    (drop,) = found.rejected
    (issue,) = drop.issues
    return issue.rule


def test_a_landing_zone_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    assert scan(tmp_path / "nowhere", None) == Landing()


def test_each_kind_of_delivery_is_accepted_with_its_partition(tmp_path: Path) -> None:
    deliver(tmp_path / "baseline/2019", {"participants.csv": "person\n"}, synthetic=True)
    deliver(tmp_path / "recordings/north 1", {"days.csv": "person\n", "P1.parquet": "x"})
    deliver(tmp_path / "followup/2021-2023", {"questionnaire.csv": "person\n"})
    withdraw(tmp_path, "june")
    found = scan(tmp_path, None)
    assert [(d.kind, d.name, d.partition) for d in found.accepted] == [
        ("baseline", "2019", None),
        ("recordings", "north 1", "north 1"),
        ("followup", "2021-2023", "2021-2023"),
        ("withdrawals", "june", None),
    ]
    assert [d.synthetic for d in found.accepted] == [True, False, False, False]
    assert (found.waiting, found.rejected, found.repeated, found.notes) == ([], [], [], [])
    file = found.accepted[0].files[0]
    assert (file.name, file.bytes, file.sha256) == ("participants.csv", 7, sha256("person\n"))
    assert file.path.read_text() == "person\n"
    assert found.accepted[3].path == tmp_path / "withdrawals" / "june.csv"


def test_without_drop_json_a_drop_waits(tmp_path: Path) -> None:
    (deliver(tmp_path / "baseline/a", {"participants.csv": "1"}) / "drop.json").unlink()
    (tmp_path / "withdrawals").mkdir()
    (tmp_path / "withdrawals/w.csv").write_text("person\nP1\n")
    found = scan(tmp_path, None)
    assert names(found.waiting) == [("baseline", "a"), ("withdrawals", "w")]
    assert "no drop.json yet" in found.waiting[0].reason
    assert "no w.json yet" in found.waiting[1].reason


def test_a_drop_waits_for_the_files_it_names(tmp_path: Path) -> None:
    (deliver(tmp_path / "baseline/a", {"participants.csv": "1"}) / "participants.csv").unlink()
    withdraw(tmp_path, "w")
    (tmp_path / "withdrawals/w.csv").unlink()
    found = scan(tmp_path, None)
    assert names(found.waiting) == [("baseline", "a"), ("withdrawals", "w")]
    assert "participants.csv is named in drop.json and not there yet" in found.waiting[0].reason


def test_another_content_than_promised_rejects_that_drop_only(tmp_path: Path) -> None:
    harmed = deliver(tmp_path / "baseline/a", {"participants.csv": "1"})
    (harmed / "participants.csv").write_text("2")
    deliver(tmp_path / "baseline/b", {"participants.csv": "1"})
    found = scan(tmp_path, None)
    assert names(found.accepted) == [("baseline", "b")]
    assert names(found.rejected) == [("baseline", "a")]
    assert "participants.csv" in found.rejected[0].reason
    assert found.rejected[0].issues[0].rule == "hash_mismatch"


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"files": {}}',
        '{"files": ["participants.csv"]}',
        '{"files": {"participants.csv": "0"}}',
        '{"files": {"participants.csv": {"sha256": "0"}}}',
        '{"files": {"participants.csv": {"sha256": null}}}',
        '{"files": {"participants.csv": {"sha256": "' + "0" * 64 + '"}}, "synthetic": "yes"}',
        "[" * 100_000,
    ],
)
def test_a_drop_json_of_another_form_is_rejected(tmp_path: Path, text: str) -> None:
    (deliver(tmp_path / "baseline/a", {"participants.csv": "1"}) / "drop.json").write_text(text)
    assert rejected_rule(tmp_path) == "manifest_form"


@pytest.mark.parametrize("name", ["../secret.csv", "a/b.csv", "a\\b.csv", "/etc/passwd", ".hidden.csv", "..", ""])
def test_a_file_name_that_leaves_its_folder_is_rejected(tmp_path: Path, name: str) -> None:
    drop = deliver(tmp_path / "baseline/a", {"participants.csv": "1"})
    (drop / "drop.json").write_text(json.dumps({"files": {name: {"sha256": "0" * 64}}}))
    assert rejected_rule(tmp_path) == "unsafe_name"


def test_an_unlisted_file_and_an_unknown_key_are_notes(tmp_path: Path) -> None:
    drop = deliver(tmp_path / "baseline/a", {"participants.csv": "1"})
    (drop / "readme.txt").write_text("hello")
    (drop / ".hidden").write_text("hello")
    manifest = json.loads((drop / "drop.json").read_text())
    (drop / "drop.json").write_text(json.dumps(manifest | {"synthethic": True}))
    (accepted,) = scan(tmp_path, None).accepted
    assert [file.name for file in accepted.files] == ["participants.csv"]
    assert any("readme.txt" in note for note in accepted.notes)
    assert any("synthethic" in note for note in accepted.notes)
    assert not any(".hidden" in note for note in accepted.notes)


@pytest.mark.parametrize("name", ["2021-2023", "2024", "2021-2023.2", "2024.late-answers"])
def test_wave_names(tmp_path: Path, name: str) -> None:
    deliver(tmp_path / "followup" / name, {"questionnaire.csv": "1"})
    (accepted,) = scan(tmp_path, None).accepted
    assert accepted.partition == name.partition(".")[0]


@pytest.mark.parametrize("wave", ["2022-2024", "2022", "2021", "2021-2024", "2019-2022"])
def test_a_wave_whose_years_overlap_another_is_an_alarm(tmp_path: Path, wave: str) -> None:
    for content, name in enumerate(["2021-2023", "2021-2023.2", wave, "2024"]):
        deliver(tmp_path / "followup" / name, {"questionnaire.csv": str(content)})
    found = scan(tmp_path, None)
    used = {drop.partition for drop in found.accepted}
    first, second = sorted([wave, "2021-2023"])
    assert used == {first, "2024"}
    assert {drop.name.partition(".")[0] for drop in found.alarms} == {second}
    assert f"its years overlap those of wave {first}" in found.alarms[0].reason
    assert f"a later part of that wave ({first}.2)" in found.alarms[0].reason


def test_a_wave_may_begin_in_the_year_in_which_the_one_before_ends(tmp_path: Path) -> None:
    for content, name in enumerate(["2021-2023", "2023-2024", "2024"]):
        deliver(tmp_path / "followup" / name, {"questionnaire.csv": str(content)})
    assert len(scan(tmp_path, None).accepted) == 3


@pytest.mark.parametrize("name", ["wave2", "2023-2021", "21-23", "2021-2023-2", "2021–2023", "2024."])
def test_a_wave_that_is_not_named_by_its_years_is_rejected(tmp_path: Path, name: str) -> None:
    deliver(tmp_path / "followup" / name, {"questionnaire.csv": "1"})
    assert rejected_rule(tmp_path) == "drop_name"


@pytest.mark.parametrize("name", ["a,b", "a..b", "a\tb", "a=b", "a."])
def test_a_batch_name_that_cannot_be_a_partition_is_rejected(tmp_path: Path, name: str) -> None:
    deliver(tmp_path / "recordings" / name, {"days.csv": "1"})
    assert rejected_rule(tmp_path) == "drop_name"


@pytest.mark.parametrize(("name", "accepted"), [("a" * 100, True), ("a" * 101, False), ("本" * 67, False)])
def test_a_batch_name_that_is_too_long_for_a_folder_is_rejected(tmp_path: Path, name: str, accepted: bool) -> None:
    deliver(tmp_path / "recordings" / name, {"days.csv": "1"})
    found = scan(tmp_path, None)
    assert [drop.name for drop in found.accepted] == ([name] if accepted else [])
    assert ["at most 100 characters" in drop.reason for drop in found.rejected] == ([] if accepted else [True])


def test_parts_of_a_wave_apply_in_the_order_a_person_counts(tmp_path: Path) -> None:
    for content, name in enumerate(["2021-2023.10", "2021-2023.2", "2021-2023", "2024"]):
        deliver(tmp_path / "followup" / name, {"questionnaire.csv": str(content)})
    found = scan(tmp_path, None)
    assert [drop.name for drop in found.accepted] == ["2021-2023", "2021-2023.2", "2021-2023.10", "2024"]


def test_the_same_contents_again_are_repeated_and_name_the_first(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        deliver(tmp_path / "baseline" / name, {"participants.csv": "other" if name == "b" else "same"})
    deliver(tmp_path / "recordings/a", {"participants.csv": "same"})  # another kind is another matter
    withdraw(tmp_path, "june")
    withdraw(tmp_path, "july")
    found = scan(tmp_path, None)
    assert names(found.accepted) == [("baseline", "a"), ("baseline", "b"), ("recordings", "a"), ("withdrawals", "july")]
    assert names(found.repeated) == [("baseline", "c"), ("withdrawals", "june")]
    assert "'a'" in found.repeated[0].reason


def test_the_digest_is_of_the_contents_not_of_the_drops_name(tmp_path: Path) -> None:
    for landing, drop, content in (("1", "a", "x"), ("2", "b", "x"), ("3", "a", "y")):
        deliver(tmp_path / landing / "baseline" / drop, {"participants.csv": content})
    first, second, third = (scan(tmp_path / landing, None).accepted[0].digest for landing in "123")
    assert first == second != third


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        ("baseline/a", ["participant.csv"]),
        ("baseline/a", ["participants.csv", "participants.sav"]),
        ("baseline/a", ["participants.xlsx"]),
        ("followup/2024", ["participants.csv"]),
        ("recordings/a", ["readme.txt"]),
    ],
)
def test_a_drop_without_its_one_table_is_rejected(tmp_path: Path, kind: str, files: list[str]) -> None:
    deliver(tmp_path / kind, dict.fromkeys(files, "1"))
    assert rejected_rule(tmp_path) == "file_missing"


def test_what_lies_in_the_wrong_place_is_said(tmp_path: Path) -> None:
    deliver(tmp_path / "follow-up/2024", {"questionnaire.csv": "1"})
    (tmp_path / "baseline").mkdir()
    (tmp_path / "baseline/participants.csv").write_text("person\n")
    (tmp_path / "withdrawals").mkdir()
    (tmp_path / "withdrawals/w.xlsx").write_text("P1")
    found = scan(tmp_path, None)
    assert names(found.rejected) == [("baseline", "participants.csv"), ("withdrawals", "w")]
    assert {drop.issues[0].rule for drop in found.rejected} == {"misplaced"}
    assert any("follow-up" in note for note in found.notes)


def test_hidden_files_and_folders_are_ignored(tmp_path: Path) -> None:
    deliver(tmp_path / "baseline/.unfinished", {"participants.csv": "1"})
    deliver(tmp_path / ".git/a", {"participants.csv": "1"})
    (tmp_path / "baseline/.DS_Store").write_text("")
    assert scan(tmp_path, None) == Landing()


@pytest.mark.parametrize(
    ("file", "level"),
    [
        ("P1_back.cwa", "raw"),
        ("P1.csv", "signal"),
        ("P1.parquet", "signal"),
        ("epochs.parquet", "epochs"),
        ("epochs.csv", None),
        ("days.sav", "days"),
        ("P1.sav", None),
        ("readme.txt", None),
    ],
)
def test_a_recording_is_known_by_its_name(file: str, level: str | None) -> None:
    assert recording_level(file) == level


@pytest.mark.parametrize("kind", ["baseline", "recordings", "withdrawals"])
@pytest.mark.parametrize(
    "name", ["a,b", "a..b", "a\tb", "\x1b[2Jx", "<b>x", "x'; drop", "ab\u202ecd", os.fsdecode(b"r\xf8ros")]
)
def test_hostile_names_are_rejected_and_shown_in_printable_letters(tmp_path: Path, kind: str, name: str) -> None:
    if kind == "withdrawals":
        withdraw(tmp_path, name)
    else:
        deliver(tmp_path / kind / name, {"days.csv" if kind == "recordings" else "participants.csv": "1"})
    (rejected,) = scan(tmp_path, None).rejected
    assert rejected.issues[0].rule == "drop_name"
    assert rejected.name.isprintable()
    (rejected.name + rejected.reason).encode("utf-8")


@pytest.mark.parametrize("name", ["0000-9999", "1800", "2024-2300", "9999"])
def test_a_wave_is_of_our_time(tmp_path: Path, name: str) -> None:
    deliver(tmp_path / "followup" / name, {"questionnaire.csv": "1"})
    assert rejected_rule(tmp_path) == "drop_name"


def place(file: Path, what: str) -> None:
    """Something that is no ordinary file of its folder, in the place of a file."""
    file.unlink()
    match what:
        case "pipe":
            os.mkfifo(file)
        case "folder":
            file.mkdir()
        case "device":
            file.symlink_to("/dev/zero")
        case "link out":
            outside = file.parents[2] / "outside.csv"
            outside.write_text("1")
            file.symlink_to(outside)
        case _:
            file.symlink_to(file)


@pytest.mark.parametrize("what", ["pipe", "folder", "device", "link out", "link to itself"])
def test_what_is_no_ordinary_file_of_the_drop_is_rejected(tmp_path: Path, what: str) -> None:
    place(deliver(tmp_path / "1/baseline/a", {"participants.csv": "1"}) / "participants.csv", what)
    assert rejected_rule(tmp_path / "1") == "unsafe_file"
    place(deliver(tmp_path / "2/baseline/a", {"participants.csv": "1"}) / "drop.json", what)
    assert rejected_rule(tmp_path / "2") == "manifest_form"


def test_a_link_within_the_drop_is_an_ordinary_file(tmp_path: Path) -> None:
    drop = deliver(tmp_path / "baseline/a", {"participants.csv": "1"})
    (drop / "participants.csv").rename(drop / ".kept")
    (drop / "participants.csv").symlink_to(".kept")
    assert names(scan(tmp_path, None).accepted) == [("baseline", "a")]


@pytest.mark.parametrize(
    "content",
    [
        b'{"files": {"participants.csv": {"sha256": ' + b"1" * 64 + b"}}}",
        b'{"files": {"participants.csv": {"sha256": ' + b"1" * 5000 + b"}}}",
        b'{"files": {"participants.csv": {"sha256": NaN}}}',
        b'{"files": {"drop.json": {"sha256": "' + b"0" * 64 + b'"}}}',
        json.dumps({"files": {"participants.csv": {"sha256": "0" * 64}}}).encode("utf-16"),
        b'{"a":' * 100_000,
        b" " * (65 << 20),
    ],
)
def test_a_hostile_drop_json_is_rejected_in_one_line(tmp_path: Path, content: bytes) -> None:
    drop = deliver(tmp_path / "baseline/a", {"participants.csv": "1"})
    (drop / "drop.json").write_bytes(content)
    deliver(tmp_path / "baseline/b", {"participants.csv": "1"})
    found = scan(tmp_path, None)
    assert names(found.accepted) == [("baseline", "b")]
    assert [issue.rule for issue in found.rejected[0].issues] == ["manifest_form"]
    assert "\n" not in found.rejected[0].reason


def test_many_missing_files_are_listed_in_short(tmp_path: Path) -> None:
    drop = deliver(tmp_path / "recordings/a", {"days.csv": "1"})
    files = {f"P{number}.csv": {"sha256": "0" * 64} for number in range(20_000)}
    (drop / "drop.json").write_text(json.dumps({"files": files}))
    (waiting,) = scan(tmp_path, None).waiting
    assert len(waiting.issues) == 101
    assert waiting.issues[-1].message == "and 19,900 more files like these"
