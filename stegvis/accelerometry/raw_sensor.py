"""One raw recording on its own: its samples in time, wear, and calibration.

Whether two recordings belong together is checked in ``pair_checks``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.calibration import Calibration, calibrate, still_directions
from stegvis.accelerometry.clock_resets import without_stubs
from stegvis.accelerometry.cwa import CwaRecording, read_cwa
from stegvis.accelerometry.cwa_format import CwaError
from stegvis.accelerometry.method import Method
from stegvis.accelerometry.pair_problems import PairError, Place, Problem
from stegvis.accelerometry.resampling import ClockError, RawSignal, raw_signal
from stegvis.accelerometry.summaries import WINDOW_SECONDS, Summary, summarize
from stegvis.accelerometry.wear import skin_temperature, worn
from stegvis.study.protocol import Epochs, RawRecordings

Floats = NDArray[np.float64]
Facts = dict[str, float | int | str | bool]


@dataclass(frozen=True)
class RawSensor:
    """One recording, prepared for its pair.

    Attributes:
        device_id: serial number.
        signal: samples and their times.
        summary: ten-second windows (k,).
        worn: (k,) whether the sensor was worn in each of them.
        directions: see ``calibration.still_directions``.
        calibration: the calibration to use.
        facts: quality measures by name, as plain numbers and words; the same names for every sensor.
    """

    device_id: int
    signal: RawSignal
    summary: Summary
    worn: NDArray[np.bool_]
    directions: Floats
    calibration: Calibration
    facts: Facts


def read_recording(path: Path, place: Place, rules: RawRecordings) -> CwaRecording:
    """Read the file of a sensor worn at ``place``.

    Raises:
        PairError: ``unreadable``, ``too_slow``, ``clock_set_back``.
    """
    try:
        recording = without_stubs(read_cwa(path))
    except CwaError as error:
        raise PairError("unreadable", f"the {place} recording cannot be read: {error}", place) from None
    except ClockError as error:
        raise PairError("clock_set_back", f"the {place} recording cannot be used: {error}", place) from None
    except OSError as error:
        # The original message would contain the name of the file.
        raise PairError("unreadable", f"the {place} recording cannot be read: {error.strerror}", place) from None
    if recording.header.rate_hz < rules.slowest_rate_hz:
        raise PairError(
            "too_slow", f"the {place} sensor was set to {recording.header.rate_hz:g} samples per second", place
        )
    return recording


def raw_sensor(
    recording: CwaRecording,
    place: Place,
    origin: np.datetime64,
    calibrations: Mapping[int, Calibration],
    method: Method,
) -> RawSensor:
    """Prepare one recording: times, wear, calibration and quality measures.

    Args:
        recording: the sensor's recording.
        place: where it was worn, for the messages.
        origin: device-local time from which seconds are counted.
        calibrations: pooled calibrations of devices by serial number, used instead of the recording's own if they were
            successful.
        method: the settings of the classification.

    Raises:
        PairError: ``clock_set_back``, ``short_overlap``, ``unreadable``.
    """
    signal = _signal(recording, place, origin, method.epochs)
    if signal.timeline.recorded_seconds < 3600 * method.raw_recordings.smallest_overlap_hours:
        hours = signal.timeline.recorded_seconds / 3600
        raise PairError("short_overlap", f"the {place} recording has only {hours:.1f} hours", place)
    summary = summarize(signal, recording, origin)
    if len(summary.start) == 0:
        raise PairError("unreadable", f"the {place} recording has no {WINDOW_SECONDS} seconds without a gap", place)
    directions = still_directions(summary, method.calibration)
    own = calibrate(directions, method.calibration)
    # Devices without a serial number have nothing in common that could be pooled.
    pooled = calibrations.get(recording.header.device_id) if recording.header.identified else None
    used, source = (pooled, "pooled") if pooled is not None and pooled.calibrated else (own, "own")
    worn_windows = worn(summary, method.wear)
    facts = _recording_facts(recording, signal) | {
        "wear_hours": round(float(worn_windows.sum()) * summary.seconds / 3600, 3),
        "skin_celsius": _rounded(skin_temperature(summary, method.wear)),
        "calibration": source if used.calibrated else used.outcome,
        "calibration_error_before_g": round(used.error_before_g, 5),
        "calibration_error_after_g": round(used.error_after_g, 5),
    }
    return RawSensor(recording.header.device_id, signal, summary, worn_windows, directions, used, facts)


def _recording_facts(recording: CwaRecording, signal: RawSignal) -> Facts:
    line = signal.timeline
    return {
        "device_id": recording.header.device_id,
        "hardware": recording.header.hardware,
        "rate_hz": round(signal.rate_hz, 4),
        "hours": round(line.recorded_seconds / 3600, 3),
        "gaps": len(line.run_start) - 1,
        "gap_seconds": round(line.end - line.start - line.recorded_seconds, 1),
        "sectors": len(recording.blocks),
        "sectors_masked": sum(recording.masked_blocks.values()),
        "trailing_bytes": recording.trailing_bytes,
        "stub_seconds": round(recording.stub_seconds, 1),
    }


def _rounded(celsius: float | None) -> float:
    return round(celsius, 1) if celsius is not None else float("nan")


def sensor_problems(place: Place, sensor: RawSensor) -> Iterator[Problem]:
    """Problems of one recording that do not prevent its use."""
    facts = sensor.facts
    if facts["trailing_bytes"]:
        yield Problem("truncated", f"the {place} file was cut off within a sector; the complete sectors were used")
    if facts["sectors_masked"]:
        yield Problem("damaged", f"{facts['sectors_masked']} damaged sectors of the {place} file were skipped")
    if facts["stub_seconds"]:
        yield Problem(
            "clock_reset",
            f"the clock of the {place} sensor was set during the recording; the {facts['stub_seconds']:g} s on the "
            "wrong side of it were not used",
        )
    if facts["gaps"]:
        yield Problem("gaps", f"the {place} recording has {facts['gaps']} gaps, {facts['gap_seconds']} s in total")


def still_directions_of(path: Path, method: Method) -> tuple[int, Floats]:
    """Serial number of a recording's device, and its directions while stationary, for ``calibration.pooled``.

    Raises:
        PairError: the file cannot be read.
    """
    recording = read_recording(path, "back", method.raw_recordings)
    origin = recording.segments[0].start.astype("datetime64[D]")
    summary = summarize(_signal(recording, "back", origin, method.epochs), recording, origin)
    return recording.header.device_id, still_directions(summary, method.calibration)


def _signal(recording: CwaRecording, place: Place, origin: np.datetime64, epoch_rules: Epochs) -> RawSignal:
    try:
        return raw_signal(recording, origin, epoch_rules)
    except ClockError as error:
        raise PairError("clock_set_back", f"the {place} recording cannot be used: {error}", place) from None
