"""Faults planted beside the twin's good deliveries, each with the rule that should name it.

A fault never damages the good data. It is in a drop of its own whose other rows repeat good rows (a later correction,
an extra batch, an extra wave), so that estimates do not change when every fault is found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stegvis.accelerometry.cwa_format import HEADER_BYTES, SECTOR, decode_stamps
from stegvis.study.codebook import Codebook, Layout
from stegvis.study.protocol import Protocol
from stegvis.twin.cohort import TooFewPeopleError
from stegvis.twin.cwa import encode_stamps, with_checksums
from stegvis.twin.files import complete, write_drop
from stegvis.twin.gait_parameters import GaitParameters
from stegvis.twin.raw import Worn, write_raw_pair
from stegvis.twin.raw_days import RawDay
from stegvis.twin.tables import delivered_names

# Named before every good batch: a person's last batch by name is used, and that must remain the good one.
EXTRA_BATCH = "2017-{}"
BASELINE_DROP, CORRECTION = "2020-faults", "faults"
PARTICIPANTS, QUESTIONNAIRE, DAYS = "participants.csv", "questionnaire.csv", "days.csv"
# Rows of a drop with faults: enough that a few bad rows do not block the whole drop.
ROWS, FEWEST_ROWS = 40, 10

# Sectors damaged in a stretch, and one by one.
CORRUPT_STRETCH, CORRUPT_SINGLES = 40, 20
# The clock is set back to this at this share of the recording.
RESET_CLOCK, RESET_AT = np.datetime64("2000-01-01T00:00:00", "s"), 0.6
# The thigh sensor lies on a table from one to five in the morning, seconds after midnight.
OFF_AT_NIGHT = (1 * 3600.0, 5 * 3600.0)


@dataclass(frozen=True)
class Fault:
    """One planted fault. It names no person.

    Attributes:
        fault: its name.
        delivery: ``<kind>/<name>``.
        file: the file's name; for raw recordings, which are named by person, a pattern.
        row: counted from the header, which is line 1; none where the whole file or drop is meant.
        rule: the rule that should name it: of the contract, of the landing zone, or the column of a check.
    """

    fault: str
    delivery: str
    file: str
    row: int | None
    rule: str


@dataclass(frozen=True)
class Good:
    """The good deliveries, as delivered, without people who withdrew.

    Attributes:
        participants: baseline rows.
        responses: of the first wave, after its correction.
        days: day totals, one row per person delivered as day totals.
        first_wave: its name.
        last_year: of the last wave.
    """

    participants: pd.DataFrame
    responses: pd.DataFrame
    days: pd.DataFrame
    first_wave: str
    last_year: int


def plant_faults(out: Path, good: Good, protocol: Protocol, codebook: Codebook) -> list[Fault]:
    """Add a drop for each kind of fault to the deliveries under ``out``.

    Raises:
        TooFewPeopleError: the good deliveries are too few to plant faults among.
    """
    if min(len(good.participants), len(good.responses), len(good.days)) < FEWEST_ROWS:
        raise TooFewPeopleError("there are too few people to plant faults among")
    return [
        *_baseline(out, good, codebook.participants),
        *_first_wave(out, good),
        *_extra_waves(out, good, codebook.questionnaire),
        *_extra_batches(out, good, codebook.days, protocol.days.seconds_per_day),
    ]


def plant_raw_faults(
    out: Path, days: list[RawDay], seed: int, protocol: Protocol, moving: GaitParameters
) -> list[Fault]:
    """Add a batch with one faulty raw pair for each kind of fault; one person for each, in the order of ``RAW_FAULTS``.

    The people's good recordings are in other batches.

    Raises:
        ValueError: not one day for each fault.
    """
    planted = []
    for day, (name, (file, rule, write)) in zip(days, RAW_FAULTS.items(), strict=True):
        batch = EXTRA_BATCH.format(name.replace("_", "-"))
        folder = out / "recordings" / batch
        folder.mkdir(parents=True)
        write(folder, day, seed, protocol, moving)
        complete(folder)
        planted.append(Fault(name, f"recordings/{batch}", file, None, rule))
    return planted


# --- questionnaires and day totals ----------------------------------------------------------------------------------


def _baseline(out: Path, good: Good, layout: Layout) -> Iterator[Fault]:
    """A correction of the baseline: bad cells, impossible answers, and people with two rows."""
    name = delivered_names(layout)
    people, box, screen = good.participants, name["low_back_box"], name["pain_screen"]
    # A box that contradicts the screen does not break the contract, so the row replaces the good one. It is that of
    # someone without a recording, who enters no estimate.
    unrecorded = people[people[name["recorded_days"]].isna() & (people[box] == 1) & (people[screen] == 1)]
    if unrecorded.empty:
        raise TooFewPeopleError("faults need someone with low back pain and without a recording: take more people")
    against = unrecorded.iloc[[0]]
    rows = pd.concat([against, people.drop(index=against.index).iloc[:ROWS]]).astype(object)
    twice = rows.iloc[-3:]
    # Not an exact copy: the ages differ, so one of the two rows is wrong.
    twice = twice.assign(**{name["age"]: twice[name["age"]] + 1})
    faulty = pd.concat([rows, twice], ignore_index=True)
    cells: list[tuple[str, int, str, int | str, str]] = [
        ("low_back_box_against_screen", 0, "pain_screen", 0, "box_against_screen"),
        ("wrong_type", 2, "age", "about sixty", "wrong_type"),
        ("unknown_code", 3, "smoking", 9, "unknown_code"),
        ("impossible_age", 4, "age", 150, "out_of_range"),
        ("impossible_depression_score", 5, "depression_score", 30, "out_of_range"),
    ]
    drop = f"baseline/{BASELINE_DROP}"
    for fault, row, column, value, rule in cells:
        faulty.loc[row, name[column]] = value
        yield Fault(fault, drop, PARTICIPANTS, _line(row), rule)
    for row in range(len(rows), len(faulty)):
        yield Fault("duplicated_people", drop, PARTICIPANTS, _line(row), "duplicate")
    write_drop(out / drop, {PARTICIPANTS: faulty})


def _first_wave(out: Path, good: Good) -> Iterator[Fault]:
    """A correction of the first wave with a duplicate row."""
    rows = good.responses.iloc[:ROWS]
    drop = f"followup/{good.first_wave}.{CORRECTION}"
    write_drop(out / drop, {QUESTIONNAIRE: pd.concat([rows, rows.iloc[[4]]])})
    yield Fault("duplicate_person", drop, QUESTIONNAIRE, _line(len(rows)), "duplicate")


def _extra_waves(out: Path, good: Good, layout: Layout) -> Iterator[Fault]:
    """Waves that may not be published: one is incomplete, one is rejected, three are refused."""
    name = delivered_names(layout)
    rows = good.responses.iloc[:ROWS]
    years = iter(range(good.last_year + 1, good.last_year + 6))

    def wave(fault: str, table: pd.DataFrame, file: str, rule: str) -> tuple[Path, Fault]:
        drop = f"followup/{next(years)}"
        write_drop(out / drop, {QUESTIONNAIRE: table})
        return out / drop, Fault(fault, drop, file, None, rule)

    misnamed = rows.rename(columns={name["pain_screen"]: name["pain_screen"].removesuffix("Q")})
    yield wave("wrong_column", misnamed, QUESTIONNAIRE, "missing_column")[1]
    yield wave("empty_wave", rows.iloc[:0], QUESTIONNAIRE, "empty")[1]
    # No identifier of the twin begins with X.
    strangers = rows.assign(**{name["person"]: "X" + rows[name["person"]].astype(str)})
    yield wave("people_not_in_the_cohort", strangers, QUESTIONNAIRE, "in_cohort")[1]
    folder, fault = wave("no_drop_json", rows, "drop.json", "no_manifest")
    (folder / "drop.json").unlink()
    yield fault
    folder, fault = wave("hash_does_not_match", rows, QUESTIONNAIRE, "hash_mismatch")
    with (folder / QUESTIONNAIRE).open("a", encoding="utf-8") as file:
        file.write("\n")
    yield fault


def _extra_batches(out: Path, good: Good, layout: Layout, most: int) -> Iterator[Fault]:
    """A batch with days of more than 24 hours (``most`` seconds), and one whose file is truncated."""
    name = delivered_names(layout)
    rows = good.days.iloc[:ROWS].reset_index(drop=True)
    long, longer = rows.copy(), name["sitting"].format(day=1)
    complete_day = rows[[source.format(day=1) for source in name.values()]].notna().all(axis=1)
    fit = np.flatnonzero(complete_day & (rows[longer] < most // 2))
    if len(fit) < 2:
        raise TooFewPeopleError("faults need two people with a complete first day: take more people")
    first, second = fit[:2]
    long.loc[first, longer] += most // 2
    long.loc[second, longer] = most + 3600
    drop = f"recordings/{EXTRA_BATCH.format('long-days')}"
    write_drop(out / drop, {DAYS: long})
    yield Fault("day_over_24_hours", drop, DAYS, _line(int(first)), "day_over_24_hours")
    yield Fault("activity_over_24_hours", drop, DAYS, _line(int(second)), "out_of_range")

    drop, file = f"recordings/{EXTRA_BATCH.format('truncated')}", "days.parquet"
    write_drop(out / drop, {file: rows})
    whole = (out / drop / file).read_bytes()
    (out / drop / file).write_bytes(whole[: len(whole) // 2])
    # Truncated before it was sent: the hash is that of the truncated file.
    (out / drop / "drop.json").unlink()
    complete(out / drop)
    yield Fault("truncated_parquet", drop, file, None, "unreadable")


def _line(row: int) -> int:
    """Line number in the file of a table's row (from 0), below the header."""
    return row + 2


