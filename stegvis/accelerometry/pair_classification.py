"""From two raw recordings of one person to classified epochs and days: the whole path, in order, for one pair.

Read, check that the two belong together, find wear, put gravity and clocks right, resample both sensors on the epochs
of the back's clock, classify. An epoch in which either sensor was off is non-wear. A week takes less than 1.2 GB.

Belongs here: the order of the steps, and what is handed over. Does not belong here: how a step works, folders, batches
and the warehouse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stegvis.accelerometry.activity import ActivityCode, SpeedCode
from stegvis.accelerometry.calibration import Calibration
from stegvis.accelerometry.classifier import MODEL_FILE, classify_epochs, load_model
from stegvis.accelerometry.cwa import CwaRecording
from stegvis.accelerometry.days import day_table
from stegvis.accelerometry.orientation import Orientation
from stegvis.accelerometry.pair_checks import (
    changed_places,
    check_devices,
    check_overlap,
    clock_problems,
    orientation_problems,
)
from stegvis.accelerometry.pair_epochs import PairEpochs, common_epochs
from stegvis.accelerometry.pair_problems import PairError, Place, Problem
from stegvis.accelerometry.raw_sensor import Facts, Floats, raw_sensor, read_recording, sensor_problems
from stegvis.accelerometry.synchronization import Synchronization, synchronize
from stegvis.study.protocol import protocol

# What stands in the table where an epoch is not classified; the columns it has.
NOT_CLASSIFIED = {
    "activity": ActivityCode.NONWEAR,
    "speed": SpeedCode.NOT_WALKING,
    "confidence": 0,
    "stairs": False,
    "cadence": np.nan,
    "speed_km_per_hour": np.nan,
    "speed_sd_km_per_hour": np.nan,
}


@dataclass(frozen=True)
class PairResult:
    """A classified pair.

    Attributes:
        epochs: one row per epoch in time order: ``epoch_start`` datetime64[ms]; ``activity``, ``speed`` and
            ``confidence`` uint8 (0 in epochs of non-wear, which are not classified); ``stairs``, ``wear_back`` and
            ``wear_thigh`` bool; ``cadence`` (steps/min), ``speed_km_per_hour`` and ``speed_sd_km_per_hour`` float32,
            NaN where not walking. Time that one of the sensors did not record has no row.
        days: see ``days.day_table``.
        quality: plain numbers and words about each step, by name; the same names for every pair.
        problems: what fell short without stopping the pair.
        still_directions: of each device by its serial number, for ``calibration.pooled``.
    """

    epochs: pd.DataFrame
    days: pd.DataFrame
    quality: Facts
    problems: tuple[Problem, ...]
    still_directions: dict[int, Floats]


def process_pair(
    back: Path,
    thigh: Path,
    *,
    calibrations: Mapping[int, Calibration] | None = None,
    nthread: int = 1,
    model_file: Path = MODEL_FILE,
    progress: Callable[[str], None] = lambda _: None,
) -> PairResult:
    """Classify a raw pair.

    Args:
        back, thigh: CWA files.
        calibrations: of devices by serial number, as found from all their recordings; used where one recording does
            not suffice.
        nthread: threads of the classifier.
        model_file: the classifier.
        progress: is told each step as it begins.

    Raises:
        PairError: the pair cannot be classified.
        ModelError: the classifier cannot be used.
    """
    progress("reading both recordings")
    recordings: dict[Place, CwaRecording] = {
        "back": read_recording(back, "back"),
        "thigh": read_recording(thigh, "thigh"),
    }
    check_devices(recordings["back"], recordings["thigh"])
    origin = min(recording.segments[0].start for recording in recordings.values()).astype("datetime64[D]")
    sensors = {place: raw_sensor(recordings[place], place, origin, calibrations or {}) for place in recordings}
    del recordings
    check_overlap(sensors["back"].signal, sensors["thigh"].signal)
    for place, sensor in sensors.items():
        if not sensor.worn.any():
            raise PairError("not_worn", f"the {place} sensor was not worn")
    problems = [problem for place in sensors for problem in sensor_problems(place, sensors[place])]

    exchanged = changed_places(sensors["back"], sensors["thigh"])
    if exchanged:
        sensors = {"back": sensors["thigh"], "thigh": sensors["back"]}
        problems.append(Problem("swapped", "the back and the thigh sensor had changed places; put right"))
    progress("comparing the two clocks")
    clocks = synchronize(
        sensors["back"].signal, sensors["thigh"].signal, sensors["back"].summary, sensors["thigh"].summary
    )
    problems += clock_problems(clocks)
    epochs = common_epochs(sensors, clocks)
    progress(f"classifying {int(epochs.worn.sum()):,} epochs")
    table, worn_as = _classified(epochs, origin, nthread, model_file)
    problems += orientation_problems(worn_as)
    facts = {f"{place}_{name}": fact for place in sensors for name, fact in sensors[place].facts.items()}
    return PairResult(
        epochs=table,
        days=day_table(table),
        quality=facts | _clock_facts(clocks) | _pair_facts(epochs, exchanged, worn_as),
        problems=tuple(problems),
        still_directions={sensor.device_id: sensor.directions for sensor in sensors.values()},
    )


def _classified(
    epochs: PairEpochs, origin: np.datetime64, nthread: int, model_file: Path
) -> tuple[pd.DataFrame, Orientation]:
    """The table of epochs, and how each sensor was worn."""
    worn = np.flatnonzero(epochs.worn)
    follows = np.diff(epochs.start[worn], prepend=epochs.start[worn[0]] - 1) == protocol().epochs.seconds
    found = classify_epochs(
        lambda which: epochs.windows(worn[which]), follows, load_model(model_file, nthread), interpolated=True
    )
    columns: dict[str, NDArray] = {}
    for name, otherwise in NOT_CLASSIFIED.items():
        columns[name] = np.full(len(epochs.start), otherwise, dtype=found.columns[name].dtype)
        columns[name][worn] = found.columns[name]
    start = origin.astype("datetime64[ms]") + (1000 * epochs.start).astype("timedelta64[ms]")
    wear = {f"wear_{place}": epochs.wear[place] for place in epochs.wear}
    return pd.DataFrame({"epoch_start": start, **columns, **wear}), found.orientation


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


def _pair_facts(epochs: PairEpochs, exchanged: bool, worn_as: Orientation) -> Facts:
    seconds = protocol().epochs.seconds
    return {
        "epochs": len(epochs.start),
        "hours_in_common": round(len(epochs.start) * seconds / 3600, 3),
        "wear_hours": round(float(epochs.worn.sum()) * seconds / 3600, 3),
        "swapped": exchanged,
        "back_worn_as": str(worn_as.back),
        "thigh_worn_as": str(worn_as.thigh),
    }
