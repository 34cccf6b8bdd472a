"""Read labeled recordings in the layout of NTNU's walking-speeds set (24 adults, har_ws_adults).

ASSUMED from the set's public preview, the files themselves not having been at hand: ``subject``; ``timestamp`` with a
time zone; ``thigh_acc_x`` ... ``back_acc_z`` in g near 50 Hz; ``label`` "walk" or "run"; ``variant``; ``speed_kph``,
the speed of the treadmill or course. A file holds one person or several. Standing reads x near +1 g there: both sensors
are the other way up than in HARTH, which the features do not notice.

Belongs here: that layout. Does not belong here: other layouts (``recording``), training.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from stegvis.accelerometry.activity import UNLABELED, ActivityCode
from stegvis.accelerometry.recording import LabeledRecording, RecordingError
from stegvis.accelerometry.signal import SignalError, check_signal

AXES = ("back_acc_x", "back_acc_y", "back_acc_z", "thigh_acc_x", "thigh_acc_y", "thigh_acc_z")
COLUMNS = ("subject", "timestamp", *AXES, "label", "speed_kph")
LABELS = {
    "walk": ActivityCode.WALKING,
    "run": ActivityCode.RUNNING,
    "stand": ActivityCode.STANDING,
    "sit": ActivityCode.SITTING,
    "lie": ActivityCode.LYING,
    "cycle": ActivityCode.CYCLING,
}


def read_walking_speeds(file: Path) -> dict[str, LabeledRecording]:
    """Each person's labeled recording in one file; labels that are not listed here are left unlabeled.

    Raises:
        RecordingError: the file cannot be read, lacks a column, or a signal breaks a rule of ``check_signal``.
    """
    try:
        table = pd.read_parquet(file) if file.suffix == ".parquet" else pd.read_csv(file)
    except (OSError, ValueError) as error:
        raise RecordingError(f"{file.name}: cannot be read ({type(error).__name__})") from None
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise RecordingError(f"{file.name}: missing column {', '.join(missing)}")
    table = table.dropna(subset=["subject", "timestamp", *AXES])
    return {str(name): _recording(part, file) for name, part in table.groupby("subject", sort=True)}


def _recording(table: pd.DataFrame, file: Path) -> LabeledRecording:
    try:
        # The clock runs in universal time, so that a change to or from summer time is no step.
        clock = pd.to_datetime(table["timestamp"], utc=True).dt.tz_localize(None).to_numpy()
        signal = check_signal(clock, table[list(AXES)].to_numpy(dtype=np.float32))
        speed = table["speed_kph"].to_numpy(dtype=np.float32, na_value=np.nan)
    except SignalError as error:
        raise RecordingError(f"{file.name}: {error}") from None
    except (TypeError, ValueError):
        raise RecordingError(f"{file.name}: times, accelerations or speeds are not what they should be") from None
    activity = np.asarray(table["label"].map(LABELS).fillna(UNLABELED), dtype=np.uint8)
    return LabeledRecording(signal, activity, np.zeros(len(table), dtype=bool), speed)
