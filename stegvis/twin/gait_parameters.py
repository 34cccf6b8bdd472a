"""Parameters of the twin's movements and sensors, read from ``gait.toml`` into typed, validated objects."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from stegvis.data_files import data_file
from stegvis.study.settings import Section, SettingsError, read_settings

GAIT_FILE = data_file("twin/gait.toml")

Axis = Literal["back_x", "back_y", "back_z", "thigh_x", "thigh_y", "thigh_z"]
AXES: tuple[Axis, ...] = get_args(Axis)
Vector = tuple[float, float, float]


class GaitParametersError(SettingsError):
    """The parameter file is invalid; the message names the key."""


class Cyclic(Section):
    """A periodic movement: per axis, amplitude (g) and phase (radians) of each harmonic of the stride."""

    amplitude: dict[Axis, tuple[float, ...]]
    phase: dict[Axis, tuple[float, ...]]
    amplitude_sd: float = Field(ge=0)
    phase_sd: float = Field(ge=0)
    stride_amplitude_sd: float = Field(ge=0)
    stride_time_cv: float = Field(ge=0, lt=0.3)

    @model_validator(mode="after")
    def _all_axes(self) -> Cyclic:
        lengths = {len(table[axis]) for table in (self.amplitude, self.phase) for axis in AXES if axis in table}
        if set(self.amplitude) != set(AXES) or set(self.phase) != set(AXES) or len(lengths) != 1:
            raise ValueError("every axis needs as many amplitudes as phases")
        return self

    def harmonics(self) -> NDArray[np.complex128]:
        """(6, harmonics), axes as in ``AXES``: amplitude and phase as one complex number."""
        amplitude = np.array([self.amplitude[axis] for axis in AXES])
        return np.asarray(amplitude * np.exp(1j * np.array([self.phase[axis] for axis in AXES])))


class Walking(Cyclic):
    """Gait, by speed."""

    cadence_at_1_m_per_s: float = Field(gt=0)
    cadence_exponent: float = Field(gt=0)
    cadence_sd: float = Field(ge=0)
    speed_drift_sd: float = Field(ge=0)
    reference_speed: float = Field(gt=0)
    swing_exponent: float
    impact_exponent_back: float
    impact_exponent_thigh: float
    ringing_back: float = Field(ge=0)
    ringing_thigh: float = Field(ge=0)
    trunk_lean: float
    trunk_lean_sd: float = Field(ge=0)
    thigh_tilt: float
    thigh_tilt_sd: float = Field(ge=0)


class Running(Cyclic):
    """Running."""

    steps_at_rest: float = Field(gt=0)
    steps_per_speed: float
    speed: float = Field(gt=0)
    speed_sd: float = Field(ge=0)
    ringing_back: float = Field(ge=0)
    ringing_thigh: float = Field(ge=0)


class Cycling(Cyclic):
    """Pedaling."""

    revolutions_per_minute: float = Field(gt=0)
    revolutions_sd: float = Field(ge=0)
    road_back: float = Field(ge=0)
    road_thigh: float = Field(ge=0)


class Posture(Section):
    """Direction of gravity, and how much it varies."""

    back: Vector
    thigh: Vector
    back_sd: Vector
    thigh_sd: Vector
    between: float = Field(ge=0, le=1)
    straightens: float = Field(ge=0, le=1)
    sway_sd: float = Field(ge=0)
    fidgets_per_hour: float = Field(ge=0)
    fidget_g: float = Field(ge=0)


class Postures(Section):
    """The postures; walking and running are upright like standing."""

    lying: Posture
    sitting: Posture
    standing: Posture
    cycling: Posture


class Movements(Section):
    """Movements between and within postures."""

    transition_seconds: float = Field(gt=0)
    sway_seconds: float = Field(gt=0)
    fidget_seconds: float = Field(gt=0)
    fidget_hz: tuple[float, float]
    lying_supine: float = Field(ge=0, le=1)
    lying_side: float = Field(ge=0, le=1)
    lying_prone: float = Field(ge=0, le=1)
    lying_turn_minutes: float = Field(gt=0)
    border_jitter: float = Field(ge=0, lt=0.5)


class Sensors(Section):
    """The devices."""

    noise_back: float = Field(ge=0)
    noise_thigh: float = Field(ge=0)
    offset_sd: float = Field(ge=0)
    gain_sd: float = Field(ge=0)
    largest_rate_error: float = Field(ge=0, lt=0.05)
    clock_drift_sd: float = Field(ge=0)
    largest_start_offset: float = Field(ge=0)
    skin_temperature: float
    room_temperature: float
    warming_minutes: float = Field(gt=0)
    temperature_sd: float = Field(ge=0)


Quantiles = tuple[float, float, float, float, float]


class Degrees(Section):
    """Angles of attached sensors, by their quantiles at ``levels``."""

    levels: Quantiles
    back_sagittal: Quantiles
    back_sideways: Quantiles
    back_roll: Quantiles
    thigh_sagittal: Quantiles
    thigh_sideways: Quantiles
    thigh_roll: Quantiles

    @model_validator(mode="after")
    def _increasing(self) -> Degrees:
        for name, values in self:
            if list(values) != sorted(values):
                raise ValueError(f"the quantiles of {name} decrease")
        if (self.levels[0], self.levels[-1]) != (0, 1):
            raise ValueError("levels must go from 0 to 1")
        return self


class Anew(Section):
    """How often, and how, a sensor is attached anew."""

    per_week: float = Field(ge=0)
    minutes_off: tuple[float, float]
    turned: float = Field(ge=0, le=1)
    upside_down: float = Field(ge=0, le=1)
    other_leg: float = Field(ge=0, le=1)


class Loose(Section):
    """Loose thigh sensors."""

    share: float = Field(ge=0, le=1)
    ringing: float = Field(ge=1)
    slip_degrees: float = Field(ge=0)
    slip_minutes: float = Field(gt=0)


class Style(Section):
    """How walking differs between people."""

    odd_harmonics_sd: float = Field(ge=0)
    ringing_sd: float = Field(ge=0)
    unsteadiness: Quantiles


class Wearing(Section):
    """How people wear sensors and walk; ``amount`` scales all of it."""

    amount: float = Field(ge=0, le=3)
    degrees: Degrees
    anew: Anew
    loose: Loose
    style: Style

    def drawn(self, quantiles: Quantiles, rng: np.random.Generator) -> float:
        """A value drawn from quantiles at ``degrees.levels``, ``amount`` times as far from their middle."""
        middle = float(np.interp(0.5, self.degrees.levels, quantiles))
        return middle + self.amount * (float(np.interp(rng.random(), self.degrees.levels, quantiles)) - middle)


DayActivity = Literal["sitting", "standing", "walking", "running", "cycling"]


class Day(Section):
    """The day of a person whose activities are not given."""

    bed_hour: float = Field(gt=12, lt=24)
    rise_hour: float = Field(gt=0, lt=12)
    hour_sd: float = Field(ge=0)
    nap_probability: float = Field(ge=0, le=1)
    speed_mean: float = Field(gt=0)
    speed_sd_between: float = Field(ge=0)
    speed_sd_within: float = Field(ge=0)
    short_bout_speed: float = Field(gt=0)
    minutes: dict[DayActivity, float]
    follows: dict[DayActivity, dict[DayActivity, float]]

    @model_validator(mode="after")
    def _complete(self) -> Day:
        if set(self.minutes) != set(self.follows):
            raise ValueError("minutes and follows name different activities")
        for name, shares in self.follows.items():
            if abs(sum(shares.values()) - 1) > 1e-9 or not set(shares) <= set(self.minutes):
                raise ValueError(f"what follows {name} does not sum to 1, or is no activity")
        return self


class GaitParameters(Section):
    """All parameters of movements and sensors."""

    walking: Walking
    running: Running
    cycling: Cycling
    postures: Postures
    movements: Movements
    sensors: Sensors
    worn: Wearing
    day: Day

    def with_mess(self, amount: float) -> GaitParameters:
        """The same with another ``worn.amount``."""
        return self.model_copy(update={"worn": self.worn.model_copy(update={"amount": amount})})


def read_gait_parameters(file: Path) -> GaitParameters:
    """Read and validate a parameter file.

    Raises:
        GaitParametersError: the file is not TOML, or a key is unknown, missing or out of range.
    """
    return read_settings(file, GaitParameters, GaitParametersError)


@cache
def gait_parameters() -> GaitParameters:
    """The parameters of ``stegvis/twin/gait.toml``."""
    return read_gait_parameters(GAIT_FILE)
