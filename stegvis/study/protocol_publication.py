"""Sections of the protocol on publication and checks: disclosure control, releases, data checks, drift, freshness."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from stegvis.study.settings import Section

Rounding = Literal["none", "nearest", "midpoint"]
# OHDSI's minCellCount; OpenSAFELY redacts 7 or fewer; acro's safe_threshold. All in docs/disclosure.md.
SMALLEST_COUNT = {"standard": 5, "strict": 8, "acro": 10}


class Bridge(Section):
    """When a change between releases is flagged."""

    flagged_standard_errors: float = Field(gt=0)


class Disclosure(Section):
    """Primary suppression, at least as a profile of the field asks for."""

    profile: Literal["standard", "strict", "acro"]
    smallest_count: int = Field(ge=1)
    zeros_are_disclosive: bool

    @model_validator(mode="after")
    def _as_the_profile_asks(self) -> Disclosure:
        least = SMALLEST_COUNT[self.profile]
        if self.smallest_count < least:
            raise ValueError(f"profile {self.profile} needs a smallest_count of {least} or more")
        if self.profile == "acro" and not self.zeros_are_disclosive:
            raise ValueError("profile acro needs zeros_are_disclosive = true")
        return self


class Digits(Section):
    """Digits of published numbers: decimals, but significant digits of standard errors and p-values."""

    ratios: int = Field(ge=0, le=4)
    standardized_differences: int = Field(ge=0, le=4)
    means: int = Field(ge=0, le=4)
    percentages: int = Field(ge=0, le=4)
    std_errors: int = Field(ge=1, le=4)
    p_values: int = Field(ge=1, le=4)


class Release(Section):
    """How a release is made: complementary suppression, rounding, digits, signatures."""

    protection_width: int = Field(ge=1)
    rounding: Rounding
    rounding_base: int = Field(ge=2)
    signatures: int = Field(ge=0, le=2)
    digits: Digits


class Checks(Section):
    """Thresholds of the data checks."""

    largest_quarantined_share: float = Field(ge=0, le=1)
    smallest_share_in_cohort: float = Field(ge=0, le=1)
    plausible_risk: tuple[float, float]
    plausible_age: tuple[float, float]


class Drift(Section):
    """How much a wave may differ from all earlier waves together before a warning."""

    answers_ratio: tuple[float, float]
    response: float = Field(gt=0, le=1)
    prevalence: float = Field(gt=0, le=1)
    screen_missing: float = Field(gt=0, le=1)
    women: float = Field(gt=0, le=1)
    mean_age: float = Field(gt=0)
    distance: float = Field(gt=0, le=1)


class Expected(Section):
    """The range in which an item is expected, and how far it may be from the earlier waves or batches."""

    lowest: float = Field(ge=0)
    highest: float = Field(ge=0)
    difference: float = Field(gt=0)

    @model_validator(mode="after")
    def _ordered(self) -> Expected:
        if self.lowest > self.highest:
            raise ValueError("lowest must not exceed highest")
        return self


class ExpectedItems(Section):
    """What is expected of a new wave or batch, item by item."""

    def items(self) -> dict[str, Expected]:
        """By the name of the item."""
        return {name: getattr(self, name) for name in type(self).model_fields}


class ExpectedWave(ExpectedItems):
    """What is expected of a new wave."""

    response: Expected
    screen_missing: Expected
    prevalence: Expected
    limited: Expected
    date_missing: Expected
    before_baseline: Expected
    covariate_missing: Expected
    women: Expected
    mean_age: Expected


class ExpectedBatch(ExpectedItems):
    """What is expected of a new batch of recordings."""

    without_valid_day: Expected
    hours_a_day: Expected
    walking_minutes: Expected
    slow_share: Expected
    brisk_share: Expected
    lying_hours: Expected
    sitting_hours: Expected
    standing_hours: Expected


class Plausibility(Section):
    """When a new wave or batch is blocked until a named person accepts it."""

    fewest_people: int = Field(ge=2)
    standard_errors: float = Field(ge=0)
    wave: ExpectedWave
    batch: ExpectedBatch


class Freshness(Section):
    """Days without a new delivery of a kind, or a new release, until it is overdue; 0: none is expected."""

    baseline: int = Field(ge=0)
    recordings: int = Field(ge=0)
    followup: int = Field(ge=0)
    withdrawals: int = Field(ge=0)
    registry: int = Field(default=0, ge=0)
    release: int = Field(default=0, ge=0)

    def days(self, delivery: str) -> int:
        """The longest time between two deliveries of a kind, in days."""
        return int(getattr(self, delivery))
