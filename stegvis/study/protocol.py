"""The study's numbers, read from ``protocol.toml`` into typed, validated objects.

Belongs here: reading and validating the protocol. Does not belong here: rules that use it (they are SQL files and
pure functions elsewhere), source column names and value codes (``codebook.toml``).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from stegvis.study.settings import Section, SettingsError, read_settings

PROTOCOL_FILE = Path(__file__).with_name("protocol.toml")

Exposure = Literal["walking_minutes", "walking_met"]
EXPOSURES: tuple[Exposure, ...] = ("walking_minutes", "walking_met")
Activity = Literal["lying", "sitting", "standing", "walking", "running", "cycling"]
Covariate = Literal["sex", "age", "education", "income", "employment", "smoking", "depression"]
Exclusion = Literal[
    "no_accelerometer_day",
    "no_valid_walking_day",
    "baseline_screen_missing",
    "baseline_low_back_pain",
    "followup_screen_missing",
    "covariate_missing",
]


class ProtocolError(SettingsError):
    """The protocol file breaks its own rules; the message names the key."""


class Study(Section):
    """Which study, and in which mode."""

    title: str
    version: str
    mode: Literal["as_published", "strict"]


class Days(Section):
    """When a day counts."""

    must_be_positive: tuple[Activity, ...]
    seconds_per_day: int = Field(gt=0)
    speed_sum_tolerance_seconds: float = Field(ge=0)
    days_per_recording: int = Field(gt=0)
    rule: Literal["as_published", "whole_day", "worn"]
    smallest_wear_hours: float = Field(gt=0, le=24)


class Epochs(Section):
    """Epochs and the signals they come from."""

    seconds: int = Field(gt=0)
    sampling_rate_hz: int = Field(gt=0)
    largest_gap_seconds: float = Field(gt=0)
    slow_up_to_km_per_hour: float = Field(gt=0)
    moderate_up_to_km_per_hour: float = Field(gt=0)
    largest_rate_deviation: float = Field(gt=0, lt=1)

    @property
    def samples_per_epoch(self) -> int:
        return self.seconds * self.sampling_rate_hz


class WalkingSpeed(Section):
    """From the rhythm and the size of walking movements to speed."""

    cadence_at_1_m_per_s: float = Field(gt=0)
    cadence_exponent: float = Field(gt=0)
    slowest_cadence: float = Field(gt=0)
    fastest_cadence: float = Field(gt=0)
    neighboring_epochs: int = Field(ge=0)
    back_movement_at_1_m_per_s: float = Field(gt=0)
    back_movement_exponent: float = Field(gt=0)
    thigh_movement_below_hz: float = Field(gt=0)
    thigh_movement_at_1_m_per_s: float = Field(gt=0)
    thigh_movement_exponent: float = Field(gt=0)
    cadence_speed_error: float = Field(gt=0, lt=1)
    back_movement_speed_error: float = Field(gt=0, lt=1)
    thigh_movement_speed_error: float = Field(gt=0, lt=1)
    shared_speed_error: float = Field(ge=0, lt=1)
    bout_epochs: int = Field(ge=0)
    same_pace: float = Field(gt=0)
    local_epochs: int = Field(ge=0)

    @model_validator(mode="after")
    def _increasing(self) -> WalkingSpeed:
        if self.slowest_cadence >= self.fastest_cadence:
            raise ValueError("slowest_cadence must be below fastest_cadence")
        return self


class RawRecordings(Section):
    """What a pair of raw recordings must at least be."""

    smallest_overlap_hours: float = Field(gt=0)
    slowest_rate_hz: float = Field(gt=0)


class SynchronizationRules(Section):
    """How two sensors' clocks are compared."""

    window_seconds: int = Field(gt=0)
    stretch_hours: float = Field(gt=0)
    windows_per_stretch: int = Field(ge=1)
    smallest_activity_g: float = Field(gt=0)
    coarse_search_hours: float = Field(ge=0)
    search_seconds: float = Field(gt=0)
    smallest_correlation: float = Field(gt=0, lt=1)
    agreement_seconds: float = Field(gt=0)
    largest_drift_seconds_per_day: float = Field(gt=0)
    drift_sd_seconds_per_day: float = Field(gt=0)
    fewest_windows: int = Field(ge=2)
    smallest_agreeing_share: float = Field(gt=0, le=1)
    windows_to_disagree: int = Field(ge=2)
    largest_error_seconds: float = Field(gt=0)


