"""How long a refresh will take."""

from __future__ import annotations

import pytest

from stegvis.orchestration.home_state import home_state
from stegvis.orchestration.instance import open_instance
from stegvis.orchestration.time_left import TimeLeft, in_words
from tests.orchestration.story import Story


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (4.0, ""),
        (40.4, ", at most about 40 s left"),
        (170.0, ", at most about 3 min left"),
        (9000.0, ", at most about 2.5 h left"),
    ],
)
def test_in_words(seconds: float | None, words: str) -> None:
    assert in_words(seconds) == words


def test_what_is_planned_takes_as_long_as_the_last_time(story: Story) -> None:
    story.drop("baseline", "2020-01", story.baseline().iloc[[0]].assign(SmoStat_NT4BLQ1="3"), "participants.csv")
    with open_instance(story.home) as instance:
        left = TimeLeft(home_state(story.home, instance), instance)
    everything = left.after([])
    assert ("cohort", "") in left.planned
    assert everything is not None
    assert everything == pytest.approx(sum(left.seconds[asset] for asset, _ in left.planned))
    less = left.after([("cohort", "")])
    assert less == pytest.approx(everything - left.seconds["cohort"])


def test_nothing_is_said_of_a_table_that_was_never_made(story: Story) -> None:
    with open_instance(story.home) as instance:
        left = TimeLeft(home_state(story.home, instance), instance)
    left.planned, left.seconds = {("cohort", "")}, {"cohort": None}
    assert left.after([]) is None
