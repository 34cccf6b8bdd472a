"""Day totals with one row per person and day, and the tables of named programs as such days.

``reader = "actipass"``, ``"actimotus"`` or ``"ggir"`` in the codebook's ``[days]`` names the program whose table is
delivered; the columns are then those of the program.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from stegvis.deliveries.contract import Contracted, apply_contract, blank_frame
from stegvis.deliveries.day_units import ACTIVITIES, in_minutes, seconds_of_day, to_seconds
from stegvis.deliveries.problems import file_problem, join_problems, row_problems
from stegvis.study.codebook import Column, Layout
from stegvis.study.protocol_recordings import Days

PERSON = ("person", "PID", "SubjectID", "ID", "subject_id", "id")
# What ActiPASS calls each activity, added up. It divides walking at 100 steps a minute, which is moderate by cadence
# (Tudor-Locke et al. 2018, doi 10.1136/bjsports-2017-097628); it has no class above. Stairs are walking.
ACTIPASS = {
    "lying": ("SleepInterval", "Lie"),
    "sitting": ("Sit",),
    "standing": ("Stand", "Move"),
    "walking_slow": ("Walk_Slow",),
    "walking_moderate": ("Walk_Fast", "Stair"),
    "walking_brisk": (),
    "walking": ("Walk", "Stair"),
    "running": ("Run",),
    "cycling": ("Cycle",),
}
# The activities of ActiMotus, by name without case, blanks, hyphens and underscores.
ACTIMOTUS = {
    "lie": "lying", "lying": "lying", "sit": "sitting", "sitting": "sitting", "kneel": "sitting", "squat": "standing",
    "stand": "standing", "standing": "standing", "move": "standing", "moving": "standing", "shuffle": "standing",
    "walk": "walking", "walking": "walking", "fastwalk": "walking", "stairs": "walking", "stair": "walking",
    "run": "running", "running": "running", "bicycle": "cycling", "cycle": "cycling", "cycling": "cycling",
    "bicycling": "cycling", "nonwear": "", "other": "", "row": "",
}  # fmt: skip


def contract_long_days(
    raw: pd.DataFrame, layout: Layout, file: str, rules: Days, names: Sequence[str] | None = None
) -> Contracted:
    """Check day totals with one row per person and day.

    Args:
        raw: the columns as delivered.
        layout: with the columns person, day (a number from 1, or a date) and activities in s, min or h.
        file: the file's name, for the list of problems.
        rules: days per recording, seconds per day and the tolerance of their sum.
        names: of all columns of the file, if ``raw`` has only some of them.

    Returns:
        As ``contract.contract_days`` does. Dates become numbers in their order, per person.
    """
    columns = {name: column.model_copy(update={"unique": False}) for name, column in layout.columns.items()}
    keyed = layout.model_copy(update={"columns": columns, "key": ("person", "day")})
    found = apply_contract(raw, keyed, file, names=names)
    if found.refused:
        return Contracted(_canonical(blank_frame(columns)), found.problems, found.rows_read, found.rows_read)
    days = to_seconds(found.frame, columns)
    sums = seconds_of_day(days)
    minutes = in_minutes(sums, file, rules.seconds_per_day)
    if minutes is not None:
        problems = join_problems([minutes, found.problems])
        return Contracted(_canonical(days.iloc[:0]), problems, found.rows_read, found.rows_read)
    by_date = columns["day"].type in ("date", "timestamp")
    day = days.groupby("person")["day"].rank(method="dense") if by_date else days["day"]
    number = day.to_numpy(dtype="float64")
    long = sums > rules.seconds_per_day + rules.speed_sum_tolerance_seconds
    other = ~long & ~((number >= 1) & (number <= rules.days_per_recording) & (number % 1 == 0))
    source = columns["day"].source[0]
    rows = days["source_row"].to_numpy()
    too_long = f"the activities of a day must not take more than {rules.seconds_per_day} seconds together"
    too_many = f"a recording has at most {rules.days_per_recording} days, numbered from 1"
    problems = join_problems([
        found.problems,
        row_problems(file, "day_over_24_hours", too_long, rows[long], "day"),
        row_problems(file, "day_number", too_many, rows[other], source),
    ])  # fmt: skip
    used = days.assign(day=np.where(other, 0, number).astype("int64"))[~long & ~other]
    return Contracted(
        _canonical(used).sort_values(["source_row", "day"], ignore_index=True),
        problems,
        found.rows_read,
        found.rows_read - len(used),
        found.notes,
    )


def _canonical(days: pd.DataFrame) -> pd.DataFrame:
    """The columns of ``contract.contract_days``; an activity that the codebook does not have is missing."""
    wanted = ["person", "day", *ACTIVITIES, "source_row"]
    return days.reindex(columns=wanted).astype(dict.fromkeys(ACTIVITIES, "float64") | {"day": "int64"})


def _program_layout(unit: str, largest: float) -> Layout:
    """Person, date and activities, as the readers below name them."""
    number = Column(source=("-",), type="number", range=(0, largest), unit=unit)
    columns = {
        "person": Column(source=PERSON, type="text", required=True, filled=True),
        "day": Column(source=("Date", "date"), type="date", required=True, filled=True),
        **{name: number.model_copy(update={"source": (name,)}) for name in ACTIVITIES},
    }
    return Layout(file="days", grain="one row per person and day", key=("person", "day"), columns=columns)


def actipass(raw: pd.DataFrame, file: str, rules: Days) -> Contracted:
    """The daily table of ActiPASS: minutes, a row per person and date; days that fail its QC are not used."""
    missing = [
        name for name in ("Date", *(part for parts in ACTIPASS.values() for part in parts)) if name not in raw.columns
    ]
    if missing:
        message = f"this is not the daily table of ActiPASS: it has no column {', '.join(missing)}"
        return _refused(raw, file_problem(file, "missing_column", message, missing[0]))
    numbers = Layout(
        file="days",
        grain="one row per person and day",
        columns={
            name: Column(source=(name,), type="number", range=(0, 1440), unit="min")
            for name in dict.fromkeys(part for parts in ACTIPASS.values() for part in parts)
        },
    )
    cells = apply_contract(raw, numbers, file)
    table = raw[[name for name in raw.columns if name in (*PERSON, "Date")]].reset_index(drop=True)
    for activity, parts in ACTIPASS.items():
        table[activity] = cells.frame[list(parts)].sum(axis=1, min_count=len(parts)) if parts else 0.0
    failed = np.zeros(len(raw), dtype=bool)
    if "QC_Status" in raw.columns:
        failed = ~raw["QC_Status"].astype("str").str.strip().str.casefold().isin(["ok", "nan", "none", ""]).to_numpy()
    broken = np.isin(np.arange(len(raw)) + 2, cells.problems["row"].dropna().to_numpy(dtype="int64"))
    failing = row_problems(file, "quality", "QC_Status must be OK", np.flatnonzero(failed) + 2, "QC_Status")
    found = contract_long_days(table, _program_layout("min", 1440), file, rules)
    if found.refused:
        return found
    kept = found.frame[~np.isin(found.frame["source_row"], np.flatnonzero(failed | broken) + 2)].reset_index(drop=True)
    problems = join_problems([cells.problems, failing, found.problems])
    return Contracted(kept, problems, len(raw), len(raw) - len(kept), found.notes)


def actimotus(raw: pd.DataFrame, file: str, rules: Days) -> Contracted:
    """The activities of ActiMotus, one row per person and second, added up by date.

    ActiMotus has no classes of walking speed: the days have a volume of walking and no intensity.
    """
    layout = Layout(
        file="days",
        grain="one row per person and second",
        key=("person", "time"),
        columns={
            "person": Column(source=PERSON, type="text", required=True, filled=True),
            "time": Column(
                source=("datetime", "timestamp", "epoch_start"), type="timestamp", required=True, filled=True
            ),
            "activity": Column(source=("activity",), type="text", required=True, filled=True),
        },
    )
    found = apply_contract(raw, layout, file)
    if found.refused:
        return _refused(raw, found.problems)
    rows = found.frame
    step = rows.groupby("person")["time"].diff().dt.total_seconds()
    if len(step.dropna()) and step.median() != 1:
        return _refused(
            raw, file_problem(file, "epoch_length", "the activities of ActiMotus must be one row per second")
        )
    names = rows["activity"].str.casefold().str.replace(r"[\s_-]", "", regex=True)
    known = names.isin(list(ACTIMOTUS))
    message = f"the activity must be one of {', '.join(ACTIMOTUS)}"
    unknown = row_problems(file, "unknown_code", message, rows["source_row"].to_numpy()[~known], "activity")
    named = rows.assign(activity=names.map(ACTIMOTUS), date=rows["time"].dt.normalize())[known]
    named = named[named["activity"] != ""]
    days = named.pivot_table(index=["person", "date"], columns="activity", values="source_row", aggfunc="count")
    table = days.fillna(0).reindex(columns=list(ACTIVITIES)).reset_index().rename(columns={"date": "Date"})
    absent = [name for name in ACTIVITIES if name not in days and not name.startswith("walking_")]
    table = table.assign(**dict.fromkeys(absent, 0.0))
    if table.empty:
        return _refused(raw, join_problems([file_problem(file, "empty", "no second has an activity"), unknown]))
    counted = contract_long_days(table, _program_layout("s", rules.seconds_per_day), file, rules)
    problems = join_problems([found.problems, unknown, counted.problems])
    return Contracted(counted.frame, problems, counted.rows_read, counted.rows_quarantined, found.notes)


def ggir(raw: pd.DataFrame, file: str, rules: Days) -> Contracted:
    """GGIR's reports have time by intensity, not by posture and walking: always refused, with the way out."""
    message = (
        "a report of GGIR has time by intensity of acceleration, not by posture: it says neither sitting, standing nor "
        "walking. Deliver the raw recordings, or the daily table of a program with posture (ActiPASS, ActiMotus)"
    )
    return _refused(raw, file_problem(file, "no_posture", message))


def _refused(raw: pd.DataFrame, problems: pd.DataFrame) -> Contracted:
    columns = {"person": Column(source=("person",), type="text"), "day": Column(source=("day",), type="number")}
    return Contracted(_canonical(blank_frame(columns)), problems, len(raw), len(raw))


READERS: dict[str, Callable[[pd.DataFrame, str, Days], Contracted]] = {
    "actipass": actipass,
    "actimotus": actimotus,
    "ggir": ggir,
}
