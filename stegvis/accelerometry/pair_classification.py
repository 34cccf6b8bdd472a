"""Classify a raw pair: from two recordings of one person to epochs.

Read both files, check that they belong together, detect wear, calibrate, synchronize the clocks, resample both sensors
to the epochs of the back's clock, and classify. An epoch in which either sensor was not worn is non-wear. A week takes
less than 1.2 GB of memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stegvis.accelerometry.calibration import Calibration
from stegvis.accelerometry.classifier import ClassifiedEpochs, classify_epochs
from stegvis.accelerometry.cwa import CwaRecording
from stegvis.accelerometry.epoch_columns import NOT_CLASSIFIED, spread
from stegvis.accelerometry.epoch_model import MODEL_FILE, EpochModel, load_model
from stegvis.accelerometry.method import Method
from stegvis.accelerometry.mixed_epochs import MixedEpochs
from stegvis.accelerometry.pair_checks import (
    annotation_problems,
    check_devices,
    check_overlap,
    clock_problems,
    orientation_problems,
    place_problems,
    sensors_swapped,
)
from stegvis.accelerometry.pair_epochs import AS_THE_FILES_SAY, PairEpochs, common_epochs
from stegvis.accelerometry.pair_problems import PairError, Place, Problem
from stegvis.accelerometry.raw_sensor import Facts, Floats, RawSensor, raw_sensor, read_recording, sensor_problems
from stegvis.accelerometry.synchronization import Synchronization, synchronize


@dataclass(frozen=True)
class PairResult:
    """A classified pair.

    Attributes:
        epochs: one row per epoch in time order: ``epoch_start`` datetime64[ms]; ``activity``, ``speed`` and
            ``confidence`` uint8 (0 in epochs of non-wear, which are not classified); ``stairs``, ``wear_back`` and
            ``wear_thigh`` bool; ``cadence`` (steps/min), ``speed_km_per_hour`` and ``speed_sd_km_per_hour`` float32,
            NaN where not walking. Time that one of the sensors did not record has no row.
        mixed: the epochs of more than one activity; ``epochs`` has the most probable one.
        quality: quality measures by name, as plain numbers and words; the same names for every pair.
        problems: problems that did not prevent the classification.
        still_directions: directions of each stationary device by its serial number, for ``calibration.pooled``.
    """

    epochs: pd.DataFrame
    mixed: MixedEpochs
    quality: Facts
    problems: tuple[Problem, ...]
    still_directions: dict[int, Floats]


def classify_pair(
    back: Path,
    thigh: Path,
    method: Method,
    *,
    calibrations: Mapping[int, Calibration] | None = None,
    nthread: int = 1,
    model_file: Path = MODEL_FILE,
    progress: Callable[[str], None] = lambda _: None,
) -> PairResult:
    """Classify a raw pair.

    Args:
        back, thigh: CWA files.
        method: the settings of the classification.
        calibrations: calibrations of devices by serial number, pooled over several recordings; preferred over the
            recording's own.
        nthread: threads of the classifier.
        model_file: the classifier.
        progress: called with one line at the beginning of each step.

    Raises:
        PairError: the pair cannot be classified.
        ModelError: the classifier cannot be used.
    """
    progress("reading both recordings")
    sensors, origin, problems = _read_sensors(back, thigh, method, calibrations or {})
    problems += [problem for place in sensors for problem in sensor_problems(place, sensors[place])]
    places = sensors_swapped(sensors["back"], sensors["thigh"], method.epochs)
    exchanged = len(places) == 1 and places[0].swapped is True
    if exchanged:
        sensors, places = {"back": sensors["thigh"], "thigh": sensors["back"]}, AS_THE_FILES_SAY
        problems.append(Problem("swapped", "the back and the thigh sensor were swapped; this was corrected"))
    progress("comparing the two clocks")
    clocks = synchronize(
        sensors["back"].signal,
        sensors["thigh"].signal,
        sensors["back"].summary,
        sensors["thigh"].summary,
        method.synchronization,
        method.epochs,
    )
    problems += clock_problems(clocks, method.synchronization)
    epochs = common_epochs(sensors, clocks, method, places)
    problems += place_problems(epochs)
    progress(f"classifying {int(epochs.worn.sum()):,} epochs")
    table, mixed, found = _classified(epochs, origin, method, load_model(model_file, nthread))
    problems += orientation_problems(found.worn_in_parts, found.tilt)
    facts = {f"{place}_{name}": fact for place in sensors for name, fact in sensors[place].facts.items()}
    return PairResult(
        epochs=table,
        mixed=mixed,
        quality=facts | _clock_facts(clocks) | _pair_facts(epochs, exchanged, found),
        problems=tuple(problems),
        still_directions={sensor.device_id: sensor.directions for sensor in sensors.values()},
    )


def _read_sensors(
    back: Path, thigh: Path, method: Method, calibrations: Mapping[int, Calibration]
) -> tuple[dict[Place, RawSensor], np.datetime64, list[Problem]]:
    """Both sensors of a pair, the origin of their times (the midnight before the first sample), and problems."""
    recordings: dict[Place, CwaRecording] = {
        "back": read_recording(back, "back", method.raw_recordings),
        "thigh": read_recording(thigh, "thigh", method.raw_recordings),
    }
    check_devices(recordings["back"], recordings["thigh"])
    problems = list(annotation_problems(recordings["back"], recordings["thigh"]))
    origin = min(recording.segments[0].start for recording in recordings.values()).astype("datetime64[D]")
    sensors = {place: raw_sensor(recordings[place], place, origin, calibrations, method) for place in recordings}
    check_overlap(sensors["back"].signal, sensors["thigh"].signal, method.raw_recordings)
    for place, sensor in sensors.items():
        if not sensor.worn.any():
            raise PairError("not_worn", f"the {place} sensor was not worn", place)
    return sensors, origin, problems


def _classified(
    epochs: PairEpochs, origin: np.datetime64, method: Method, model: EpochModel
) -> tuple[pd.DataFrame, MixedEpochs, ClassifiedEpochs]:
    """The table of epochs, the mixed ones among them, and what was found in the worn ones."""
    worn = np.flatnonzero(epochs.worn)
    follows = np.diff(epochs.start[worn], prepend=epochs.start[worn[0]] - 1) == method.epochs.seconds
    found = classify_epochs(lambda which: epochs.windows(worn[which]), follows, model, method, interpolated=True)
    wear = {f"wear_{place}": epochs.wear[place] for place in epochs.wear}
    return epoch_table(origin, epochs.start, found.columns, worn, wear), found.mixed.at(worn), found


def epoch_table(
    origin: np.datetime64,
    seconds: NDArray[np.int64],
    found: Mapping[str, NDArray[Any]],
    worn: NDArray[np.int64],
    wear: Mapping[str, NDArray[np.bool_]],
) -> pd.DataFrame:
    """The table of epochs that begin at these seconds (k,) since the origin.

    Args:
        origin: a midnight.
        seconds: since then.
        found: columns (w,) of the worn epochs.
        worn: (w,) their positions.
        wear: columns (k,) of wear.
    """
    columns = {name: spread(found[name], worn, len(seconds), otherwise) for name, otherwise in NOT_CLASSIFIED.items()}
    start = origin.astype("datetime64[ms]") + (1000 * seconds).astype("timedelta64[ms]")
    return pd.DataFrame({"epoch_start": start, **columns, **wear})


def _clock_facts(clocks: Synchronization) -> Facts:
    return {
        "synchronization": clocks.status,
        "offset_seconds": round(clocks.offset_seconds, 3),
        "drift_seconds_per_day": round(clocks.drift_seconds_per_day, 4),
        "synchronization_windows": clocks.windows,
        "synchronization_agreeing": clocks.agreeing,
        "synchronization_residual_seconds": round(clocks.residual_seconds, 4),
        "synchronization_error_seconds": round(clocks.error_seconds, 4),
    }


def _pair_facts(epochs: PairEpochs, exchanged: bool, found: ClassifiedEpochs) -> Facts:
    seconds = epochs.rules.seconds
    return {
        "epochs": len(epochs.start),
        "hours_in_common": round(len(epochs.start) * seconds / 3600, 3),
        "wear_hours": round(float(epochs.worn.sum()) * seconds / 3600, 3),
        "swapped": exchanged,
        "swapped_hours": round(float(epochs.swapped.sum()) * seconds / 3600, 3),
        "unused_hours": round(float(epochs.unused.sum()) * seconds / 3600, 3),
        "back_worn_as": str(found.orientation.back),
        "thigh_worn_as": str(found.orientation.thigh),
        "back_attached_anew": len(found.worn_in_parts["back"]) - 1,
        "thigh_attached_anew": len(found.worn_in_parts["thigh"]) - 1,
    }
