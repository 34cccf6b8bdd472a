"""Faults planted beside the twin's good deliveries, each with the rule that should name it.

A fault never harms the good data: it stands in a drop of its own whose other rows repeat what was delivered well
(a later correction, an extra batch, an extra wave), so that estimates stay what they are when every fault is caught.

Belongs here: what is wrong, where, and by which rule it is found. Does not belong here: good deliveries
(``deliveries``), how files are written (``files``, ``cwa``), finding faults, which is the pipeline's.
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
from stegvis.study.codebook import codebook
from stegvis.study.protocol import protocol
from stegvis.twin.cwa import encode_stamps, with_checksums
from stegvis.twin.files import complete, write_drop
from stegvis.twin.raw import Worn, write_raw_pair
from stegvis.twin.raw_days import RawDay

# Named before every good batch: of someone's recordings the last batch by name counts, which must stay the good one.
EXTRA_BATCH = "2017-{}"
BASELINE_DROP, CORRECTION = "2020-faults", "faults"
PARTICIPANTS, QUESTIONNAIRE, DAYS = "participants.csv", "questionnaire.csv", "days.csv"
# Rows of a drop with faults: enough that a few bad ones do not condemn the whole.
ROWS, FEWEST_ROWS = 40, 10

# Sectors damaged in a stretch, and one by one.
CORRUPT_STRETCH, CORRUPT_SINGLES = 40, 20
# The clock is set back to this at this share of the recording.
RESET_CLOCK, RESET_AT = np.datetime64("2000-01-01T00:00:00", "s"), 0.6
# The thigh sensor lies on a table from one to five in the morning, seconds after midnight.
OFF_AT_NIGHT = (1 * 3600.0, 5 * 3600.0)


class TooFewPeopleError(ValueError):
    """A twin of this size has not enough people for what is asked of it."""


@dataclass(frozen=True)
class Fault:
    """One planted fault. It names no person.

    Attributes:
        fault: its name.
        delivery: ``<kind>/<name>``.
        file: the file's name; of raw recordings, which are named by person, a pattern of it.
        row: as a person counts, the header being line 1; none where a whole file or drop is meant.
        rule: the rule that should name it: of the contract, of the landing zone, or the column of a check.
    """

    fault: str
    delivery: str
    file: str
    row: int | None
    rule: str


@dataclass(frozen=True)
class Good:
    """What was delivered well, as delivered; nobody in it is withdrawn.

    Attributes:
        participants: baseline rows.
        answers: of the first wave, after its correction.
        days: day totals, one row per person; none of a person delivered otherwise.
        first_wave: its name.
        after: the last year of the last wave.
    """

    participants: pd.DataFrame
    answers: pd.DataFrame
    days: pd.DataFrame
    first_wave: str
    after: int


def plant_faults(out: Path, good: Good) -> list[Fault]:
    """Add a drop for each kind of fault to the deliveries under ``out``.

    Raises:
        TooFewPeopleError: the good deliveries are too few to plant faults among.
    """
    if min(len(good.participants), len(good.answers), len(good.days)) < FEWEST_ROWS:
        raise TooFewPeopleError("there are too few people to plant faults among")
    return [
        *_baseline(out, good),
        *_first_wave(out, good),
        *_extra_waves(out, good),
        *_extra_batches(out, good),
    ]


def plant_raw_faults(out: Path, days: list[RawDay], seed: int) -> list[Fault]:
    """Add a batch with one faulty raw pair for each kind of fault; one person for each, in the order of ``RAW_FAULTS``.

    The people's good recordings stand in other batches.

    Raises:
        ValueError: not one day for each fault.
    """
    planted = []
    for day, (name, (file, rule, write)) in zip(days, RAW_FAULTS.items(), strict=True):
        batch = EXTRA_BATCH.format(name.replace("_", "-"))
        folder = out / "recordings" / batch
        folder.mkdir(parents=True)
        write(folder, day, seed)
        complete(folder)
        planted.append(Fault(name, f"recordings/{batch}", file, None, rule))
    return planted


# --- questionnaires and day totals ----------------------------------------------------------------------------------


def _baseline(out: Path, good: Good) -> Iterator[Fault]:
    """A correction of the baseline: bad cells, impossible answers, and people who stand in it twice."""
    name = _name("participants")
    people, box, screen = good.participants, name["low_back_box"], name["pain_screen"]
    # A box against the screen is no breach of the contract and replaces the good row: of someone without a recording,
    # whom nothing is estimated from.
    unrecorded = people[people[name["recorded_days"]].isna() & (people[box] == 1) & (people[screen] == 1)]
    if unrecorded.empty:
        raise TooFewPeopleError("faults need someone with low back pain and without a recording: take more people")
    against = unrecorded.iloc[[0]]
    rows = pd.concat([against, people.drop(index=against.index).iloc[:ROWS]]).astype(object)
    twice = rows.iloc[-3:]
    # Not a mere repeat: the other age says that one of the two is wrong.
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
    """A correction of the first wave in which one row stands twice."""
    rows = good.answers.iloc[:ROWS]
    drop = f"followup/{good.first_wave}.{CORRECTION}"
    write_drop(out / drop, {QUESTIONNAIRE: pd.concat([rows, rows.iloc[[4]]])})
    yield Fault("duplicate_person", drop, QUESTIONNAIRE, _line(len(rows)), "duplicate")


def _extra_waves(out: Path, good: Good) -> Iterator[Fault]:
    """Waves none of which may be published: one that waits, one that is rejected, three that are refused."""
    name = _name("questionnaire")
    rows = good.answers.iloc[:ROWS]
    years = iter(range(good.after + 1, good.after + 6))

    def wave(fault: str, table: pd.DataFrame, file: str, rule: str) -> tuple[Path, Fault]:
        drop = f"followup/{next(years)}"
        write_drop(out / drop, {QUESTIONNAIRE: table})
        return out / drop, Fault(fault, drop, file, None, rule)

    misnamed = rows.rename(columns={name["pain_screen"]: name["pain_screen"].removesuffix("Q")})
    yield wave("wrong_column", misnamed, QUESTIONNAIRE, "missing_column")[1]
    yield wave("empty_wave", rows.iloc[:0], QUESTIONNAIRE, "empty")[1]
    # No identifier of the twin begins so.
    strangers = rows.assign(**{name["person"]: "X" + rows[name["person"]].astype(str)})
    yield wave("people_not_in_the_cohort", strangers, QUESTIONNAIRE, "in_cohort")[1]
    folder, fault = wave("no_drop_json", rows, "drop.json", "no_manifest")
    (folder / "drop.json").unlink()
    yield fault
    folder, fault = wave("hash_does_not_match", rows, QUESTIONNAIRE, "hash_mismatch")
    with (folder / QUESTIONNAIRE).open("a", encoding="utf-8") as file:
        file.write("\n")
    yield fault


def _extra_batches(out: Path, good: Good) -> Iterator[Fault]:
    """A batch with days of more than 24 hours, and one whose file is cut off."""
    name, most = _name("days"), protocol().days.seconds_per_day
    rows = good.days.iloc[:ROWS].reset_index(drop=True)
    long, longer = rows.copy(), name["sitting"].format(day=1)
    complete_day = rows[[source.format(day=1) for source in name.values()]].notna().all(axis=1)
    fit = np.flatnonzero(complete_day & (rows[longer] < most // 2))
    if len(fit) < 2:
        raise TooFewPeopleError("faults need two people with a whole first day: take more people")
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
    # Cut off before it was sent: the hash is that of what arrived.
    (out / drop / "drop.json").unlink()
    complete(out / drop)
    yield Fault("truncated_parquet", drop, file, None, "unreadable")


def _name(layout: Any) -> dict[str, str]:
    """Canonical to delivered column names of one layout of the codebook."""
    return {name: column.source[0] for name, column in codebook()[layout].columns.items()}


def _line(row: int) -> int:
    """Line of a table's row (from 0) in its file, below the header."""
    return row + 2


