"""Whether two recordings are the back and the thigh of one person in one week, and whether they were swapped."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.cwa import CwaRecording
from stegvis.accelerometry.orientation import MOST_EPOCHS, Worn, WornInParts
from stegvis.accelerometry.pair_epochs import PairEpochs, SensorPlaces
from stegvis.accelerometry.pair_problems import PairError, Problem, check_hours
from stegvis.accelerometry.raw_sensor import RawSensor
from stegvis.accelerometry.resampling import RawSignal, epoch_positions, resample
from stegvis.accelerometry.summaries import WINDOW_SECONDS
from stegvis.accelerometry.swap import FEWEST_SWAPPED, HORIZONTAL, SWAPPED_SWING, UPRIGHT, moving, stretches, swing
from stegvis.accelerometry.synchronization import Synchronization
from stegvis.accelerometry.tilt import Tilt
from stegvis.accelerometry.wear import worn_at
from stegvis.study.protocol import Epochs, RawRecordings, SynchronizationRules

# Two sensors on one part of the body are upright and horizontal at the same time, and swing alike; sensors on back and
# thigh differ whenever the person sits or walks. Hours needed in each posture if there is too little walking, and the
# largest share of time in which two sensors on one part of the body may differ by chance.
FEWEST_HOURS_PER_POSTURE = 1.0
LARGEST_SHARE_APART = 0.01


def check_devices(back: CwaRecording, thigh: CwaRecording) -> None:
    """Refuse the same recording twice.

    Raises:
        PairError: ``same_recording``.
    """
    same_device = back.header.identified and back.header.device_id == thigh.header.device_id
    if same_device or np.array_equal(back.samples, thigh.samples):
        raise PairError("same_recording", "both files are from the same device")


def annotation_problems(back: CwaRecording, thigh: CwaRecording) -> Iterator[Problem]:
    """Both annotated with one place: the program that sets devices up keeps the last entry, so movement decides."""
    locations = [recording.header.annotations.get("_p", "").lower() for recording in (back, thigh)]
    for place in ("thigh", "back"):
        if all(place in location for location in locations):
            yield Problem(
                "same_place_annotated",
                f"both files say that they were worn on the {place}; their movement shows where they were",
            )


def check_overlap(back: RawSignal, thigh: RawSignal, rules: RawRecordings) -> None:
    """Refuse recordings that overlap too little in time.

    Raises:
        PairError: ``different_weeks``, ``short_overlap``.
    """
    overlap = min(back.timeline.end, thigh.timeline.end) - max(back.timeline.start, thigh.timeline.start)
    if overlap <= 0:
        raise PairError("different_weeks", "the two recordings have no time in common")
    check_hours(overlap / 3600, rules)


def sensors_swapped(back: RawSensor, thigh: RawSensor, epoch_rules: Epochs) -> tuple[SensorPlaces, ...]:
    """Where the sensors were, stretch by stretch (``swap.stretches``), in the windows in which both were worn.

    Raises:
        PairError: ``same_place``, both were on the same part of the body.
    """
    center = back.summary.start + back.summary.seconds / 2
    window = np.searchsorted(thigh.summary.start, center, side="right") - 1
    both = back.worn & (window >= 0) & worn_at(thigh.summary, thigh.worn, center)
    gravity = np.hstack([back.summary.mean[both], thigh.summary.mean[window[both]]])
    sd = np.hstack([back.summary.sd[both], thigh.summary.sd[window[both]]])
    which = np.flatnonzero(moving(sd))
    which = which[:: max(1, -(-len(which) // MOST_EPOCHS))]
    swings = np.full(len(gravity), np.nan, dtype=np.float32)
    swings[which] = _swing(thigh, thigh.summary.start[window[both]][which], epoch_rules) - _swing(
        back, back.summary.start[both][which], epoch_rules
    )
    found = stretches(gravity, swings)
    # Sensors that were exchanged half-way swing alike on the whole, though never at any time.
    if len(found) == 1 and _same_place(gravity, swings):
        raise PairError(
            "same_place",
            "both sensors were on the same part of the body: their postures never differ, and they swing alike",
        )
    start = back.summary.start[both]
    return tuple(SensorPlaces(float(start[each.first]) if each.first else -np.inf, each.swapped) for each in found)


def _same_place(gravity: NDArray[np.float32], swings: NDArray[np.float32]) -> bool:
    """Whether both sensors were on one part of the body; arguments as of ``swap.swapped``."""
    along = np.stack(
        [np.abs(gravity[:, x]) / np.maximum(np.linalg.norm(gravity[:, x : x + 3], axis=1), 1e-3) for x in (0, 3)]
    )
    upright, horizontal = along > UPRIGHT, along < HORIZONTAL
    apart = (upright[0] & horizontal[1]) | (upright[1] & horizontal[0])
    if not len(apart) or apart.mean() >= LARGEST_SHARE_APART:
        return False
    # Whoever stands, walks and lies but never sits is known by the swing of the thigh.
    gait = np.isfinite(swings)
    if gait.sum() >= FEWEST_SWAPPED:
        return bool(abs(np.median(swings[gait])) < SWAPPED_SWING)
    together = [float(each.all(axis=0).sum()) * WINDOW_SECONDS / 3600 for each in (upright, horizontal)]
    return min(together) >= FEWEST_HOURS_PER_POSTURE


def _swing(sensor: RawSensor, start: NDArray[np.float64], epoch_rules: Epochs) -> NDArray[np.float32]:
    """``swap.swing`` (k,) of the epochs of one sensor that begin at these seconds; NaN where one was not recorded."""
    first, last, recorded = epoch_positions(sensor.signal.timeline, start, start + epoch_rules.seconds)
    values = resample(sensor.signal, first, last, epoch_rules).reshape(len(start), -1, 3)
    return np.where(recorded, swing(values, epoch_rules.sampling_rate_hz), np.float32(np.nan))


def place_problems(epochs: PairEpochs) -> Iterator[Problem]:
    """Sensors that were swapped for a time, and time that is not used because their place is uncertain."""
    swapped, unused = (float(each.sum()) * epochs.rules.seconds / 3600 for each in (epochs.swapped, epochs.unused))
    if swapped:
        yield Problem(
            "swapped_for_a_time",
            f"the back and the thigh sensor were swapped for {swapped:.1f} hours of the recording; this was corrected",
        )
    if unused:
        yield Problem(
            "place_uncertain",
            f"for {unused:.1f} hours postures and walking contradict each other about which sensor was on the thigh; "
            "this time was not used",
        )


def clock_problems(clocks: Synchronization, rules: SynchronizationRules) -> Iterator[Problem]:
    """Problems of the two clocks.

    Raises:
        PairError: ``not_together``, the two sensors did not move together.
    """
    if clocks.status == "no_agreement":
        raise PairError(
            "not_together",
            "the two sensors do not move together: they were worn by two people, or their clocks are far apart",
        )
    if not clocks.synchronized:
        reason = {
            "too_little_movement": "too little movement to compare",
            "drift_uncertain": "movement to compare in only a part of the recording",
        }[clocks.status]
        yield Problem("not_synchronized", f"the clocks could not be synchronized: {reason}; they were used unchanged")
    elif abs(clocks.offset_seconds) > rules.search_seconds:
        yield Problem("clocks_apart", f"the clocks were {clocks.offset_seconds:.0f} s apart; this was corrected")


def orientation_problems(worn_as: WornInParts, tilt: Tilt) -> Iterator[Problem]:
    """Sensors that were not worn as prescribed, or at an unusual angle, or attached anew during the recording."""
    for place, parts in worn_as.items():
        for how in dict.fromkeys(part.worn for part in parts):
            if how not in (Worn.AS_PRESCRIBED, Worn.UNKNOWN, Worn.TILTED):
                yield Problem(
                    how, f"the {place} sensor was worn {how.replace('_', ' ')}; this does not affect the classification"
                )
        if len(parts) > 1:
            order = ", then ".join(part.worn.replace("_", " ") for part in parts)
            yield Problem(
                "attached_anew",
                f"the {place} sensor was attached anew during the recording: {order}; each part was read as it was "
                "worn",
            )
    for place in tilt.unusual:
        yield Problem(
            Worn.TILTED,
            f"the {place} sensor was attached {abs(tilt.degrees[place]):.0f} degrees from the usual angle; this was "
            "corrected",
        )
