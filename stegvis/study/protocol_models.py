"""Sections of the protocol on the analyses: exposures, covariates, exclusions, models, bias analyses, diagnostics."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import Field, model_validator

from stegvis.study.settings import Section

Exposure = Literal["walking_minutes", "walking_met"]
# All that a study can have; those of a study are ``protocol.exposures.names``.
EXPOSURES: tuple[Exposure, ...] = ("walking_minutes", "walking_met")
BOTH = "both"
MET_KEYS = ("met_slow", "met_moderate", "met_brisk")
FEWEST_CATEGORIES, MOST_CATEGORIES = 2, 6
Exclusion = Literal[
    "no_accelerometer_day",
    "no_valid_walking_day",
    "baseline_screen_missing",
    "baseline_low_back_pain",
    "followup_screen_missing",
    "covariate_missing",
]


class ExposureScale(Section):
    """How an exposure is named, printed and categorized.

    Attributes:
        groups: the number of categories, 2 to 6; needed only without ``published_lower_bounds``.
        published_lower_bounds: of each category but the lowest; needed for fixed cuts.
    """

    name: str
    unit: str
    groups: int | None = Field(default=None, ge=FEWEST_CATEGORIES, le=MOST_CATEGORIES)
    published_lower_bounds: tuple[float, ...] = Field(default=(), max_length=MOST_CATEGORIES - 1)
    printed_decimals: int = Field(ge=0)
    trend_unit: float = Field(gt=0)

    @model_validator(mode="after")
    def _consistent(self) -> ExposureScale:
        bounds = self.published_lower_bounds
        if list(bounds) != sorted(set(bounds)):
            raise ValueError("published_lower_bounds must increase")
        if not bounds and self.groups is None:
            raise ValueError(
                "groups (2 to 6) or published_lower_bounds (1 to 5) must say how many categories there are"
            )
        if bounds and self.groups not in (None, len(bounds) + 1):
            raise ValueError(f"groups is {self.groups}, but published_lower_bounds make {len(bounds) + 1} categories")
        return self

    @property
    def categories(self) -> tuple[int, ...]:
        """The numbers of the categories, 1 (the reference) and up."""
        return tuple(range(1, (self.groups or len(self.published_lower_bounds) + 1) + 1))


class Exposures(Section):
    """Walking volume, and walking intensity where the study has it.

    Attributes:
        met_slow: METs of slow walking; this and the next two belong to walking intensity.
        categories: the rule for the cuts; ``sample_quartiles`` is the name of ``sample_quantiles`` where all exposures
            have four categories.
        walking_met: None in a study of volume alone.
    """

    met_slow: float | None = Field(default=None, gt=0)
    met_moderate: float | None = Field(default=None, gt=0)
    met_brisk: float | None = Field(default=None, gt=0)
    minimum_valid_days: int = Field(ge=1)
    categories: Literal["sample_quantiles", "sample_quartiles", "fixed_published"]
    walking_minutes: ExposureScale
    walking_met: ExposureScale | None = None

    @property
    def names(self) -> tuple[Exposure, ...]:
        """The exposures that the study has, volume first."""
        return EXPOSURES if self.walking_met is not None else EXPOSURES[:1]

    @property
    def of_all(self) -> str:
        """The exposure of results that are about all exposures."""
        return self.names[0] if len(self.names) == 1 else BOTH

    @property
    def fixed(self) -> bool:
        """Whether the categories have fixed cuts; otherwise they are quantiles of the sample."""
        return self.categories == "fixed_published"

    @property
    def mets(self) -> tuple[float, float, float] | None:
        """METs of slow, moderate and brisk walking; None in a study of volume alone."""
        slow, moderate, brisk = self.met_slow, self.met_moderate, self.met_brisk
        return None if slow is None or moderate is None or brisk is None else (slow, moderate, brisk)

    def needed_mets(self) -> tuple[float, float, float]:
        """METs of slow, moderate and brisk walking.

        Raises:
            KeyError: the study has volume alone.
        """
        if self.mets is None:
            raise KeyError("a study of volume alone has no METs of walking")
        return self.mets

    def scale(self, exposure: Exposure) -> ExposureScale:
        """The scale of an exposure.

        Raises:
            KeyError: the study does not have it.
        """
        return _declared(self.walking_minutes if exposure == "walking_minutes" else self.walking_met, exposure)

    def other_rule(self) -> Exposures:
        """The same exposures with the other rule for their cuts."""
        if self.fixed:
            quarters = all(len(self.scale(name).categories) == 4 for name in self.names)
            return self.model_copy(update={"categories": "sample_quartiles" if quarters else "sample_quantiles"})
        return self.model_copy(update={"categories": "fixed_published"})


Scale = TypeVar("Scale", bound=Section)


def _declared(scale: Scale | None, exposure: Exposure) -> Scale:
    if scale is None:
        raise KeyError(f"the study has no exposure {exposure}")
    return scale


class Covariates(Section):
    """How covariates are coded.

    Attributes:
        cuts: of the codebook's columns derived by ``at_least``, by name: yes from here on.
        older_from_age: the two age groups, years.
        additional: names in print (``en`` and ``nb``) of the covariates that the codebook adds; never in the file
            (``stegvis/study/agreement.py``).
    """

    cuts: dict[str, float] = Field(default_factory=dict)
    older_from_age: int = Field(gt=0)
    additional: dict[str, dict[str, str]] = Field(default_factory=dict)


class Exclusions(Section):
    """The order of the exclusions."""

    order: tuple[Exclusion, ...]
    complete_case: tuple[str, ...]

    @model_validator(mode="after")
    def _each_once(self) -> Exclusions:
        if len(set(self.order)) != len(self.order):
            raise ValueError("order lists an exclusion twice")
        return self


class Models(Section):
    """The covariates of the two models, and when an estimate is not reported."""

    age: tuple[str, ...]
    adjusted: tuple[str, ...]
    variance: Literal["hc0", "stata"]
    confidence: float = Field(gt=0, lt=1)
    minimum_events: int = Field(ge=1)
    minimum_residual_df: int = Field(ge=10)
    minimum_events_per_coefficient: float = Field(ge=1)
    largest_confidence_limit_ratio: float = Field(gt=1)
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
    """The dose-response curves."""

    knots: Literal[3, 4, 5, 6]
    knots_from: Literal["sample", "fixed"]
    percentile_rule: Literal["stata", "type_7"]
    reference_percentile: float = Field(gt=0, lt=1)
    shown_percentiles: tuple[float, float]
    walking_minutes: SplineScale
    walking_met: SplineScale | None = None

    @model_validator(mode="after")
    def _reference_is_shown(self) -> Spline:
        low, high = self.shown_percentiles
        if not 0 < low < self.reference_percentile < high < 1:
            raise ValueError("shown_percentiles must be within 0 and 1, with the reference_percentile between them")
        return self

    def scale(self, exposure: Exposure) -> SplineScale:
        """The curve of an exposure."""
        return _declared(self.walking_minutes if exposure == "walking_minutes" else self.walking_met, exposure)


class HistogramScale(Section):
    """The bins of one exposure; the first and the last are open."""

    lowest: float
    highest: float
    width: float = Field(gt=0)


class Histogram(Section):
    """The histogram of an exposure that goes with its dose-response curve."""

    walking_minutes: HistogramScale
    walking_met: HistogramScale | None = None

    def scale(self, exposure: Exposure) -> HistogramScale:
        """The bins of an exposure."""
        return _declared(self.walking_minutes if exposure == "walking_minutes" else self.walking_met, exposure)


class AdditiveInteractionRules(Section):
    """How two exposures are coded for interaction on the additive scale."""

    low_categories: int = Field(ge=1, le=MOST_CATEGORIES - 1)
    uninformative_ratio: float = Field(gt=1)


class TimeUse(Section):
    """Time-use models: isotemporal substitution and composition of the 24-hour day."""

    reallocated_minutes: tuple[Annotated[float, Field(gt=0, le=1440)], ...]


class Characteristics(Section):
    """The rows of Table 1 beside the covariates, and how levels are grouped in print.

    Attributes:
        further: columns of a participant that are shown after the covariates; they may be missing for some.
        groups: of a column, by printed level, the levels of the codebook.
    """

    further: tuple[str, ...] = ()
    groups: dict[str, dict[str, tuple[str, ...]]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _each_level_once(self) -> Characteristics:
        for column, groups in self.groups.items():
            levels = [level for group in groups.values() for level in group]
            if len(set(levels)) != len(levels):
                raise ValueError(f"a level of {column} is in two groups")
        return self


class Projection(Section):
    """What the next wave is expected to add."""

    answer_share: float = Field(gt=0, le=1)
    power: float = Field(gt=0, lt=1)
    most_waves: int = Field(ge=1)


class AttritionWeights(Section):
    """Inverse-probability weights that make respondents represent all eligible participants."""

    squared: tuple[str, ...]
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
    """Correction for day-to-day variation of walking."""

    bootstrap_draws: int = Field(ge=2)
    fewest_people: int = Field(ge=2)
    seed: int = Field(ge=0)


class ErrorPrior(Section):
    """Prior distribution of a sensitivity or specificity."""

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
    """Assumed sensitivity and specificity of the reported outcome; they are not measured."""

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
    """Associations known to be absent, for empirical calibration."""

    fewest: int = Field(ge=2)
    controls: tuple[NegativeControl, ...]

    @model_validator(mode="after")
    def _each_once(self) -> NegativeControls:
        columns = [control.column for control in self.controls]
        if len(set(columns)) != len(columns):
            raise ValueError("controls lists a column twice")
        return self


class Limits(Section):
    """Thresholds of a diagnostic: it warns and fails below them, or above them where ``fail`` is the larger."""

    warning: float
    fail: float

    def assess(self, value: float) -> Literal["pass", "warning", "fail"]:
        """Whether a value passes; a value that could not be calculated (nan) is a warning."""
        sign = 1 if self.fail > self.warning else -1
        if sign * value > sign * self.fail:
            return "fail"
        return "pass" if sign * value <= sign * self.warning else "warning"

    def words(self) -> str:
        """The thresholds in words."""
        side = "above" if self.fail > self.warning else "below"
        return f"warns {side} {self.warning:g}, fails {side} {self.fail:g}"


class Diagnostics(Section):
    """Thresholds of the study diagnostics."""

    power: float = Field(gt=0, lt=1)
    balance: Limits
    positivity: Limits
    effective_sample_size: Limits
    minimum_detectable_rr: Limits
    events_per_coefficient: Limits
    share_above_one: Limits
    exposure_balance: Limits = Limits(warning=0.10, fail=0.25)
    exposure_overlap: Limits = Limits(warning=0.50, fail=0.20)
    exposure_positivity: Limits = Limits(warning=0.01, fail=0.0001)
    exposure_effective_sample_size: Limits = Limits(warning=0.50, fail=0.20)
    overlap_weighted_balance: Limits = Limits(warning=0.10, fail=0.25)
