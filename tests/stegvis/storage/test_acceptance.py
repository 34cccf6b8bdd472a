"""Only what was seen is accepted; a decision needs a name and a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from stegvis.plausibility.ranges import Compared
from stegvis.storage.acceptance import (
    ACCEPTED_FILE,
    AcceptError,
    accept,
    accepted_items,
    accepted_names,
    accepted_part,
    not_accepted,
)

SEEN = Compared("screen_missing", 0.60, 0.0, 0.25, 0.02)


def test_a_decision_covers_what_was_seen_and_not_what_is_worse_or_another_item(tmp_path: Path) -> None:
    assert accepted_part(tmp_path, "wave", "2033") == {}
    accept(tmp_path, "wave", "2033", "A Reviewer", "a short form", [SEEN])
    accepted = accepted_items(tmp_path, "wave", "2033")
    assert accepted == {"screen_missing": SEEN}
    same = Compared("screen_missing", 0.61, 0.0, 0.25, 0.02)
    worse = Compared("screen_missing", 0.70, 0.0, 0.25, 0.02)
    other = Compared("women", 0.1, 0.3, 0.75, 0.02)
    inside = Compared("mean_age", 50.0, 18.0, 85.0, 1.0)
    assert not_accepted([SEEN, same, inside], accepted) == []
    assert not_accepted([worse, other], accepted) == [worse, other]
    assert accepted_items(tmp_path, "batch", "2033") == {}
    assert accepted_names(tmp_path) == ["wave 2033"]
    assert list(accepted_part(tmp_path, "wave", "2033")) == ["accepted wave"]


def test_below_the_range_less_is_worse(tmp_path: Path) -> None:
    low = Compared("women", 0.10, 0.3, 0.75, 0.01)
    accept(tmp_path, "wave", "2033", "A Reviewer", "a study of men", [low])
    accepted = accepted_items(tmp_path, "wave", "2033")
    lower, higher = Compared("women", 0.05, 0.3, 0.75, 0.01), Compared("women", 0.90, 0.3, 0.75, 0.01)
    assert not_accepted([low, lower, higher], accepted) == [lower, higher]


@pytest.mark.parametrize(("by", "because", "seen"), [(" ", "x", [SEEN]), ("x", "", [SEEN]), ("x", "y", [])])
def test_a_decision_needs_a_name_a_reason_and_something_that_waits(
    tmp_path: Path, by: str, because: str, seen: list[Compared]
) -> None:
    with pytest.raises(AcceptError):
        accept(tmp_path, "wave", "2033", by, because, seen)
    assert not (tmp_path / ACCEPTED_FILE).exists()
