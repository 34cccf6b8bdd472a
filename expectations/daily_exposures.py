"""daily_exposures: Seconds per activity, person and day."""

from __future__ import annotations

from stegvis.expectations.expectation import CRITICAL, WARNING, Expectation, as_expected, between, one_of, unique
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    # The published analysis trusts delivered totals; strict mode asserts them.
    trusted = WARNING if protocol.study.mode == "as_published" else CRITICAL
    seconds = protocol.days.seconds_per_day
    activities = ["lying", "sitting", "standing", "walking", "running", "cycling"]
    return [
        unique("batch", "person", "day", meaning="the days of a participant are unique"),
        *[between(a, 0, seconds, f"{a} takes between 0 and {seconds} seconds of a day") for a in activities],
        one_of("speeds_sum_to_walking", [True], "slow, moderate and brisk walking sum to total walking", trusted),
        one_of("whole_day", [True], f"a recorded day has {seconds} seconds", WARNING),
    ]


def profile(protocol: Protocol) -> list[Expectation]:
    """What is expected of a new delivery as a whole; it is evaluated on the summary."""
    return as_expected(protocol.plausibility.batch.items())
