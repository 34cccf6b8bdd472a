"""One raw recording by itself: read, its samples in time, when it was worn, how it is calibrated.

Belongs here: everything that is known of a sensor before it is brought together with the other one. Does not belong
here: how each step works, and whether two recordings belong together (``pair_checks``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.calibration import Calibration, calibrate, still_directions
from stegvis.accelerometry.cwa import CwaError, CwaRecording, read_cwa
from stegvis.accelerometry.pair_problems import PairError, Place, Problem
from stegvis.accelerometry.resampling import ClockError, RawSignal, raw_signal
from stegvis.accelerometry.summaries import WINDOW_SECONDS, Summary, summarize
from stegvis.accelerometry.wear import skin_temperature, worn
from stegvis.study.protocol import protocol

Floats = NDArray[np.float64]
Facts = dict[str, float | int | str | bool]


@dataclass(frozen=True)
class RawSensor:
    """What is known of one recording.

    Attributes:
        device_id: serial number.
        signal: samples and their times.
        summary: its ten-second windows (k,).
        worn: (k,) whether it was worn then.
        directions: see ``calibration.still_directions``.
        calibration: the one to use.
        facts: plain numbers and words about it, by name; the same names for every sensor.
    """

    device_id: int
    signal: RawSignal
    summary: Summary
    worn: NDArray[np.bool_]
    directions: Floats
    calibration: Calibration
    facts: Facts


def read_recording(path: Path, place: Place) -> CwaRecording:
    """Read the file of a sensor worn at ``place``.

    Raises:
        PairError: ``unreadable``, ``too_slow``.
    """
    try:
        recording = read_cwa(path)
    except CwaError as error:
        raise PairError("unreadable", f"the {place} recording cannot be read: {error}") from None
    except OSError as error:
        # The message of the original would hold the file's name.
        raise PairError("unreadable", f"the {place} recording cannot be read: {error.strerror}") from None
    if recording.header.rate_hz < protocol().raw_recordings.slowest_rate_hz:
        raise PairError("too_slow", f"the {place} sensor was set to {recording.header.rate_hz:g} samples per second")
    return recording


def raw_sensor(
    recording: CwaRecording, place: Place, origin: np.datetime64, calibrations: Mapping[int, Calibration]
) -> RawSensor:
    """What one recording tells by itself.

    Args:
        recording: of the sensor.
        place: for the messages.
        origin: device-local time from which seconds are counted.
        calibrations: of devices by serial number, used in place of the recording's own where they hold.

    Raises:
        PairError: ``clock_set_back``, ``short_overlap``, ``unreadable``.
    """
    signal = _signal(recording, place, origin)
    if signal.timeline.recorded_seconds < 3600 * protocol().raw_recordings.smallest_overlap_hours:
        hours = signal.timeline.recorded_seconds / 3600
        raise PairError("short_overlap", f"the {place} recording holds no more than {hours:.1f} hours")
    summary = summarize(signal, recording, origin)
    if len(summary.start) == 0:
        raise PairError("unreadable", f"the {place} recording has no {WINDOW_SECONDS} seconds without a gap")
    directions = still_directions(summary)
    own = calibrate(directions)
    pooled = calibrations.get(recording.header.device_id)
    used, source = (pooled, "pooled") if pooled is not None and pooled.calibrated else (own, "own")
    worn_windows = worn(summary)
    skin = skin_temperature(summary)
    line = signal.timeline
    facts: Facts = {
        "device_id": recording.header.device_id,
        "hardware": recording.header.hardware,
        "rate_hz": round(signal.rate_hz, 4),
        "hours": round(line.recorded_seconds / 3600, 3),
        "gaps": len(line.run_start) - 1,
        "gap_seconds": round(line.end - line.start - line.recorded_seconds, 1),
        "sectors": len(recording.blocks),
        "sectors_masked": sum(recording.masked_blocks.values()),
        "trailing_bytes": recording.trailing_bytes,
        "wear_hours": round(float(worn_windows.sum()) * summary.seconds / 3600, 3),
        "skin_celsius": round(skin, 1) if skin is not None else float("nan"),
        "calibration": source if used.calibrated else used.outcome,
        "calibration_error_before_g": round(used.error_before_g, 5),
        "calibration_error_after_g": round(used.error_after_g, 5),
    }
    return RawSensor(recording.header.device_id, signal, summary, worn_windows, directions, used, facts)


def sensor_problems(place: Place, sensor: RawSensor) -> Iterator[Problem]:
    """What fell short in one recording without making it useless."""
    facts = sensor.facts
    if facts["trailing_bytes"]:
        yield Problem("truncated", f"the {place} file was cut off within a sector; what is there was used")
    if facts["sectors_masked"]:
        yield Problem("damaged", f"{facts['sectors_masked']} damaged sectors of the {place} file were left out")
    if facts["gaps"]:
        yield Problem("gaps", f"the {place} recording has {facts['gaps']} gaps, {facts['gap_seconds']} s in all")


def still_directions_of(path: Path) -> tuple[int, Floats]:
    """Serial number of a recording's device, and the directions it lay still in, for ``calibration.pooled``.

    Raises:
        PairError: the file cannot be read.
    """
    recording = read_recording(path, "back")
    origin = recording.segments[0].start.astype("datetime64[D]")
    return recording.header.device_id, still_directions(
        summarize(_signal(recording, "back", origin), recording, origin)
    )


def _signal(recording: CwaRecording, place: Place, origin: np.datetime64) -> RawSignal:
    try:
        return raw_signal(recording, origin)
    except ClockError as error:
        raise PairError("clock_set_back", f"the {place} recording cannot be used: {error}") from None
