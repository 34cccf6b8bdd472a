"""A drop that replaces another makes it unused."""

from __future__ import annotations

from pathlib import Path

import pytest

from stegvis.storage.landing import Landing, scan
from tests.orchestration.story import complete


def deliver(landing: Path, place: str, content: str, replaces: object = None) -> None:
    """A baseline or follow-up drop arrives."""
    folder = landing / place
    folder.mkdir(parents=True)
    file = "participants.csv" if place.startswith("baseline") else "questionnaire.csv"
    (folder / file).write_text(content)
    complete(folder, **({} if replaces is None else {"replaces": replaces}))


def names(found: Landing) -> tuple[list[str], list[str]]:
    """Accepted and superseded drops."""
    return [drop.name for drop in found.accepted], [drop.name for drop in found.superseded]


def test_a_replaced_drop_is_not_used_and_says_by_which(tmp_path: Path) -> None:
    deliver(tmp_path, "baseline/2019", "1")
    deliver(tmp_path, "baseline/2020", "2", replaces="2019")
    found = scan(tmp_path, None)
    assert names(found) == (["2020"], ["2019"])
    assert "replaced by '2020'" in found.superseded[0].reason


def test_a_wave_under_a_wrong_name_is_cured_by_delivering_it_under_the_right_one(tmp_path: Path) -> None:
    deliver(tmp_path, "followup/2024", "1")
    deliver(tmp_path, "followup/2021-2023", "1 ", replaces="2024")
    deliver(tmp_path, "baseline/2024", "1")
    assert names(scan(tmp_path, None)) == (["2024", "2021-2023"], ["2024"])
    assert scan(tmp_path, None).accepted[0].kind == "baseline"


def test_a_replaced_drop_still_replaces(tmp_path: Path) -> None:
    for name, replaces in (("1", None), ("2", "1"), ("3", "2")):
        deliver(tmp_path, f"baseline/{name}", name, replaces)
    assert names(scan(tmp_path, None)) == (["3"], ["1", "2"])


@pytest.mark.parametrize("replaces", [("2", "1"), ("1", "2"), ("9", "8")])
def test_circles_and_unknown_names_replace_nothing(tmp_path: Path, replaces: tuple[str, str]) -> None:
    deliver(tmp_path, "baseline/1", "1", replaces[0])
    deliver(tmp_path, "baseline/2", "2", replaces[1])
    assert names(scan(tmp_path, None)) == (["1", "2"], [])


@pytest.mark.parametrize("replaces", [1, "", ["2019"], {}, False])
def test_another_form_of_replaces_rejects_the_drop(tmp_path: Path, replaces: object) -> None:
    deliver(tmp_path, "baseline/2020", "2", replaces)
    (rejected,) = scan(tmp_path, None).rejected
    assert rejected.reason == "in drop.json, replaces must be the name of another drop"


def test_the_contents_of_another_wave_raise_an_alarm_until_the_right_file_replaces_them(tmp_path: Path) -> None:
    deliver(tmp_path, "followup/2021", "1")
    deliver(tmp_path, "followup/2021.2", "1")
    deliver(tmp_path, "followup/2024", "1")
    found = scan(tmp_path, None)
    assert (names(found), [drop.name for drop in found.repeated]) == ((["2021"], []), ["2021.2"])
    (alarm,) = found.alarms
    assert alarm.name == "2024"
    assert "another wave" in alarm.reason
    deliver(tmp_path, "followup/2024.2", "2", replaces="2024")
    cured = scan(tmp_path, None)
    assert (names(cured), cured.alarms) == ((["2021", "2024.2"], ["2024"]), [])


def test_the_same_contents_under_the_right_wave_may_replace_those_under_the_wrong_one(tmp_path: Path) -> None:
    deliver(tmp_path, "followup/2021", "1")
    deliver(tmp_path, "followup/2024", "1", replaces="2021")
    assert names(scan(tmp_path, None)) == (["2024"], ["2021"])
