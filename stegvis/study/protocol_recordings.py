"""Sections of the protocol on recordings: days, epochs, walking speed, synchronization, calibration and wear."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from stegvis.study.settings import Section

Activity = Literal["lying", "sitting", "standing", "walking", "running", "cycling"]


class Days(Section):
    """Which days are valid."""

    must_be_positive: tuple[Activity, ...]
    seconds_per_day: int = Field(gt=0)
    speed_sum_tolerance_seconds: float = Field(ge=0)
    days_per_recording: int = Field(gt=0)
    rule: Literal["as_published", "whole_day", "worn"]
    smallest_wear_hours: float = Field(gt=0, le=24)


class Epochs(Section):
    """Epochs, and the signals that they are classified from."""

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
    """How walking speed is estimated from cadence and the size of movements."""

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
    """Minimum requirements of a pair of raw recordings."""

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
    """When a sensor's gain and offset can be corrected from gravity."""

    still_sd_g: float = Field(gt=0)
    sphere_g: float = Field(gt=0, lt=1)
    largest_error_g: float = Field(gt=0)
    cell_g: float = Field(gt=0)
    fewest_cells: int = Field(ge=6)
    largest_offset_g: float = Field(gt=0)
    largest_gain_error: float = Field(gt=0, lt=1)


class WearRules(Section):
    """When a sensor counts as not worn."""

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
            raise ValueError("still_minutes must be between still_minutes_if_cooled and still_minutes_if_warm")
        return self
