"""Raw recordings of the twin: a lower-back and a thigh sensor's CWA files from one person's motion, and the truth.

Each sensor samples the same motion at its own true rate, starts when its own clock says so, and may be worn wrongly
or be taken off. True time is that of an exact clock which agrees with the back sensor's when its recording begins.

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

# Sectors sampled at a time: about an hour and a half at 50 Hz.
SECTORS_AT_A_TIME = 2048
DEFAULT_START = np.datetime64("2018-05-02T00:00:00", "s")
LOCATIONS: dict[Sensor, str] = {"back": "lower back", "thigh": "right thigh"}


@dataclass(frozen=True)
class Worn:
    """How a sensor is worn.

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
        worn: how.
    """

    device_id: int
    file: str
    true_rate_hz: float
    clock_offset_seconds: float
    clock_drift_seconds_per_day: float
    start_seconds: float
    samples: int
    worn: Worn


@dataclass(frozen=True)
class RawTruth:
    """What is true of a pair of recordings.

    Attributes:
        start: true time zero, device-local; the back sensor's clock agrees with it there.
        sequence: activity and walking speed (km/h) of each epoch of true time.
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

    def epochs_at(self, epoch_start: NDArray[np.datetime64]) -> NDArray[np.int64]:
        """Index in ``sequence`` of the activity in the middle of epochs (k,) with these starts by the back's clock."""
        length = self.sequence.epoch_seconds
        shown = (epoch_start - self.start) / np.timedelta64(1, "s") + length / 2
        drift = self.back.clock_drift_seconds_per_day / SECONDS_PER_DAY
        seconds = (shown - self.back.clock_offset_seconds) / (1 + drift)
        return np.clip(seconds // length, 0, len(self.sequence.activity) - 1).astype(np.int64)

    def summary(self) -> dict[str, float]:
        """Clocks, rates and minutes of each activity, for ``truth.json``."""
        minutes = {f"{name}_minutes": seconds / 60 for name, seconds in self.sequence.seconds().items()}
        return {
            "offset_seconds": self.offset_seconds,
            "drift_seconds_per_day": self.drift_seconds_per_day,
            "back_rate_hz": self.back.true_rate_hz,
            "thigh_rate_hz": self.thigh.true_rate_hz,
            **minutes,
        }


@dataclass(frozen=True)
class _Mounted:
    """A sensor on a body: its orientation, gain, offset and noise."""

    sensor: Sensor
    worn: Worn
    rotation: Floats
    gain: Floats
    offset: Floats
    noise: float
    resting: Floats
    rng: np.random.Generator = field(repr=False)

    def read(self, motion: Motion, seconds: Floats) -> Samples:
        """(n, 3) g as the sensor measures it, before its resolution, at true times (n,)."""
        felt = motion.acceleration(self.sensor, seconds, self.rng)
        for start, end in self.worn.off:
            first, last = np.searchsorted(seconds, (start, end))
            felt[first:last] = self.resting
        read = felt @ (self.rotation * self.gain[:, None]).T.astype(np.float32)
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
        protocol: length of an epoch and nominal sampling rate.
        start: device-local time at which both devices were set to begin.
        sequence: what the person does (``activities.from_epochs`` makes it of classified epochs); drawn if not given.
            In epochs of non-wear both sensors are off.
        back, thigh: how the sensors are worn.
        swapped: the two files have each other's names, as when sensors are mixed up.
        rate_errors: by which share of the nominal rate back and thigh sample too fast; drawn if not given.
        parameters: of movements and sensors; those of ``gait.toml`` if not given.

    Raises:
        ValueError: the sequence is not ``days`` long.
    """
    parameters = parameters or gait_parameters()
    if sequence is None:
        rng = stream(seed, f"raw.activities.{person}")
        sequence = draw_activities(days, parameters, rng, protocol.epochs.seconds)
    if len(sequence.activity) * sequence.epoch_seconds != days * SECONDS_PER_DAY:
        raise ValueError("the sequence of activities is not as long as the recording")
    motion = draw_motion(sequence, parameters, stream(seed, f"raw.motion.{person}"))
    off = _without_wear(sequence)
    nominal = float(protocol.epochs.sampling_rate_hz)
    truths: dict[Sensor, SensorTruth] = {}
    for sensor, worn, rate_error in zip(SENSORS, (back, thigh), rate_errors or (None, None), strict=True):
        rng = stream(seed, f"raw.{sensor}.{person}")
        name = SENSORS[1 - SENSORS.index(sensor)] if swapped else sensor
        worn = Worn(worn.upside_down, worn.turned, (*off, *worn.off))
        truths[sensor] = _write_sensor(
            folder / f"{person}_{name}.cwa", sensor, worn, person, motion, start, nominal, rate_error, parameters, rng
        )
    return RawTruth(start=start, sequence=sequence, back=truths["back"], thigh=truths["thigh"])


def _write_sensor(
    file: Path,
    sensor: Sensor,
    worn: Worn,
    person: str,
    motion: Motion,
    start: np.datetime64,
    nominal: float,
    rate_error: float | None,
    parameters: GaitParameters,
    rng: np.random.Generator,
) -> SensorTruth:
    sensors = parameters.sensors
    device_id, recording_id = int(rng.integers(20_000, 60_000)), int(rng.integers(1, 1_000_000))
    drawn_rate_error = sensors.largest_rate_error * float(rng.uniform(-1, 1))
    device = Device(
        device_id=device_id,
        recording_id=recording_id,
        true_rate_hz=nominal * (1 + (drawn_rate_error if rate_error is None else rate_error)),
        clock_drift_seconds_per_day=sensors.clock_drift_sd * float(rng.standard_normal()),
        nominal_rate_hz=nominal,
        battery_volt=float(rng.uniform(4.1, 4.2)),
        annotations={"_sc": person, "_p": LOCATIONS[sensor]},
    )
    offset = 0.0 if sensor == "back" else sensors.largest_start_offset * float(rng.uniform(-1, 1))
    # A clock that is ahead makes its sensor begin early.
    begin = -offset / (1 + device.clock_drift_seconds_per_day / SECONDS_PER_DAY)
    samples = int((motion.seconds - begin) * device.true_rate_hz)
    mounted = _Mounted(
        sensor=sensor,
        worn=worn,
        rotation=_worn_rotation(worn) @ rotation(sensors.mounting_sd * rng.standard_normal(3)),
        gain=1 + sensors.gain_sd * rng.standard_normal(3),
        offset=sensors.offset_sd * rng.standard_normal(3),
        noise=sensors.noise_back if sensor == "back" else sensors.noise_thigh,
        resting=np.array([0.02, -0.03, float(rng.choice([-1, 1]))]),
        rng=rng,
    )
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
    change = np.flatnonzero(np.diff(off)) * float(sequence.epoch_seconds)
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


def _worn_rotation(worn: Worn) -> Floats:
    upside_down = np.diag([-1.0, -1.0, 1.0]) if worn.upside_down else np.eye(3)
    turned = np.diag([1.0, -1.0, -1.0]) if worn.turned else np.eye(3)
    return upside_down @ turned


def rotation(angles: NDArray[np.float64]) -> Floats:
    """Rotation matrix (3, 3) by angles (3,) about x, then y, then z, radians."""
    matrix = np.eye(3)
    for axis, angle in enumerate(angles):
        i, j = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(3)
        turn[i, i] = turn[j, j] = np.cos(angle)
        turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
        matrix = turn @ matrix
    return matrix
