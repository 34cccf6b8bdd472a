"""cohort: Everyone at baseline, with typed covariates."""

from __future__ import annotations

from stegvis.expectations.expectation import WARNING, Expectation, between, filled, not_empty, one_of, unique
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported: also how much belongs to each other."""
    share = protocol.checks.smallest_share_in_cohort
    meaning = f"at least {share:.0%} of the people of each batch of recordings are in a baseline questionnaire"
    return [
        not_empty("the cohort has participants"),
        unique("person", meaning="participants are unique"),
        one_of("sex", ["female", "male"], "sex is female or male"),
        *(one_of(name, ["no", "yes"], f"{name} is no or yes") for name in protocol.covariates.cuts),
        one_of("box_against_screen", [False], "no box of the outcome is ticked under a screen answered no", WARNING),
        filled("age", "age is known", WARNING),
        between("least_linked_share", share, None, meaning, WARNING, "summary"),
        between(
            "unlinked_people", None, 0, "everybody with a recording is in a baseline questionnaire", WARNING, "summary"
        ),
    ]