class CalibrationRules(Section):
    """When a sensor's gravity can be put right."""

    still_sd_g: float = Field(gt=0)
    sphere_g: float = Field(gt=0, lt=1)
    largest_error_g: float = Field(gt=0)
    cell_g: float = Field(gt=0)
    fewest_cells: int = Field(ge=6)
    largest_offset_g: float = Field(gt=0)
    largest_gain_error: float = Field(gt=0, lt=1)


class WearRules(Section):
    """When a sensor counts as taken off."""

    still_sd_g: float = Field(gt=0)
    still_minutes: float = Field(gt=0)
    still_minutes_if_cooled: float = Field(gt=0)
    still_minutes_if_warm: float = Field(gt=0)
    longest_bump_seconds: float = Field(ge=0)
    cooling_celsius: float = Field(gt=0)
    coldest_skin_celsius: float
    islands: tuple[tuple[float, float], ...]

    @model_validator(mode="after")
    def _ordered(self) -> WearRules:
        if not self.still_minutes_if_cooled <= self.still_minutes <= self.still_minutes_if_warm:
            raise ValueError("still_minutes must lie between still_minutes_if_cooled and still_minutes_if_warm")
        return self


class ExposureScale(Section):
    """How an exposure is named, printed and cut."""

    name: str
    unit: str
    published_lower_bounds: tuple[float, float, float]
    printed_decimals: int = Field(ge=0)
    trend_unit: float = Field(gt=0)

    @model_validator(mode="after")
    def _increasing(self) -> ExposureScale:
        if list(self.published_lower_bounds) != sorted(set(self.published_lower_bounds)):
            raise ValueError("published_lower_bounds must increase")
        return self


class Exposures(Section):
    """Walking volume and intensity."""

    met_slow: float = Field(gt=0)
    met_moderate: float = Field(gt=0)
    met_brisk: float = Field(gt=0)
    minimum_valid_days: int = Field(ge=1)
    categories: Literal["sample_quartiles", "fixed_published"]
    walking_minutes: ExposureScale
    walking_met: ExposureScale

    def scale(self, exposure: Exposure) -> ExposureScale:
        return self.walking_minutes if exposure == "walking_minutes" else self.walking_met


class Covariates(Section):
    """How covariates are coded."""

    depression_cut: int = Field(ge=1, le=21)
    older_from_age: int = Field(gt=0)


class Exclusions(Section):
    """Who is left out, in order."""

    order: tuple[Exclusion, ...]
    complete_case: tuple[Covariate, ...]

    @model_validator(mode="after")
    def _each_once(self) -> Exclusions:
        if len(set(self.order)) != len(self.order):
            raise ValueError("an exclusion stands twice in order")
        return self


class Models(Section):
    """What is fitted, and when an estimate is refused."""

    age: tuple[Covariate, ...]
    adjusted: tuple[Covariate, ...]
    variance: Literal["hc0", "stata"]
    confidence: float = Field(gt=0, lt=1)
    minimum_events: int = Field(ge=1)
    largest_condition_number: float = Field(gt=1)
    largest_coefficient: float = Field(gt=0)


class SplineScale(Section):
    """The curve of one exposure."""

    grid_step: float = Field(gt=0)
    fixed_knots: tuple[float, ...] = Field(min_length=3)
    fixed_reference: float

    @model_validator(mode="after")
    def _increasing(self) -> SplineScale:
        if list(self.fixed_knots) != sorted(set(self.fixed_knots)):
            raise ValueError("fixed_knots must increase")
        return self


class Spline(Section):
    """How a dose-response curve is drawn."""

    knots: Literal[3, 4, 5, 6]
    knots_from: Literal["sample", "fixed"]
    percentile_rule: Literal["stata", "type_7"]
    reference_percentile: float = Field(gt=0, lt=1)
    shown_percentiles: tuple[float, float]
    walking_minutes: SplineScale
    walking_met: SplineScale

    @model_validator(mode="after")
    def _reference_is_shown(self) -> Spline:
        low, high = self.shown_percentiles
        if not 0 < low < self.reference_percentile < high < 1:
            raise ValueError("shown_percentiles must lie within 0 and 1 and hold the reference_percentile")
        return self

    def scale(self, exposure: Exposure) -> SplineScale:
        return self.walking_minutes if exposure == "walking_minutes" else self.walking_met


class HistogramScale(Section):
    """The bins of one exposure; the first and the last are open."""

    lowest: float
    highest: float
    width: float = Field(gt=0)


