"""What the files of a recordings batch hold, by their names; ``stegvis validate`` and the refresh both read it here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from stegvis.storage.manifest import Issue
from stegvis.storage.names import TABLE_ENDINGS

Level = Literal["raw", "signal", "epochs", "days"]

BACK, THIGH = "_back", "_thigh"


@dataclass(frozen=True)
class RecordingFiles:
    """One recording, or one table of many people's: its level and files, and the person a raw or signal file names.

    A raw recording has two files, back before thigh, or that of the thigh alone.
    """

    level: Level
    files: tuple[str, ...]
    person: str | None = None


def recording_level(file: str) -> Level | None:
    """What a file of a batch holds by the documented names; None if it holds no recording."""
    stem, ending = PurePath(file).stem, PurePath(file).suffix.lower()
    if ending == ".cwa":
        return "raw"
    if stem == "days":
        return "days" if ending in TABLE_ENDINGS else None
    if stem == "epochs":
        return "epochs" if ending == ".parquet" else None
    return "signal" if ending in (".csv", ".parquet") else None


def sensor_of(file: str) -> tuple[str, str] | None:
    """The person and the half of the pair (``_back``, ``_thigh``) that a raw file's name gives; None if neither."""
    stem = PurePath(file).stem
    half = next((each for each in (BACK, THIGH) if stem.casefold().endswith(each)), None)
    person = person_in(stem[: -len(half)]) if half else None
    return (person, half) if half and person else None


def recordings_of(files: Iterable[str]) -> tuple[list[RecordingFiles], list[Issue]]:
    """The recordings of a batch, in the order of their files' names, and the files that cannot belong to one.

    Args:
        files: the names of all files of one drop.

    Returns:
        Recordings, and issues ``unknown_file``, ``file_name`` (a raw file that names no sensor) and ``half_missing``.
        Tables in a format that their reading will refuse (``epochs.csv``) are among the recordings.
    """
    names = list(files)
    sensors = {sensor: name for name in names if _ending(name) == ".cwa" and (sensor := sensor_of(name))}
    recordings, issues = [], []
    for name in names:
        stem, ending = PurePath(name).stem, _ending(name)
        if ending in TABLE_ENDINGS:
            match stem:
                case "days" | "epochs":
                    recordings.append(RecordingFiles(stem, (name,)))
                case _:
                    person = person_in(stem)
                    if person is None:
                        message = "the name of a signal's file must be a person's identifier"
                        issues.append(Issue(name, "file_name", message))
                    else:
                        recordings.append(RecordingFiles("signal", (name,), person))
            continue
        if ending != ".cwa":
            message = "not a recording: expected day totals, epochs, a signal or a raw pair"
            issues.append(Issue(name, "unknown_file", message))
            continue
        sensor = sensor_of(name)
        if sensor is None:
            message = "a raw recording is named <person>_back.cwa or <person>_thigh.cwa"
            issues.append(Issue(name, "file_name", message))
            continue
        person, half = sensor
        other = sensors.get((person, THIGH if half == BACK else BACK))
        if half == BACK and other is None:
            message = "the thigh's recording is missing; a back alone cannot be classified"
            issues.append(Issue(name, "half_missing", message))
        elif half == BACK and other is not None:
            recordings.append(RecordingFiles("raw", (name, other), person))
        elif other is None:
            recordings.append(RecordingFiles("raw", (name,), person))
    return recordings, issues


def person_in(name: str) -> str | None:
    """The identifier in a file's name, by the rule of every cell that holds one; None if it is none."""
    from stegvis.deliveries.identifiers import BadIdentifierError, read_identifier

    try:
        return read_identifier(name)
    except BadIdentifierError:
        return None


def _ending(name: str) -> str:
    return PurePath(name).suffix.lower()