# --- raw pairs ------------------------------------------------------------------------------------------------------


def _write(
    folder: Path, day: RawDay, seed: int, protocol: Protocol, moving: GaitParameters, **faults: Any
) -> tuple[Path, Path]:
    """Write the pair; returns the back's and the thigh's file."""
    write_raw_pair(
        folder,
        day.person,
        1,
        seed,
        protocol=protocol,
        start=day.start,
        sequence=day.sequence,
        parameters=moving,
        **faults,
    )
    return folder / f"{day.person}_back.cwa", folder / f"{day.person}_thigh.cwa"


def _corrupt_blocks(folder: Path, day: RawDay, seed: int, protocol: Protocol, moving: GaitParameters) -> None:
    """Samples overwritten as by a bad memory card, in one stretch and in single sectors; the checksums show it."""
    back, _ = _write(folder, day, seed, protocol, moving)
    header, sectors = _sectors(back)
    middle = len(sectors) // 2
    singles = np.linspace(100, middle - 100, CORRUPT_SINGLES).astype(np.int64)
    harmed = np.concatenate([singles, np.arange(middle, middle + CORRUPT_STRETCH)])
    data = sectors.view(np.uint8).reshape(len(sectors), -1)
    data[harmed, SECTOR.fields["data"][1] + 7] ^= 0x5A  # type: ignore[index]
    back.write_bytes(header + sectors.tobytes())