class Histogram(Section):
    """How many people stand behind a dose-response curve, by bins of the exposure."""

    walking_minutes: HistogramScale
    walking_met: HistogramScale

    def scale(self, exposure: Exposure) -> HistogramScale:
        """The bins of an exposure."""
        return self.walking_minutes if exposure == "walking_minutes" else self.walking_met


class AdditiveInteractionRules(Section):
    """How two exposures are coded to ask whether they add up."""

    low_categories: int = Field(ge=1, le=3)
    uninformative_ratio: float = Field(gt=1)


class Sensitivity(Section):
    """Who is in the restricted samples."""

    smallest_valid_days: int = Field(ge=1)
    little_pain: tuple[str, ...]
    good_health: tuple[str, ...]


class TimeUse(Section):
    """How the 24 hours are spent."""

    reallocated_minutes: tuple[Annotated[float, Field(gt=0, le=1440)], ...]


class Characteristics(Section):
    """How Table 1 groups its rows."""

    education_groups: dict[str, tuple[str, ...]]

    @model_validator(mode="after")
    def _each_level_once(self) -> Characteristics:
        levels = [level for group in self.education_groups.values() for level in group]
        if len(set(levels)) != len(levels):
            raise ValueError("an education level stands in two groups")
        return self


class Projection(Section):
    """What the next wave is expected to add."""

    answer_share: float = Field(gt=0, le=1)
    power: float = Field(gt=0, lt=1)
    most_waves: int = Field(ge=1)


class AttritionWeights(Section):
    """How those who answered are weighted to stand for everyone eligible."""

    squared: tuple[Literal["age", "walking_minutes", "walking_met"], ...]
    truncations: tuple[tuple[float, float], ...]

    @model_validator(mode="after")
    def _quantiles(self) -> AttritionWeights:
        if not all(0 <= low < high <= 1 for low, high in self.truncations):
            raise ValueError("truncations must be pairs in order within 0 and 1")
        return self


class Imputation(Section):
    """How missing covariates are imputed."""

    imputations: int = Field(ge=2)
    iterations: int = Field(ge=1)
    prior_sd: float = Field(gt=0)
    seed: int = Field(ge=0)


class RegressionDilution(Section):
    """How day-to-day variation is allowed for."""

    bootstrap_draws: int = Field(ge=2)
    fewest_people: int = Field(ge=2)
    seed: int = Field(ge=0)


class ErrorPrior(Section):
    """What is believed of a sensitivity or specificity."""

    shape: Literal["trapezoidal", "beta"]
    values: tuple[float, ...]

    @model_validator(mode="after")
    def _in_range(self) -> ErrorPrior:
        if self.shape == "beta":
            if len(self.values) != 2 or min(self.values) <= 0:
                raise ValueError("a beta prior has two positive parameters")
        elif (
            len(self.values) != 4
            or list(self.values) != sorted(self.values)
            or min(self.values) < 0
            or max(self.values) > 1
        ):
            raise ValueError("a trapezoidal prior has four values in order within 0 and 1")
        return self


class Misclassification(Section):
    """How wrongly the outcome may be reported: assumptions, not measurements."""

    sensitivity: float = Field(gt=0, le=1)
    specificity: float = Field(gt=0, le=1)
    sensitivity_prior: ErrorPrior
    specificity_prior: ErrorPrior
    draws: int = Field(ge=100)
    largest_impossible_share: float = Field(ge=0, lt=1)
    seed: int = Field(ge=0)


class NegativeControl(Section):
    """A column that walking cannot affect (outcome), or that cannot affect low back pain (exposure)."""

    column: str
    role: Literal["outcome", "exposure"]


class NegativeControls(Section):
    """Which associations are known to be absent."""

    fewest: int = Field(ge=2)
    controls: tuple[NegativeControl, ...]

    @model_validator(mode="after")
    def _each_once(self) -> NegativeControls:
        columns = [control.column for control in self.controls]
        if len(set(columns)) != len(columns):
            raise ValueError("a column stands twice in controls")
        return self


class Limits(Section):
    """When a diagnostic warns and when it fails: below these, or above them where ``fail`` is the larger."""

    warning: float
    fail: float

    def verdict(self, value: float) -> Literal["pass", "warning", "fail"]:
        """The verdict on a value; what could not be made passes nothing and fails nothing: it warns."""
        sign = 1 if self.fail > self.warning else -1
        if sign * value > sign * self.fail:
            return "fail"
        return "pass" if sign * value <= sign * self.warning else "warning"

    def words(self) -> str:
        """The thresholds in words."""
        side = "above" if self.fail > self.warning else "below"
        return f"warns {side} {self.warning:g}, fails {side} {self.fail:g}"


