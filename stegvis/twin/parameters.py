"""The twin's parameters, read from ``parameters.toml`` into typed, validated objects.

The study's own numbers are in ``studies/hunt4_walking/protocol.toml``.
"""

from __future__ import annotations

import hashlib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from stegvis.data_files import data_file
from stegvis.study.settings import Section, SettingsError, read_settings
from stegvis.twin.registry_parameters import Registry

PARAMETERS_FILE = data_file("twin/parameters.toml")
# The seed for which the SOLVED parameters were found, and whose twin reproduces the published numbers.
DEFAULT_SEED = 1

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
FileFormat = Literal["csv", "parquet", "sav", "dta"]


class ParametersError(SettingsError):
    """The parameter file is invalid; the message names the key."""


class Effects(Section):
    """Effects of a person's background on a latent score or a log odds; an effect that is not named is zero."""

    age: float = 0.0
    age_squared: float = 0.0
    male: float = 0.0
    position: float = 0.0
    health: float = 0.0


class Levels(Effects):
    """An ordered trait: the share of each level, lowest first."""

    shares: tuple[Share, ...]

    @model_validator(mode="after")
    def _one_in_all(self) -> Levels:
        _sum_to_one(self.shares)
        return self


class Event(Effects):
    """A yes/no trait: its share in a reference group."""

    share: Share


class PainLevels(Levels):
    """Levels of pain in the last four weeks."""

    back_pain: float


class Score(Effects):
    """A count score along a latent normal: negative binomial."""

    mean: Positive
    shape: Positive


class BodyMass(Effects):
    """Body mass index, lognormal."""

    mean: Positive
    log_sd: Positive


class Batches(Section):
    """The deliveries of day totals."""

    names: tuple[str, ...]
    formats: tuple[FileFormat, ...]
    redelivered_share: Share

    @model_validator(mode="after")
    def _in_order(self) -> Batches:
        if list(self.names) != sorted(set(self.names)) or len(self.names) != len(self.formats):
            raise ValueError("batch names must increase, one format for each")
        return self


class Cohort(Section):
    """Sizes, dates and batches."""

    people: int = Field(gt=0)
    with_recording: int = Field(gt=0)
    analyzed: int = Field(gt=0)
    analyzed_women: int = Field(gt=0)
    events: int = Field(gt=0)
    withdrawn_share: Share
    smallest_balanced: int = Field(gt=0)
    first_day: date
    last_day: date
    batches: Batches


class PainAnswers(Section):
    """Contradictions in the pain questions."""

    ticked_but_screen_no: Share


class Missing(Section):
    """Shares of missing sheets and items."""

    questionnaire_1: Share
    interview: Share
    clinic_bmi: Share
    education: Share
    income: Share
    smoking: Share
    employment: Share
    depression: Share
    pain_screen: Share
    self_rated_health: Share
    pain_last_4_weeks: Share
    disease: Share
    exercise: Share
    work_type: Share


class People(Section):
    """The baseline population."""

    women: Share
    age_bands: tuple[float, ...]
    age_shares: tuple[Share, ...]
    seen_at_home_from_age: float
    seen_at_home: Share
    health_by_age: float
    health_by_position: float
    education: Levels
    income: Levels
    smoking: Levels
    self_rated_health: Levels
    pain_last_4_weeks: PainLevels
    exercise: Levels
    work_type: Levels
    depression: Score
    bmi: BodyMass
    employed: Event
    diabetes: Event
    cancer: Event
    angina: Event
    infarction: Event
    heart_failure: Event
    atrial_fibrillation: Event
    stroke: Event
    back_pain: Event
    other_pain: Event
    pain_answers: PainAnswers
    missing: Missing
    recorded: Effects
    questionnaire_2: Event

    @model_validator(mode="after")
    def _bands(self) -> People:
        _sum_to_one(self.age_shares)
        if len(self.age_bands) != len(self.age_shares) + 1 or list(self.age_bands) != sorted(set(self.age_bands)):
            raise ValueError("age_bands must increase and have one edge more than age_shares")
        return self


class Volume(Effects):
    """True walking minutes a day: normal after a power transformation; ``sd`` is the spread at the median."""

    median: Positive
    sd: Positive
    power: Positive
    smallest: Positive


class Intensity(Effects):
    """True walking intensity, as the square root of MET above slow walking."""

    mean: Positive
    sd: Positive
    correlation_with_volume: float = Field(gt=-1, lt=1)