def _swapped(folder: Path, day: RawDay, seed: int, protocol: Protocol, moving: GaitParameters) -> None:
    _write(folder, day, seed, protocol, moving, swapped=True)


def _upside_down(folder: Path, day: RawDay, seed: int, protocol: Protocol, moving: GaitParameters) -> None:
    _write(folder, day, seed, protocol, moving, back=Worn(upside_down=True))


def _off_at_night(folder: Path, day: RawDay, seed: int, protocol: Protocol, moving: GaitParameters) -> None:
    _write(folder, day, seed, protocol, moving, thigh=Worn(off=(OFF_AT_NIGHT,)))


def _clock_reset(folder: Path, day: RawDay, seed: int, protocol: Protocol, moving: GaitParameters) -> None:
    """The device restarts within the day and its clock goes on from the year 2000; its sectors are intact."""
    _, thigh = _write(folder, day, seed, protocol, moving)
    header, sectors = _sectors(thigh)
    after = sectors[int(RESET_AT * len(sectors)) :]
    times = decode_stamps(after["stamp"])
    after["stamp"] = encode_stamps(times - (times[0] - RESET_CLOCK))
    with_checksums(after)
    thigh.write_bytes(header + sectors.tobytes())


def _sectors(file: Path) -> tuple[bytes, NDArray[Any]]:
    """The header of a raw file, and its sectors in an array that may be changed."""
    content = file.read_bytes()
    return content[:HEADER_BYTES], np.frombuffer(bytearray(content[HEADER_BYTES:]), dtype=SECTOR)


# By name: the file concerned (both of a swapped pair), the rule that should name it, and how the pair is written.
RAW_FAULTS: dict[str, tuple[str, str, Callable[[Path, RawDay, int, Protocol, GaitParameters], None]]] = {
    "corrupt_blocks": ("*_back.cwa", "masked_blocks", _corrupt_blocks),
    "swapped_files": ("*.cwa", "swapped", _swapped),
    "upside_down": ("*_back.cwa", "upside_down", _upside_down),
    "off_at_night": ("*_thigh.cwa", "nonwear", _off_at_night),
    "clock_reset": ("*_thigh.cwa", "clock_goes_back", _clock_reset),
}
