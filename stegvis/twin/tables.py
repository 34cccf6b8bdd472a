"""The twin's questionnaires and day totals as delivered: the codebook's columns and codes, blanks where missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from stegvis.study.codebook import Layout, LayoutName
from stegvis.twin.cohort import TwinCohort
from stegvis.twin.draws import Flags, Floats, stream
from stegvis.twin.outcome import Wave
from stegvis.twin.population import DISEASES
from stegvis.twin.vital import last_day, registry_rows
from stegvis.twin.walking import ACTIVITIES


def delivered_names(layout: Layout) -> dict[str, str]:
    """Canonical to delivered column names."""
    return {name: column.source[0] for name, column in layout.columns.items()}


def participants(cohort: TwinCohort) -> pd.DataFrame:
    """The baseline questionnaire as delivered."""
    population, days = cohort.population, cohort.days
    people, missing = population.people, population.missing
    # Former and current smoking each have two delivered codes (daily and occasional).
    second = stream(cohort.seed, "deliveries.smoking").random(len(population)) < 0.3
    smoking = np.select(
        [people["smoking"] == 0, people["smoking"] == 1], [0, np.where(second, 4, 1)], np.where(second, 3, 2)
    )
    back_pain, contradicts = population.flags("back_pain"), population.flags("screen_contradicts")
    screen = (back_pain & ~contradicts) | population.flags("other_pain")
    recorded_days = np.zeros(len(population), dtype=np.int64)
    recorded_days[days.rows] = days.recorded
    columns: dict[str, Any] = {
        "person": people["person"],
        "baseline_date": people["baseline_date"].dt.date,
        "sex": _integers(people["male"]),
        "age": people["age"],
        "employment": _integers(people["employed"], missing["employment"]),
        "smoking": _integers(smoking, missing["smoking"]),
        "depression_score": _integers(people["depression_score"], missing["depression_score"]),
        "pain_screen": _integers(screen, missing["pain_screen"]),
        "low_back_box": _integers(back_pain, missing["pain_screen"] | ~back_pain),
        "bmi_clinic": people["bmi"].mask(missing["bmi_clinic"]),
        "bmi_home": people["bmi"].mask(missing["bmi_home"]),
        "recorded_days": _integers(recorded_days, recorded_days == 0),
    }
    for name in ("education", "income", "work_type", "self_rated_health", "pain_last_4_weeks"):
        columns[name] = _integers(people[name] + 1, missing[name])
    columns["exercise_frequency"] = _integers(people["exercise"] + 1, missing["exercise"])
    for name in DISEASES:
        columns[name] = _integers(people[name], missing[name])
    return _delivered(columns, cohort, "participants")


def questionnaire(cohort: TwinCohort, wave: Wave, who: Flags) -> pd.DataFrame:
    """One wave's responses as delivered, one row per person of ``who`` (n,)."""
    screen = (wave.back_pain & ~wave.screen_contradicts) | wave.other_pain
    unanswered = ~wave.screen_answered
    columns = {
        "person": cohort.population.people["person"],
        "answer_date": pd.Series(wave.date).dt.date,
        "pain_screen": _integers(screen, unanswered),
        "low_back_box": _integers(wave.back_pain, unanswered | ~wave.back_pain),
        "leisure_limited": _integers(wave.limited, unanswered | ~screen | wave.limited_missing),
    }
    return _delivered({name: values[who] for name, values in columns.items()}, cohort, "questionnaire")


def day_totals(cohort: TwinCohort, keep: Flags, seconds: Floats) -> pd.DataFrame:
    """Day totals as delivered, one row per kept person (m,), columns from ``seconds`` (m, d, 9)."""
    days, names = cohort.days, delivered_names(cohort.codebook["days"])
    columns: dict[str, Any] = {"person": cohort.population.people["person"].to_numpy()[days.rows[keep]]}
    for day in range(seconds.shape[1]):
        for place, activity in enumerate(ACTIVITIES):
            values = seconds[keep, day, place]
            columns[names[activity].format(day=day + 1)] = _integers(np.nan_to_num(values), np.isnan(values))
    return pd.DataFrame(columns).sort_values("person", ignore_index=True)


def registry(cohort: TwinCohort, wave: Wave) -> pd.DataFrame:
    """Deaths and emigrations until the end of a wave, as delivered."""
    rows = registry_rows(cohort.population, cohort.events, last_day(wave))
    return _delivered({str(name): rows[name] for name in rows}, cohort, "vital_status")


def withdrawals(cohort: TwinCohort) -> pd.DataFrame:
    """Those who withdrew their consent, as delivered."""
    population = cohort.population
    gone = population.people.loc[population.flags("withdrawn"), ["person"]].sort_values("person")
    return gone.rename(columns=delivered_names(cohort.codebook["withdrawals"]))


def without_the_withdrawn(cohort: TwinCohort, table: pd.DataFrame) -> pd.DataFrame:
    """The rows of a delivered table whose people did not withdraw."""
    population = cohort.population
    gone = population.people.loc[population.flags("withdrawn"), "person"]
    return table[~table["person"].isin(gone)].reset_index(drop=True)


def _delivered(columns: dict[str, Any], cohort: TwinCohort, layout: LayoutName) -> pd.DataFrame:
    """Columns renamed and in the codebook's order, rows in the order of the opaque identifiers."""
    names = delivered_names(cohort.codebook[layout])
    frame = pd.DataFrame(columns)[list(names)].rename(columns=names)
    return frame.sort_values(names["person"], ignore_index=True)


def _integers(values: Any, missing: Flags | None = None) -> pd.Series[Any]:
    """Whole numbers, blank where missing."""
    whole = pd.Series(np.asarray(values)).astype("Int32")
    return whole if missing is None else whole.mask(missing)
