"""Raw recordings of the twin: a lower-back and a thigh sensor's CWA files from one person's motion, and the truth.

Each sensor samples the same motion at its own true rate, starts when its own clock says so, is attached as people
attach them (``mounting``), and may be worn wrongly or be taken off. True time is that of an exact clock which agrees
with the back sensor's when its recording begins. What a person does is true by the second: an epoch is the activity of
most of its seconds, a day the sum of its seconds.

Motion is in ``gait``, what the person does in ``activities``, and the bytes of the files in ``cwa``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.activity import ActivityCode
from stegvis.study.protocol import Protocol
from stegvis.twin.activities import SECONDS_PER_DAY, ActivitySequence, draw_activities
from stegvis.twin.cwa import Device, write_cwa
from stegvis.twin.draws import stream
from stegvis.twin.gait import SENSORS, Floats, Motion, Samples, Sensor, draw_motion
from stegvis.twin.gait_parameters import GaitParameters, gait_parameters
from stegvis.twin.mounting import Mounting, draw_mounting, half_turn

# Sectors sampled at a time: about an hour and a half at 50 Hz.
SECTORS_AT_A_TIME = 2048
DEFAULT_START = np.datetime64("2018-05-02T00:00:00", "s")
LOCATIONS: dict[Sensor, str] = {"back": "lower back", "thigh": "right thigh"}


@dataclass(frozen=True)
class Worn:
    """How a sensor is worn throughout a recording, beside how it is attached (``mounting``).

    Attributes:
        upside_down: turned by half about its outward axis (x and y change sign).
        turned: turned by half about its long axis (y and z change sign).
        off: stretches in which it lies on a table, seconds of true time.
    """

    upside_down: bool = False
    turned: bool = False
    off: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class SensorTruth:
    """What is true of one sensor.

    Attributes:
        device_id: serial number.
        file: name of its file.
        true_rate_hz: samples per second of true time.
        clock_offset_seconds: its clock ahead of true time when true time is zero.
        clock_drift_seconds_per_day: what its clock gains on true time.
        start_seconds: true time of its first sample.
        samples: how many.
        worn: how, as asked for, and when it was off.
        mounting: how it was attached.
    """

    device_id: int
    file: str
    true_rate_hz: float
    clock_offset_seconds: float
    clock_drift_seconds_per_day: float
    start_seconds: float
    samples: int
    worn: Worn
    mounting: Mounting


@dataclass(frozen=True)
class RawTruth:
    """What is true of a pair of recordings.

    Attributes:
        start: true time zero, device-local; the back sensor's clock agrees with it there.
        sequence: activity and walking speed (km/h) of each second of true time, or of steps that were asked for.
        back, thigh: the sensors.
    """

    start: np.datetime64
    sequence: ActivitySequence
    back: SensorTruth
    thigh: SensorTruth

    @property
    def offset_seconds(self) -> float:
        """The thigh's clock ahead of the back's at true time zero."""
        return self.thigh.clock_offset_seconds - self.back.clock_offset_seconds

    @property
    def drift_seconds_per_day(self) -> float:
        """What the thigh's clock gains on the back's."""
        return self.thigh.clock_drift_seconds_per_day - self.back.clock_drift_seconds_per_day

    def steps_at(self, shown: NDArray[np.datetime64]) -> NDArray[np.int64]:
        """Index in ``sequence`` of what is done at these times of the back's clock; the shape is kept."""
        drift = self.back.clock_drift_seconds_per_day / SECONDS_PER_DAY
        by_clock = (shown - self.start) / np.timedelta64(1, "s") - self.back.clock_offset_seconds
        steps = by_clock / (1 + drift) // self.sequence.step_seconds
        return np.clip(steps, 0, len(self.sequence.activity) - 1).astype(np.int64)

    def activity_of(self, epoch_start: NDArray[np.datetime64], epoch_seconds: int) -> NDArray[np.uint8]:
        """The activity of most seconds of epochs with these starts (k,) by the back's clock.

        Of two with as many seconds it is the one in the middle.
        """
        middles = np.arange(0.5, epoch_seconds)
        at = epoch_start.astype("datetime64[us]")[:, None] + (1e6 * middles).astype("timedelta64[us]")
        done = self.sequence.activity[self.steps_at(at)]
        seconds = (done[:, :, None] == np.arange(len(ActivityCode))).sum(axis=1).astype(np.float64)
        seconds[np.arange(len(done)), done[:, epoch_seconds // 2]] += 0.5
        return seconds.argmax(axis=1).astype(np.uint8)

    def summary(self) -> dict[str, float]:
        """Clocks, rates, how the sensors were attached and minutes of each activity, for ``truth.json``."""
        minutes = {f"{name}_minutes": seconds / 60 for name, seconds in self.sequence.seconds().items()}
        return {
            "offset_seconds": self.offset_seconds,
            "drift_seconds_per_day": self.drift_seconds_per_day,
            "back_rate_hz": self.back.true_rate_hz,
            "thigh_rate_hz": self.thigh.true_rate_hz,
            **_how_attached("back", self.back.mounting),
            **_how_attached("thigh", self.thigh.mounting),
            **minutes,
        }


def _how_attached(sensor: Sensor, mounting: Mounting) -> dict[str, float]:
    """The angles at first, how often it was attached anew and how, and whether it was loose."""
    first, *anew = mounting.attached
    found: dict[str, float] = {f"{angle}_degrees": getattr(first, angle) for angle in ("sagittal", "sideways", "roll")}
    found["attached_anew"] = len(anew)
    for how in ("turned", "upside_down", "other_leg"):
        found[f"attached_anew_{how}"] = sum(getattr(each, how) for each in anew)
    return {f"{sensor}_{name}": value for name, value in {**found, "loose": float(mounting.loose)}.items()}


@dataclass(frozen=True)
class _Mounted:
    """A sensor on a body: how it is attached and worn, its gain, offset and noise."""

    sensor: Sensor
    worn: Worn
    mounting: Mounting
    gain: Floats
    offset: Floats
    noise: float
    resting: Floats
    rng: np.random.Generator = field(repr=False)

    def read(self, motion: Motion, seconds: Floats) -> Samples:
        """(n, 3) g as the sensor measures it, before its resolution, at true times (n,)."""
        felt = motion.acceleration(self.sensor, seconds, self.rng, self.mounting.ringing)
        felt = self.mounting.worn(felt, seconds)
        for start, end in self.worn.off:
            first, last = np.searchsorted(seconds, (start, end))
            felt[first:last] = self.resting
        turn = half_turn(self.worn.upside_down, self.worn.turned)
        read = felt @ (turn * self.gain[:, None]).T.astype(np.float32)
        noise = self.rng.standard_normal(read.shape, dtype=np.float32)
        return np.asarray(read + self.offset.astype(np.float32) + np.float32(self.noise) * noise)


def write_raw_pair(
    folder: Path,
    person: str,
    days: int = 7,
    seed: int = 1,
    *,
    protocol: Protocol,
    start: np.datetime64 = DEFAULT_START,
    sequence: ActivitySequence | None = None,
    back: Worn = Worn(),
    thigh: Worn = Worn(),
    swapped: bool = False,
    rate_errors: tuple[float, float] | None = None,
    parameters: GaitParameters | None = None,
) -> RawTruth:
    """Write ``<person>_back.cwa`` and ``<person>_thigh.cwa``; the same arguments give the same bytes.

    Args:
        folder: to write to; must exist.
        person: identifier; it is also the subject code in the files' annotations, and names the random streams.
        days: length of the recording.
        seed: of every random stream.
        protocol: nominal sampling rate.
        start: device-local time at which both devices were set to begin.
        sequence: what the person does (``activities.from_epochs`` makes it of classified epochs); drawn if not given.
            In its non-wear both sensors are off.
        back, thigh: how the sensors are worn.
        swapped: the two files have each other's names, as when sensors are mixed up.
        rate_errors: by which share of the nominal rate back and thigh sample too fast; drawn if not given.
        parameters: of movements, sensors and how messily they are worn; those of ``gait.toml`` if not given.

    Raises:
        ValueError: the sequence is not ``days`` long.
    """
    parameters = parameters or gait_parameters()
    if sequence is None:
        rng = stream(seed, f"raw.activities.{person}")
        sequence = draw_activities(days, parameters, rng)
    if len(sequence.activity) * sequence.step_seconds != days * SECONDS_PER_DAY:
        raise ValueError("the sequence of activities is not as long as the recording")
    mountings = {
        sensor: draw_mounting(sensor, sequence, parameters, stream(seed, f"raw.worn.{sensor}.{person}"))
        for sensor in SENSORS
    }
    slope = mountings["back"].slope(parameters)
    motion = draw_motion(sequence, parameters, stream(seed, f"raw.motion.{person}"), slope)
    off = _without_wear(sequence)
    nominal = float(protocol.epochs.sampling_rate_hz)
    truths: dict[Sensor, SensorTruth] = {}
    for sensor, worn, rate_error in zip(SENSORS, (back, thigh), rate_errors or (None, None), strict=True):
        rng = stream(seed, f"raw.{sensor}.{person}")
        name = SENSORS[1 - SENSORS.index(sensor)] if swapped else sensor
        mounting = mountings[sensor]
        worn = Worn(worn.upside_down, worn.turned, (*off, *mounting.off, *worn.off))
        device = _device(sensor, person, nominal, rate_error, parameters, rng)
        mounted = _mounted(sensor, worn, mounting, parameters, rng)
        truths[sensor] = _write_sensor(folder / f"{person}_{name}.cwa", device, mounted, motion, start, parameters)
    return RawTruth(start=start, sequence=sequence, back=truths["back"], thigh=truths["thigh"])


def _device(
    sensor: Sensor,
    person: str,
    nominal: float,
    rate_error: float | None,
    parameters: GaitParameters,
    rng: np.random.Generator,
) -> Device:
    sensors = parameters.sensors
    device_id, recording_id = int(rng.integers(20_000, 60_000)), int(rng.integers(1, 1_000_000))
    drawn_rate_error = sensors.largest_rate_error * float(rng.uniform(-1, 1))
    return Device(
        device_id=device_id,
        recording_id=recording_id,
        true_rate_hz=nominal * (1 + (drawn_rate_error if rate_error is None else rate_error)),
        clock_drift_seconds_per_day=sensors.clock_drift_sd * float(rng.standard_normal()),
        nominal_rate_hz=nominal,
        battery_volt=float(rng.uniform(4.1, 4.2)),
        annotations={"_sc": person, "_p": LOCATIONS[sensor]},
    )


def _mounted(
    sensor: Sensor, worn: Worn, mounting: Mounting, parameters: GaitParameters, rng: np.random.Generator
) -> _Mounted:
    sensors = parameters.sensors
    return _Mounted(
        sensor=sensor,
        worn=worn,
        mounting=mounting,
        gain=1 + sensors.gain_sd * rng.standard_normal(3),
        offset=sensors.offset_sd * rng.standard_normal(3),
        noise=sensors.noise_back if sensor == "back" else sensors.noise_thigh,
        resting=np.array([0.02, -0.03, float(rng.choice([-1, 1]))]),
        rng=rng,
    )


def _write_sensor(
    file: Path, device: Device, mounted: _Mounted, motion: Motion, start: np.datetime64, parameters: GaitParameters
) -> SensorTruth:
    rng, worn = mounted.rng, mounted.worn
    offset = 0.0 if mounted.sensor == "back" else parameters.sensors.largest_start_offset * float(rng.uniform(-1, 1))
    # A clock that is ahead makes its sensor begin early.
    begin = -offset / (1 + device.clock_drift_seconds_per_day / SECONDS_PER_DAY)
    samples = int((motion.seconds - begin) * device.true_rate_hz)
    sectors = -(-samples // device.samples_per_sector)
    sector_seconds = begin + np.arange(0.5, sectors) * (device.samples_per_sector / device.true_rate_hz)
    temperature = _temperature(sector_seconds, worn, parameters, rng)
    pieces = _pieces(mounted, motion, begin, samples, device)
    write_cwa(file, pieces, start, device, temperature)
    return SensorTruth(
        device_id=device.device_id,
        file=file.name,
        true_rate_hz=device.true_rate_hz,
        clock_offset_seconds=offset,
        clock_drift_seconds_per_day=device.clock_drift_seconds_per_day,
        start_seconds=begin,
        samples=samples,
        worn=worn,
        mounting=mounted.mounting,
    )


def _pieces(mounted: _Mounted, motion: Motion, begin: float, samples: int, device: Device) -> Iterator[Samples]:
    """The recording piece by piece, so that a week takes no more memory than a morning."""
    size = SECTORS_AT_A_TIME * device.samples_per_sector
    for first in range(0, samples, size):
        number = np.arange(first, min(first + size, samples))
        yield mounted.read(motion, begin + number / device.true_rate_hz)


def _without_wear(sequence: ActivitySequence) -> tuple[tuple[float, float], ...]:
    """Stretches of non-wear, seconds."""
    off = np.concatenate([[0], sequence.activity == ActivityCode.NONWEAR, [0]]).astype(np.int8)
    change = np.flatnonzero(np.diff(off)) * float(sequence.step_seconds)
    return tuple(zip(change[::2].tolist(), change[1::2].tolist(), strict=True))


def _temperature(seconds: Floats, worn: Worn, parameters: GaitParameters, rng: np.random.Generator) -> Floats:
    """Degrees Celsius at increasing times (k,): skin, or room while off, reached with a lag, and slow changes."""
    from scipy.signal import lfilter

    sensors = parameters.sensors
    target = np.full(len(seconds), sensors.skin_temperature)
    for start, end in worn.off:
        target[(seconds >= start) & (seconds < end)] = sensors.room_temperature
    step = (seconds[-1] - seconds[0]) / max(1, len(seconds) - 1) or 1.0
    share = -np.expm1(-step / (60 * sensors.warming_minutes))
    # First-order lag; it begins at room temperature, as the device is put on.
    lagged = lfilter([share], [1, share - 1], target - sensors.room_temperature) + sensors.room_temperature
    # Slow changes by the hour: bed, clothes, weather.
    knots = np.arange(seconds[0], seconds[-1] + 7200, 3600.0)
    return np.asarray(lagged + np.interp(seconds, knots, sensors.temperature_sd * rng.standard_normal(len(knots))))
