"""Read one synchronized signal, with or without labels, from a Parquet or CSV file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stegvis.accelerometry.activity import NTNU_STAIRS, from_ntnu_labels
from stegvis.accelerometry.signal import AXES, Signal, SignalError, check_signal
from stegvis.study.protocol import Epochs

# Integer columns are counts; the public datasets store acceleration this way.
COUNTS_PER_G = np.float32(4096)


class RecordingError(ValueError):
    """A file that is not a synchronized two-sensor signal; the message names the file and the reason."""


@dataclass(frozen=True)
class LabeledRecording:
    """One person's signal with the labels of its samples (n,).

    Attributes:
        signal: the signal.
        activity: uint8 activity codes, ``UNLABELED`` where unknown.
        stairs: bool, walking on stairs.
        km_per_hour: float32 measured walking speed, NaN where unknown; ``None`` if no sample has one.
    """

    signal: Signal
    activity: NDArray[np.uint8]
    stairs: NDArray[np.bool_]
    km_per_hour: NDArray[np.float32] | None = None


def read_signal(file: Path, epoch_rules: Epochs) -> Signal:
    """Read ``timestamp, back_x..z, thigh_x..z`` from a parquet or csv file.

    Floats are g; integers are counts of 1/4096 g. Further columns are ignored.

    Raises:
        RecordingError: the file cannot be read, lacks a column, or is refused by ``check_signal``.
    """
    return _signal(_read(file, ()), file, epoch_rules)


def read_labeled(file: Path, epoch_rules: Epochs) -> LabeledRecording:
    """Read a signal with its ``label`` column (NTNU codes), as activity codes.

    Raises:
        RecordingError: as ``read_signal``; or there is no label column, or a label is not a number.
    """
    table = _read(file, ("label",))
    # check_signal drops samples with a missing value; their labels must be dropped too.
    table = table.dropna(subset=["timestamp", *AXES])
    signal = _signal(table, file, epoch_rules)
    try:
        activity = from_ntnu_labels(table["label"])
    except ValueError as error:
        raise RecordingError(f"{file.name}: {error}") from None
    return LabeledRecording(signal, activity, table["label"].isin(NTNU_STAIRS).to_numpy(dtype=bool))


def _read(file: Path, more: tuple[str, ...]) -> pd.DataFrame:
    required = ("timestamp", *AXES, *more)
    try:
        if file.suffix == ".parquet":
            import pyarrow.parquet

            names = pyarrow.parquet.read_schema(file).names
        elif file.suffix == ".csv":
            names = list(pd.read_csv(file, nrows=0).columns)
        else:
            raise RecordingError(f"{file.name}: a signal is a .parquet or .csv file")
        _check_columns(file, names, required)
        columns = list(required)
        table = pd.read_parquet(file, columns=columns) if file.suffix == ".parquet" else _read_csv(file, columns)
    except RecordingError:
        raise
    except (OSError, ValueError) as error:
        # Parsers quote the text that they could not parse, which is a person's data.
        raise RecordingError(
            f"{file.name}: cannot be read as a {file.suffix[1:]} signal ({type(error).__name__})"
        ) from None
    return table


def _read_csv(file: Path, columns: list[str]) -> pd.DataFrame:
    return pd.read_csv(file, usecols=columns, parse_dates=["timestamp"])[columns]


def _check_columns(file: Path, names: list[str], required: tuple[str, ...]) -> None:
    missing = [name for name in required if name not in names]
    if any(name.startswith("back_") for name in missing):
        raise RecordingError(
            f"{file.name}: no complete back sensor (missing {', '.join(missing)}); "
            "the classifier needs the lower back and the thigh"
        )
    if missing:
        raise RecordingError(f"{file.name}: missing column {', '.join(missing)}")


def _signal(table: pd.DataFrame, file: Path, epoch_rules: Epochs) -> Signal:
    try:
        return check_signal(table["timestamp"].to_numpy(), in_g(table), epoch_rules)
    except SignalError as error:
        raise RecordingError(f"{file.name}: {error}") from None


def in_g(table: pd.DataFrame) -> NDArray[np.float32]:
    """The six axes as (n, 6) float32 in g, for columns in g or in counts.

    Raises:
        SignalError: a column is not numeric.
    """
    values = np.empty((len(table), len(AXES)), dtype=np.float32)
    for position, axis in enumerate(AXES):
        column = table[axis]
        if not pd.api.types.is_numeric_dtype(column.dtype):
            raise SignalError("the acceleration is not numeric")
        scale = COUNTS_PER_G if pd.api.types.is_integer_dtype(column.dtype) else np.float32(1)
        values[:, position] = column.to_numpy(dtype=np.float32, na_value=np.nan) / scale
    return values
