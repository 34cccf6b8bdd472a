"""How a batch was worn: a folder of raw pairs, which are classified for it, or a batch of a home."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from stegvis.reporting.wear import DAY_RULES, WornRecording
from stegvis.study.protocol import Protocol

if TYPE_CHECKING:
    from stegvis.storage.home import Home

BACK, THIGH = "_back", "_thigh"
_HOURS = {"back": "back_wear_hours", "thigh": "thigh_wear_hours", "both": "wear_hours"}

RECORDINGS = """
select person, status, rule, reason, problems, back_wear_hours, thigh_wear_hours, wear_hours
from recordings
where batch = ? and level <> 'days' and status <> 'superseded'
order by person
"""
VALID_DAYS = """
select
    person,
    count(*) filter (where valid_as_published) as as_published,
    count(*) filter (where valid_whole_day) as whole_day,
    count(*) filter (where valid_worn) as worn
from daily_exposures
where batch = ? and source = 'epochs'
group by person
"""


class NoRecordingsError(ValueError):
    """There are no recordings; the message says where."""


def of_folder(folder: Path, protocol: Protocol, progress: Callable[[str], None]) -> Iterator[WornRecording]:
    """Classify every raw pair of a folder, ``<name>_back.cwa`` and ``<name>_thigh.cwa``, in the order of names.

    A thigh without a back, or with one that cannot be used, is classified by itself.

    A pair that cannot be used is one of them, with the reason; so is half a pair.

    Raises:
        NoRecordingsError: there is none.
    """
    halves: dict[str, dict[str, Path]] = {BACK: {}, THIGH: {}}
    for file in sorted(folder.iterdir()):
        for half, found in halves.items():
            if file.suffix.lower() == ".cwa" and file.stem.lower().endswith(half):
                found[file.stem[: -len(half)]] = file
    names = sorted(halves[BACK] | halves[THIGH])
    if not names:
        raise NoRecordingsError(f"{folder.name} has no files named <name>_back.cwa and <name>_thigh.cwa")
    for number, name in enumerate(names, 1):
        progress(f"recording {number} of {len(names)}")
        back, thigh = (found.get(name) for found in halves.values())
        yield _of_pair(name, back, thigh, protocol)


def _of_pair(name: str, back: Path | None, thigh: Path | None, protocol: Protocol) -> WornRecording:
    from stegvis.accelerometry.method import Method
    from stegvis.accelerometry.pair_problems import PairError
    from stegvis.accelerometry.thigh_classification import classify_recording
    from stegvis.orchestration.classify import days_of

    none = dict.fromkeys(DAY_RULES, 0)
    if thigh is None:
        return WornRecording(name, "half_missing", "the file of the thigh sensor is missing", {}, none, ())
    try:
        result = classify_recording([file for file in (back, thigh) if file], Method.of(protocol))
    except PairError as error:
        return WornRecording(name, error.rule, str(error), {}, none, ())
    days = days_of(result, protocol)
    hours = _hours({sensor: result.quality.get(column) for sensor, column in _HOURS.items()})
    valid = {rule: int(days[rule].sum()) for rule in DAY_RULES}
    return WornRecording(name, "", "", hours, valid, tuple(str(each.rule) for each in result.problems))


def of_batch(home: Home, batch: str) -> list[WornRecording]:
    """The recordings of a batch of a home; what they are listed by is empty, as they are only counted.

    Raises:
        NoRecordingsError: the batch has none of which wear is known.
    """
    from stegvis.storage.warehouse import Warehouse

    if not home.warehouse.exists():
        raise NoRecordingsError(f"{home.root} has no warehouse yet; run stegvis refresh")
    with Warehouse(home).session("wear") as connection:
        recordings = connection.execute(RECORDINGS, [batch]).df()
        days = connection.execute(VALID_DAYS, [batch]).df().set_index("person")
    if recordings.empty:
        raise NoRecordingsError(f"the home has no recordings but day totals of a batch {batch}")
    return [_of_row(row, days) for row in recordings.itertuples(index=False)]


def _of_row(row: Any, days: pd.DataFrame) -> WornRecording:
    accepted = row.status == "accepted"
    valid = days.loc[row.person] if accepted and row.person in days.index else dict.fromkeys(DAY_RULES, 0)
    return WornRecording(
        name="",
        rule="" if accepted else str(row.rule),
        reason="",
        hours=_hours({sensor: getattr(row, column) for sensor, column in _HOURS.items()}),
        valid_days={rule: int(valid[rule]) for rule in DAY_RULES},
        notes=tuple(row.problems.split(", ")) if isinstance(row.problems, str) and row.problems else (),
    )


def _hours(given: dict[str, Any]) -> dict[str, float]:
    """The hours that are known; of one sensor alone there are none of both."""
    known = {sensor: float(hours) for sensor, hours in given.items() if pd.notna(hours)}
    return {sensor: hours for sensor, hours in known.items() if sensor != "both" or len(known) == len(given)}
