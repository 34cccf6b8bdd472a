"""The deliveries of ``studies/example_actipass``: the twin's people as another cohort would deliver them.

Other files, columns and codes than HUNT's: three levels of education, no income, PHQ-9, one question on back pain, and
daily tables of ActiPASS from one thigh sensor, which have slow and fast walking only.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from stegvis.study.codebook import Codebook
from stegvis.study.protocol import Protocol
from stegvis.twin.cohort import TwinCohort, draw_cohort
from stegvis.twin.draws import stream
from stegvis.twin.files import write_drop
from stegvis.twin.parameters import parameters
from stegvis.twin.tables import participants, questionnaire
from stegvis.twin.walking import ACTIVITIES

EXAMPLE = "example_actipass"
# The cohort was examined this many years before the twin's.
YEARS_BEFORE = 6
# Of the hours of lying, this share is at night.
AT_NIGHT = 0.9
# The highest scores of the depression part of HADS and of PHQ-9.
HADS, PHQ9 = 21, 27
YES, NO = 1, 2


def write_example(out: Path, protocol: Protocol, codebook: Codebook, people: int, seed: int = 1) -> None:
    """Write the deliveries of the example cohort, with two follow-ups.

    The same arguments give the same bytes.

    Args:
        out: folder to write to; created if missing, and must be empty.
        protocol: of the twin, which is HUNT's.
        codebook: of the twin.
        people: participants at baseline.
        seed: of every random stream.

    Raises:
        FileExistsError: ``out`` is not empty.
        ValueError: fewer than one person.
    """
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out.name} is not empty; the twin never writes over a delivery")
    cohort = draw_cohort(people, 2, seed, False, parameters(), protocol, codebook)
    names = cohort.population.people["person"]
    numbers = pd.Series(names.rank().astype("int64").to_numpy() + 100_000, index=names).astype("str")
    write_drop(out / "baseline" / "examination", {"participants.csv": _baseline(participants(cohort), numbers, seed)})
    write_drop(out / "recordings" / "actipass", {"days.csv": _daily(cohort, numbers)})
    for wave in cohort.waves:
        first, last = (int(year) - YEARS_BEFORE for year in wave.name.split("-"))
        answers = _follow_up(questionnaire(cohort, wave, wave.answered), numbers)
        write_drop(out / "followup" / f"{first}-{last}", {"questionnaire.csv": answers})


def _baseline(given: pd.DataFrame, numbers: pd.Series, seed: int) -> pd.DataFrame:
    part_time = stream(seed, "example.part_time").random(len(given)) < 0.2
    working = given["WorCu_NT4BLI"]
    score = (given["HADSDepr_NT4BLQ2"].astype("float64") * PHQ9 / HADS).round()
    table = pd.DataFrame({
        "ID": _person(given, numbers),
        "EXAM_DATE": _earlier(given["PartDat_NT4BLM"]),
        "SEX": given["Sex"].map({0: "F", 1: "M"}),
        "AGE_AT_EXAM": given["PartAg_NT4BLM"],
        "EDU": given["Educ_NT4BLQ1"].map({1: 1, 2: 2, 3: 2, 4: 2, 5: 3, 6: 3}).astype("Int32"),
        "WORK": working.map({1: 1, 0: 3}).astype("Int32").mask((working == 1).fillna(False) & part_time, 2),
        "SMK": given["SmoStat_NT4BLQ1"].map({0: 1, 1: 2, 4: 2, 2: 3, 3: 4}).astype("Int32"),
        "PHQ9": score.astype("Int32"),
        "LBP": _answer(given["MSPaLY_NT4BLQ2"], given["MSPaLum_NT4BLQ2"]),
        "BMI": given["Bmi_NT4BLM"].fillna(given["BmiEld_NT4BLM"]),
    })  # fmt: skip
    return table.sort_values("ID", ignore_index=True)


def _follow_up(given: pd.DataFrame, numbers: pd.Series) -> pd.DataFrame:
    limited = given["MSPaLeiLim_NT4CovQ"].map({1: YES, 0: NO}).astype("Int32")
    table = pd.DataFrame({
        "ID": _person(given, numbers),
        "FU_DATE": _earlier(given["PartDat_NT4CovQ"]),
        "LBP_3M": _answer(given["MSPaLY_NT4CovQ"], given["MSPaLum_NT4CovQ"]),
        "LBP_WORK": limited,
    })  # fmt: skip
    return table.sort_values("ID", ignore_index=True)


def _daily(cohort: TwinCohort, numbers: pd.Series) -> pd.DataFrame:
    """The daily table of ActiPASS, minutes: every recorded day of everyone recorded."""
    days = cohort.days
    recorded = ~np.isnan(days.seconds).all(axis=2)
    row, day = np.nonzero(recorded)
    minutes = dict(zip(ACTIVITIES, np.nan_to_num(days.seconds[row, day]).T / 60, strict=True))
    people = cohort.population.people.iloc[days.rows[row]]
    date = pd.to_datetime(_earlier(people["baseline_date"].reset_index(drop=True))) + pd.to_timedelta(day + 1, "D")
    worn = np.minimum(sum(minutes[name] for name in ACTIVITIES if "_" not in name), 1440.0)
    table = pd.DataFrame({
        "SubjectID": numbers[people["person"]].to_numpy(),
        "QC_Status": "OK",
        "Date": date.dt.date,
        "NonWear": 1440.0 - worn,
        "ValidDuration": worn,
        "SleepInterval": AT_NIGHT * minutes["lying"],
        "Lie": (1 - AT_NIGHT) * minutes["lying"],
        "Sit": minutes["sitting"],
        "Stand": minutes["standing"],
        "Move": 0.0,
        "Walk": minutes["walking"],
        "Walk_Slow": minutes["walking_slow"],
        "Walk_Fast": minutes["walking_moderate"] + minutes["walking_brisk"],
        "Run": minutes["running"],
        "Stair": 0.0,
        "Cycle": minutes["cycling"],
    })  # fmt: skip
    return table.round(3).sort_values(["SubjectID", "Date"], ignore_index=True)


def _person(given: pd.DataFrame, numbers: pd.Series) -> pd.Series:
    """The cohort's own numbers of people."""
    column = "person" if "person" in given else "PID"
    return given[column].map(numbers)


def _earlier(dates: pd.Series) -> pd.Series:
    return (pd.to_datetime(dates) - pd.DateOffset(years=YEARS_BEFORE)).dt.date


def _answer(screen: pd.Series, box: pd.Series) -> pd.Series:
    """One question in place of a screen and a box."""
    yes = (screen == 1).fillna(False) & (box == 1).fillna(False)
    answered = pd.Series(np.where(yes, YES, NO), screen.index).astype("Int32")
    return answered.mask(screen.isna())
