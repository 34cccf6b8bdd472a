"""The table of changed estimates lists the main analyses and counts the others."""

from stegvis.reporting.tables import bridge_table
from tests.stegvis.reporting.sample_report import PROTOCOL

CHANGED = {
    "wave": "2021-2023",
    "analysis": "main",
    "model": "adjusted",
    "exposure": "walking_minutes",
    "level": ">=125",
    "measure": "rr",
    "change": "changed",
    "estimate_before": 0.8,
    "ci_low_before": 0.7,
    "ci_high_before": 0.9,
    "n_before": 100,
    "estimate_now": 0.81,
    "ci_low_now": 0.71,
    "ci_high_now": 0.91,
    "n_now": 110,
}


def test_other_analyses_are_counted():
    table = bridge_table(
        [CHANGED, {**CHANGED, "analysis": "spline"}, {**CHANGED, "analysis": "sensitivity:bmi"}], PROTOCOL
    )
    assert table is not None
    assert len(table.groups[0].rows) == 1
    assert table.note == "In the other analyses, 2 estimates changed: see bridge.json of the release."


def test_nothing_to_count_needs_no_note():
    table = bridge_table([CHANGED], PROTOCOL)
    assert table is not None
    assert table.note == ""
    assert bridge_table([], PROTOCOL) is None
