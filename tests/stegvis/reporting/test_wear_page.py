"""The page of wear: every count where the files are at hand, and none of few people in a home."""

from __future__ import annotations

import html
import re
from typing import get_args

import pytest

from stegvis.accelerometry.orientation import Worn
from stegvis.accelerometry.pair_problems import Refusal
from stegvis.reporting.wear import WORDS, TooFewRecordingsError, WornRecording, protected, rule_words, wear_page


def worn(days: float = 7.0, valid: int = 6, name: str = "A", *notes: str, **hours: float) -> WornRecording:
    both = {"back": 24 * days, "thigh": 24 * days, "both": 24 * days} | hours
    return WornRecording(name, "", "", both, {"as_published": valid, "whole_day": valid, "worn": valid}, notes)


def refused(rule: str, name: str = "B", reason: str = "because") -> WornRecording:
    return WornRecording(name, rule, reason, {}, dict.fromkeys(("as_published", "whole_day", "worn"), 0), ())


def shown(page: str) -> str:
    """The text of a page, a space between any two pieces."""
    body = page[page.index("<main") :]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body)))


FEW = [
    worn(7.0, 7, "P01"),
    worn(6.2, 5, "P02", "tilted", "swapped", thigh=40.0),
    worn(2.0, 0, "P03", "tilted"),
    refused("not_worn", "P04", "the thigh sensor was not worn"),
]


def test_whoever_holds_the_files_sees_every_recording_and_count():
    text = shown(wear_page("Wear of week 9", FEW, "as_published"))
    assert "4 recordings in all; used: 3, not used: 1." in text
    assert "With a valid day by the rule of the study (as published): 2." in text
    assert (
        "P02 yes 148.8 40.0 148.8 5 5 5 a sensor at an unusual angle, corrected, sensors in each other's place" in text
    )
    assert "P04 no – – – – – – the thigh sensor was not worn" in text
    assert "a sensor at an unusual angle, corrected tilted 2" in text
    assert "a sensor was not worn not_worn 1" in text
    # Days worn: of the back 2.0, 6.2 and 7.0, of the thigh 1.7, 2.0 and 7.0.
    assert "1 to under 3 1 2 1 3 to under 5 0 0 0 5 to under 7 1 0 1 7 and more 1 1 1" in text


def test_sensors_that_are_not_known_are_counted_as_such():
    text = shown(wear_page("Wear", [worn(), WornRecording("E", "", "", {}, worn().valid_days, ())], "worn"))
    assert "not known 1 1 1" in text
    assert "E yes – – – 6 6 6" in text


def test_a_batch_without_problems_says_so():
    text = shown(wear_page("Wear", [worn()], "worn"))
    assert "Every recording is used." in text
    assert "Nothing was noted." in text


def test_a_page_of_a_home_lists_nobody_and_shows_no_small_count():
    many = [worn(7.0, 7, f"SECRET{n}") for n in range(20)] + [worn(4.0, 3, "SECRET", "tilted")] * 2
    text = shown(wear_page("Wear of batch B", [*many, *[refused("not_worn", "SECRET")] * 3], "as_published", 5))
    assert "SECRET" not in text
    assert "Every recording" not in text
    assert "Used: 22 recordings; not used: fewer than 5." in text
    assert "25" not in text, "the number in all would show how many are not used"
    assert "a sensor was not worn not_worn not shown" in text
    assert "corrected tilted not shown" in text
    # 2 of 22 have three valid days: their number follows from neither row.
    assert re.search(r"\b3 not shown not shown not shown 4 0 0 0", text)
    assert "7 and more not shown not shown not shown" in text
    assert not re.search(r"\b2\b(?= (not shown|0|Valid))", text.split("Valid days by each rule")[0].split("Both", 1)[1])


def test_a_page_of_a_home_shows_what_is_not_small():
    many = [worn(7.0, 7)] * 20 + [worn(4.0, 3, "A", "tilted")] * 6 + [refused("not_worn")] * 5
    text = shown(wear_page("Wear", many, "as_published", 5))
    assert "31 recordings in all; used: 26, not used: 5." in text
    assert "corrected tilted 6" in text
    assert "a sensor was not worn not_worn 5" in text
    assert "3 6 6 6" in text


def test_too_few_recordings_have_no_page_in_a_home():
    with pytest.raises(TooFewRecordingsError, match="fewer than 5"):
        wear_page("Wear", [worn()] * 4, "worn", 5)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([10, 20, 0], [10, 20, 0]),
        ([3, 20, 7], [None, 20, None]),
        ([3, 4, 20], [None, None, 20]),
        # Two that are hidden sum to less than the smallest count: a third is hidden.
        ([1, 2, 20, 9], [None, None, 20, None]),
        ([3, 20], [None, None]),
        ([3], [None]),
        ([3, 0, 20], [None, 0, None]),
        ([3, 0, 0], [None, None, None]),
    ],
)
def test_no_part_of_a_known_whole_gives_a_small_one_away(counts, expected):
    found = protected(counts, 5)
    assert found == expected
    hidden = [number for number, each in zip(counts, found, strict=True) if each is None]
    assert len(hidden) != 1 or len(counts) == 1


def test_nothing_is_hidden_from_whoever_holds_the_files():
    assert protected([1, 2, 3], 0) == [1, 2, 3]


def test_every_rule_of_a_raw_pair_has_words():
    noted = {
        "swapped", "swapped_for_a_time", "place_uncertain", "attached_anew", "same_place_annotated", "clock_reset",
        "clocks_apart", "not_synchronized", "damaged", "gaps", "truncated", "thigh_alone", "back_unusable",
        "on_the_side", "slow_sensor",
    }  # fmt: skip
    how = set(Worn) - {Worn.AS_PRESCRIBED, Worn.UNKNOWN}
    assert {*get_args(Refusal), *noted, *how} <= set(WORDS)
    assert rule_words("something_new") == "something new"


def test_equal_recordings_give_equal_pages():
    assert wear_page("Wear", FEW, "worn") == wear_page("Wear", FEW, "worn")
