"""wave_drift: A wave that differs much from the earlier ones is pointed out: it may be true, or a fault of delivery."""

from __future__ import annotations

from stegvis.expectations.expectation import WARNING, Expectation, between, unique
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    drift = protocol.drift

    def within(column: str, limit: float, what: str) -> Expectation:
        return between(column, -limit, limit, f"{what} differs from the earlier waves by at most {limit:g}", WARNING)

    low, high = drift.answers_ratio
    return [
        unique("wave", meaning="waves are unique"),
        between(
            "answers_ratio",
            low,
            high,
            f"a wave has {low:g} to {high:g} times as many responses as earlier ones",
            WARNING,
        ),
        within("response_difference", drift.response, "the share of eligible participants who responded"),
        within("prevalence_difference", drift.prevalence, "the share of respondents with the outcome"),
        within(
            "screen_missing_difference",
            drift.screen_missing,
            "the share of responses without the outcome",
        ),
        within("women_difference", drift.women, "the share of women among respondents"),
        within("mean_age_difference", drift.mean_age, "the mean age (years at baseline) of respondents"),
        between(
            "age_distance",
            None,
            drift.distance,
            f"at most {drift.distance:.0%} of respondents are in another age group than earlier",
            WARNING,
        ),
        between(
            "walking_distance",
            None,
            drift.distance,
            f"at most {drift.distance:.0%} of respondents are in another walking group than earlier",
            WARNING,
        ),
        between("follow_up_years_difference", 0, None, "follow-up is later than in the earlier waves", WARNING),
    ]
