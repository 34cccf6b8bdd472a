"""Read labeled recordings in the layout of NTNU's walking-speeds dataset (24 adults, har_ws_adults).

ASSUMED from the public preview of the dataset, because the files were not available: ``subject``; ``timestamp`` with a
time zone; ``thigh_acc_x`` ... ``back_acc_z`` in g, about 50 Hz; ``label`` "walk" or "run"; ``variant``; ``speed_kph``,
the speed of the treadmill or course. A file holds one or more people. While standing, x reads about +1 g: both sensors
are upside down compared with HARTH, which does not affect the features.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from stegvis.accelerometry.activity import UNLABELED, ActivityCode
from stegvis.accelerometry.recording import LabeledRecording, RecordingError
from stegvis.accelerometry.signal import SignalError, check_signal
from stegvis.study.protocol import Epochs

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


def read_walking_speeds(file: Path, epoch_rules: Epochs) -> dict[str, LabeledRecording]:
    """Each person's labeled recording in one file; labels other than ``LABELS`` become unlabeled.

    Raises:
        RecordingError: the file cannot be read, lacks a column, or a signal is refused by ``check_signal``.
    """
    try:
        table = pd.read_parquet(file) if file.suffix == ".parquet" else pd.read_csv(file)
    except (OSError, ValueError) as error:
        raise RecordingError(f"{file.name}: cannot be read ({type(error).__name__})") from None
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise RecordingError(f"{file.name}: missing column {', '.join(missing)}")
    table = table.dropna(subset=["subject", "timestamp", *AXES])
    return {str(name): _recording(part, file, epoch_rules) for name, part in table.groupby("subject", sort=True)}


def _recording(table: pd.DataFrame, file: Path, epoch_rules: Epochs) -> LabeledRecording:
    try:
        # In universal time, so that a change to or from summer time causes no jump.
        clock = pd.to_datetime(table["timestamp"], utc=True).dt.tz_localize(None).to_numpy()
        signal = check_signal(clock, table[list(AXES)].to_numpy(dtype=np.float32), epoch_rules)
        speed = table["speed_kph"].to_numpy(dtype=np.float32, na_value=np.nan)
    except SignalError as error:
        raise RecordingError(f"{file.name}: {error}") from None
    except (TypeError, ValueError):
        raise RecordingError(f"{file.name}: invalid times, accelerations or speeds") from None
    activity = np.asarray(table["label"].map(LABELS).fillna(UNLABELED), dtype=np.uint8)
    return LabeledRecording(signal, activity, np.zeros(len(table), dtype=bool), speed)