class Diagnostics(Section):
    """What the estimates must rest on."""

    power: float = Field(gt=0, lt=1)
    balance: Limits
    positivity: Limits
    effective_sample_size: Limits
    minimum_detectable_rr: Limits
    events_per_coefficient: Limits
    share_above_one: Limits


class Bridge(Section):
    """When a change between releases is pointed out."""

    flagged_standard_errors: float = Field(gt=0)


class Disclosure(Section):
    """What may leave."""

    smallest_count: int = Field(ge=1)


Rounding = Literal["none", "nearest", "midpoint"]


class Release(Section):
    """How a release leaves."""

    protection_width: int = Field(ge=1)
    rounding: Rounding
    rounding_base: int = Field(ge=2)
    kept_counts_share: float = Field(ge=0, le=0.1)
    signatures: int = Field(ge=0, le=2)

    @property
    def base(self) -> int:
        """What counts are told as multiples of: 1 when they are not rounded."""
        return 1 if self.rounding == "none" else self.rounding_base

    @property
    def keeps_counts(self) -> bool:
        """Whether a wave may keep the counts that the release before told; rounded ones are told anew."""
        return self.kept_counts_share > 0 and self.rounding == "none"


class Checks(Section):
    """Thresholds of the data checks."""

    largest_quarantined_share: float = Field(ge=0, le=1)
    smallest_share_in_cohort: float = Field(ge=0, le=1)
    plausible_risk: tuple[float, float]
    plausible_age: tuple[float, float]


class Drift(Section):
    """How much a wave may differ from the earlier waves together before it is pointed out."""

    answers_ratio: tuple[float, float]
    response: float = Field(gt=0, le=1)
    prevalence: float = Field(gt=0, le=1)
    screen_missing: float = Field(gt=0, le=1)
    women: float = Field(gt=0, le=1)
    mean_age: float = Field(gt=0)
    distance: float = Field(gt=0, le=1)


class Freshness(Section):
    """After how many days without a new delivery of a kind it is overdue; 0: it comes when it comes."""

    baseline: int = Field(ge=0)
    recordings: int = Field(ge=0)
    followup: int = Field(ge=0)
    withdrawals: int = Field(ge=0)

    def days(self, delivery: str) -> int:
        """The longest time between two deliveries of a kind."""
        return int(getattr(self, delivery))


class Protocol(Section):
    """The whole protocol. Values are addressed by dotted names, for example ``exposures.met_slow``."""

    study: Study
    days: Days
    epochs: Epochs
    walking_speed: WalkingSpeed
    raw_recordings: RawRecordings
    synchronization: SynchronizationRules
    calibration: CalibrationRules
    wear: WearRules
    exposures: Exposures
    covariates: Covariates
    exclusions: Exclusions
    models: Models
    spline: Spline
    histogram: Histogram
    additive_interaction: AdditiveInteractionRules
    sensitivity: Sensitivity
    time_use: TimeUse
    characteristics: Characteristics
    projection: Projection
    attrition_weights: AttritionWeights
    imputation: Imputation
    regression_dilution: RegressionDilution
    misclassification: Misclassification
    negative_controls: NegativeControls
    diagnostics: Diagnostics
    bridge: Bridge
    disclosure: Disclosure
    release: Release
    checks: Checks
    drift: Drift
    freshness: Freshness

    def value(self, name: str) -> Any:
        """The value, list or section behind a dotted name, as plain Python.

        Raises:
            KeyError: no such name.
        """
        found: Any = self.model_dump(mode="json")
        for part in name.split("."):
            if not isinstance(found, Mapping) or part not in found:
                raise KeyError(f"the protocol has no value '{name}'")
            found = found[part]
        return found


def read_protocol(file: Path) -> Protocol:
    """Read and validate a protocol file.

    Raises:
        ProtocolError: the file is not TOML, or a key is unknown, missing or out of range.
    """
    return read_settings(file, Protocol, ProtocolError)


@cache
def protocol() -> Protocol:
    """The protocol in force: ``stegvis/study/protocol.toml``."""
    return read_protocol(PROTOCOL_FILE)
