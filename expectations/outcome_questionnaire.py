"""outcome_questionnaire: Chronic low back pain at follow-up."""

from __future__ import annotations

from stegvis.expectations.expectation import (
    CRITICAL,
    WARNING,
    Expectation,
    as_expected,
    between,
    filled,
    mean_between,
    not_empty,
    one_of,
    unique,
)
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    share = protocol.checks.smallest_share_in_cohort
    low, high = protocol.checks.plausible_risk
    return [
        not_empty("the wave has responses"),
        unique("wave", "person", meaning="respondents are unique within a wave"),
        filled("pain_screen", "the question on the outcome is answered", WARNING),
        one_of("low_back_pain", [0, 1], "the outcome is 0 or 1"),
        mean_between("in_cohort", share, None, f"at least {share:.0%} of the responses come from the cohort", CRITICAL),
        one_of("in_cohort", [1], "every response comes from the cohort", WARNING),
        mean_between("low_back_pain", low, high, f"the risk lies between {low:.0%} and {high:.0%}", WARNING),
        between("follow_up_years", 0, None, "no response is earlier than the baseline", WARNING),
        one_of("box_against_screen", [False], "no box of the outcome is ticked under a screen answered no", WARNING),
    ]


def profile(protocol: Protocol) -> list[Expectation]:
    """What is expected of a new delivery as a whole; it is evaluated on the summary."""
    return as_expected(protocol.plausibility.wave.items())
