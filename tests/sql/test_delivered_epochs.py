"""delivered_epochs.sql: each delivered epoch is read by the codebook, or names the rule it breaks.

The SELECT reads views that ``stegvis/storage/delivered_epochs.py`` makes of a file, so the drawn tables are delivered as one.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sql.tables import frame_of
from tests.stegvis.storage.epoch_files import Read, deliver, read

HEADER = "person | epoch_start | activity | speed"


def of_file(folder: Path, epochs: str) -> Read:
    return read(deliver(folder, frame_of(epochs)))


def words(found: Read) -> list[tuple[str | None, str | None]]:
    """Activity and speed of each accepted epoch."""
    return [(activity, speed) for _, _, activity, speed, _ in found.accepted]


@pytest.mark.parametrize(
    ("code", "activity"),
    [
        ("lying", "lying"), ("nonwear", "nonwear"), ("8", "lying"), ("7", "sitting"), ("6", "standing"),
        ("3", "standing"), ("1", "walking"), ("4", "walking"), ("5", "walking"), ("2", "running"), ("13", "cycling"),
        ("14", "cycling"), ("130", "cycling"), ("140", "cycling"),
    ],
)  # fmt: skip
def test_activities_come_as_words_or_as_codes_with_stairs_walking_and_shuffling_standing(
    tmp_path: Path, code: str, activity: str
) -> None:
    found = of_file(tmp_path, f"{HEADER}\nP1 | 2018-03-01 08:00:00 | {code} | -")
    assert words(found) == [(activity, None)]
    assert found.rules == {}


@pytest.mark.parametrize("spelling", ["1", "01", "1.0", "1.", "1.00"])
def test_a_code_is_the_same_however_it_is_spelled(tmp_path: Path, spelling: str) -> None:
    found = of_file(tmp_path, f"{HEADER}\nP1 | 2018-03-01 08:00:00 | {spelling} | slow")
    assert words(found) == [("walking", "slow")]


def test_only_walking_has_a_speed(tmp_path: Path) -> None:
    epochs = f"""
        {HEADER}
        P1 | 2018-03-01 08:00:00 | walking | brisk
        P1 | 2018-03-01 08:00:05 | walking | -
        P1 | 2018-03-01 08:00:10 | sitting | slow
        """
    assert words(of_file(tmp_path, epochs)) == [("walking", "brisk"), ("walking", None), ("sitting", None)]


def test_each_broken_row_names_its_rule(tmp_path: Path) -> None:
    epochs = f"""
        {HEADER}
        -  | 2018-03-01 08:00:00 | walking | slow
        P1 | soon                | walking | slow
        P1 | -                   | walking | slow
        P1 | 2018-03-01 08:00:00 | dancing | -
        P1 | 2018-03-01 08:00:05 | -       | -
        P1 | 2018-03-01 08:00:10 | walking | swift
        P1 | 2018-03-01 08:00:15 | walking | slow
        P1 | 2018-03-01 08:00:15 | sitting | -
        """
    found = of_file(tmp_path, epochs)
    assert found.rules == {
        2: "blank", 3: "wrong_type", 4: "blank", 5: "unknown_code", 6: "blank", 7: "unknown_code",
        9: "duplicate",
    }  # fmt: skip
    assert found.accepted == [("P1", "2018-03-01 08:00:15", "walking", "slow", 255)]
    assert found.rows == 8


def test_the_same_moment_of_two_people_is_no_duplicate(tmp_path: Path) -> None:
    epochs = f"{HEADER}\nP1 | 2018-03-01 08:00:00 | lying | -\nP2 | 2018-03-01 08:00:00 | lying | -"
    assert of_file(tmp_path, epochs).rules == {}


def test_of_two_rows_for_one_epoch_the_first_that_breaks_no_other_rule_is_kept(tmp_path: Path) -> None:
    """As for every other delivery, stegvis/deliveries/contract.py."""
    epochs = f"""
        {HEADER}
        P1 | 2018-03-01 08:00:00 | dancing | -
        P1 | 2018-03-01 08:00:00 | sitting | -
        P1 | 2018-03-01 08:00:00 | lying   | -
        """
    found = of_file(tmp_path, epochs)
    assert words(found) == [("sitting", None)]
    assert found.rules == {2: "unknown_code", 4: "duplicate"}


def test_repeats_are_found_wherever_in_the_file_they_stand(tmp_path: Path) -> None:
    epochs = f"""
        {HEADER}
        P1 | 2018-03-01 08:00:00 | lying   | -
        P1 | 2018-03-01 08:00:05 | lying   | -
        P2 | 2018-03-01 08:00:00 | lying   | -
        P1 | 2018-03-01 08:00:10 | lying   | -
        P1 | 2018-03-01 08:00:05 | sitting | -
        P1 | 2018-03-01 08:00:00 | sitting | -
        """
    found = of_file(tmp_path, epochs)
    assert found.rules == {6: "duplicate", 7: "duplicate"}
    assert found.accepted == [
        ("P1", "2018-03-01 08:00:00", "lying", None, 255),
        ("P1", "2018-03-01 08:00:05", "lying", None, 255),
        ("P1", "2018-03-01 08:00:10", "lying", None, 255),
        ("P2", "2018-03-01 08:00:00", "lying", None, 255),
    ]