class RecordedDays(Section):
    """Days of a recording, and how they vary."""

    recorded: tuple[Share, ...]
    detached_from_start: Share
    detached_later: Share
    component_missing: Share
    log_sd: Positive
    intensity_sd: Positive
    largest_minutes: float = Field(gt=0, lt=1440)
    weekday: tuple[Positive, ...] = Field(min_length=7, max_length=7)

    @model_validator(mode="after")
    def _one_in_all(self) -> RecordedDays:
        _sum_to_one(self.recorded)
        return self


class RestOfDay(Section):
    """Lying and standing against sitting, log ratios."""

    lying: float
    standing: float
    lying_by_age: float
    standing_by_age: float
    standing_male: float
    person_sd: Positive
    day_sd: Positive


class Sport(Section):
    """Cycling or running: who, how often, how long."""

    people: Share
    days: Share
    minutes: Positive
    age: float


class Walking(Section):
    """Walking and the other activities of a day."""

    volume: Volume
    intensity: Intensity
    days: RecordedDays
    rest: RestOfDay
    cycling: Sport
    running: Sport


class Bend(Section):
    """A log risk with one slope below a bend and another above it."""

    bend: float
    width: Positive
    below: float
    above: float


class Fall(Section):
    """A log risk that falls by ``fall`` around ``middle`` along a logistic curve; by more in older people."""

    fall: Positive
    older_more: float
    middle: Positive
    width: Positive


class FadingBend(Bend):
    """A bend of intensity; above a walking volume (min/day) the risk approaches that at one intensity (MET)."""

    fades_to: Positive
    fades_at: Positive
    fades_width: Positive


class OutcomeCovariates(Section):
    """Log risk ratios of the covariates."""

    age: float
    male: float
    education: float
    smoking_former: float
    smoking_current: float
    depression: float
    employment_none: float
    income: float


class Outcome(Section):
    """Chronic low back pain at follow-up."""

    by_wave: float
    correlation: Share
    largest_risk: Share
    back_pain_at_baseline: float
    other_pain_at_baseline: float
    volume: Fall
    intensity: FadingBend
    covariates: OutcomeCovariates


class Answering(Effects):
    """Who responds to a follow-up questionnaire, log odds."""

    smoking_current: float
    depression: float


class Followup(Section):
    """The follow-up questionnaires."""

    first_year: int
    years_per_wave: int = Field(ge=1)
    formats: tuple[FileFormat, ...]
    largest_share: Share
    by_wave: float
    correlation: Share
    late_share: Share
    late_days: int = Field(ge=1)
    corrected_share: Share
    screen_missing: Share
    limited_missing: Share
    ticked_but_screen_no: Share
    other_pain_new: Share
    other_pain_kept: Share
    limited_with_back_pain: Share
    limited_with_other_pain: Share
    date_alpha: Positive
    date_beta: Positive
    answering: Answering


class BoutMinutes(Section):
    """Mean bout lengths, minutes."""

    lying: Positive
    sitting: Positive
    standing: Positive
    slow: Positive
    moderate: Positive
    brisk: Positive
    running: Positive
    cycling: Positive


class WearGap(Section):
    """A sensor that is off for a while."""

    days: Share
    minutes: int = Field(ge=0)


class EpochDays(Section):
    """Days of 5-second epochs."""

    lying_before_morning: Share
    lying_after_evening: Share
    partial_recordings: Share
    partial_minutes: int = Field(ge=0)
    wear_gaps: tuple[WearGap, ...]
    bout_log_sd: Positive
    bout_minutes: BoutMinutes


class Signals(Section):
    """The scripted hour of a 50 Hz signal; how it moves is in ``gait.toml``."""

    script: tuple[tuple[Literal["lying", "sitting", "standing", "walking"], Positive, float], ...]
    speed_sd: float


class Parameters(Section):
    """All parameters of the twin."""

    cohort: Cohort
    people: People
    walking: Walking
    outcome: Outcome
    followup: Followup
    registry: Registry
    epochs: EpochDays
    signals: Signals

    @property
    def digest(self) -> str:
        """SHA-256 of the parameters' values, whatever the file's comments and order."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def read_parameters(file: Path) -> Parameters:
    """Read and validate a parameter file.

    Raises:
        ParametersError: the file is not TOML, or a key is unknown, missing or out of range.
    """
    return read_settings(file, Parameters, ParametersError)


@cache
def parameters() -> Parameters:
    """The parameters of ``stegvis/twin/parameters.toml``."""
    return read_parameters(PARAMETERS_FILE)


def _sum_to_one(shares: tuple[float, ...]) -> None:
    if abs(sum(shares) - 1.0) > 1e-9:
        raise ValueError(f"shares must sum to 1, not {sum(shares):.6f}")