# --- raw pairs ------------------------------------------------------------------------------------------------------


def _write(folder: Path, day: RawDay, seed: int, **faults: Any) -> tuple[Path, Path]:
    """The pair's back and thigh file."""
    write_raw_pair(folder, day.person, 1, seed, start=day.start, sequence=day.sequence, **faults)
    return folder / f"{day.person}_back.cwa", folder / f"{day.person}_thigh.cwa"


def _corrupt_blocks(folder: Path, day: RawDay, seed: int) -> None:
    """Samples overwritten as by a bad memory card, in a stretch and here and there; the checksums tell."""
    back, _ = _write(folder, day, seed)
    header, sectors = _sectors(back)
    middle = len(sectors) // 2
    singles = np.linspace(100, middle - 100, CORRUPT_SINGLES).astype(np.int64)
    harmed = np.concatenate([singles, np.arange(middle, middle + CORRUPT_STRETCH)])
    data = sectors.view(np.uint8).reshape(len(sectors), -1)
    data[harmed, SECTOR.fields["data"][1] + 7] ^= 0x5A  # type: ignore[index]
    back.write_bytes(header + sectors.tobytes())


def _swapped(folder: Path, day: RawDay, seed: int) -> None:
    _write(folder, day, seed, swapped=True)


def _upside_down(folder: Path, day: RawDay, seed: int) -> None:
    _write(folder, day, seed, back=Worn(upside_down=True))


def _off_at_night(folder: Path, day: RawDay, seed: int) -> None:
    _write(folder, day, seed, thigh=Worn(off=(OFF_AT_NIGHT,)))


def _clock_reset(folder: Path, day: RawDay, seed: int) -> None:
    """The device restarts within the day and counts on from the year 2000; its sectors are whole."""
    _, thigh = _write(folder, day, seed)
    header, sectors = _sectors(thigh)
    after = sectors[int(RESET_AT * len(sectors)) :]
    times = decode_stamps(after["stamp"])
    after["stamp"] = encode_stamps(times - (times[0] - RESET_CLOCK))
    with_checksums(after)
    thigh.write_bytes(header + sectors.tobytes())


def _sectors(file: Path) -> tuple[bytes, NDArray[Any]]:
    """The header and the sectors of a raw file, to be changed."""
    content = file.read_bytes()
    return content[:HEADER_BYTES], np.frombuffer(bytearray(content[HEADER_BYTES:]), dtype=SECTOR)


# By name: the file concerned (both of a swapped pair), the rule that should name it, and how the pair is written.
RAW_FAULTS: dict[str, tuple[str, str, Callable[[Path, RawDay, int], None]]] = {
    "corrupt_blocks": ("*_back.cwa", "masked_blocks", _corrupt_blocks),
    "swapped_files": ("*.cwa", "swapped", _swapped),
    "upside_down": ("*_back.cwa", "upside_down", _upside_down),
    "off_at_night": ("*_thigh.cwa", "nonwear", _off_at_night),
    "clock_reset": ("*_thigh.cwa", "clock_goes_back", _clock_reset),
}
