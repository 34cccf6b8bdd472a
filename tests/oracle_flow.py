"""The study's flow computed the slow, obvious way: an oracle for the pipeline.

Plain pandas from delivered files to the analyzed people, following the rules as published (Haddadj 2025, doi
10.1001/jamanetworkopen.2025.15592, and its public Stata code). It imports nothing of the project and knows the source
columns by name, so that it can be wrong only on its own. It handles day totals and epochs; a batch of signals needs a
classifier and is refused.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

COMPONENTS = {
    "lying": "LyTm",
    "sitting": "SitTm",
    "standing": "StandTm",
    "slow": "Walk1Tm",
    "moderate": "Walk2Tm",
    "brisk": "Walk3Tm",
    "walking": "WalkTm",
    "running": "RunTm",
    "cycling": "CyclTm",
}
RECORDED_IF_ANY = ["lying", "sitting", "standing", "slow", "moderate", "brisk", "running", "cycling"]
WALKS = ["slow", "moderate", "brisk", "walking"]
QUARTERS = [0.25, 0.50, 0.75]


def flow_from_deliveries(landing: Path) -> dict[str, dict[str, Any]]:
    """The flow of every wave under ``landing``.

    Returns:
        Per wave: ``counts`` (people left after each exclusion step, in order, and before the first), ``excluded``
        (people by their first reason), ``cases``, ``volume_cuts`` and ``intensity_cuts`` (three quartile cuts each),
        and ``analyzed``: one row per analyzed person, indexed by person, with valid_days, volume, intensity,
        volume_category and intensity_category (1 to 4), outcome (0/1) and the seven covariates.
    """
    gone = withdrawn_people(landing)
    people = baseline(landing)
    people = people[~people.index.isin(gone)]
    exposures = walking_exposures(recorded_days(landing))
    return {
        wave: _wave(people, exposures, _outcome(table, "NT4CovQ")) for wave, table in sorted(answers(landing).items())
    }


def answers(landing: Path) -> dict[str, pd.DataFrame]:
    """Each wave's answers as delivered, one row per person; a later drop ``<wave>.<suffix>`` replaces earlier rows."""
    drops: dict[str, list[pd.DataFrame]] = {}
    for folder in sorted((landing / "followup").iterdir(), key=_numbers_as_numbers):
        drops.setdefault(folder.name.split(".")[0], []).append(_table(folder, "questionnaire"))
    return {wave: pd.concat(tables).drop_duplicates("person", keep="last") for wave, tables in drops.items()}


def withdrawn_people(landing: Path) -> set[str]:
    """Everyone named in any withdrawal."""
    return {person for file in (landing / "withdrawals").glob("*.csv") for person in pd.read_csv(file)["person"]}


def baseline(landing: Path) -> pd.DataFrame:
    """Baseline covariates and pain, indexed by person; later drops correct earlier ones."""
    drops = [_table(folder, "participants") for folder in sorted((landing / "baseline").iterdir())]
    raw = pd.concat(drops).drop_duplicates("person", keep="last").set_index("person")
    people = _outcome(raw.reset_index(), "NT4BLQ2").rename(
        columns={"outcome": "back_pain", "answered": "screen_answered"}
    )
    people["sex"] = raw["Sex"]
    people["age"] = raw["PartAg_NT4BLM"]
    people["education"] = raw["Educ_NT4BLQ1"]
    people["income"] = raw["IncoTot_NT4BLQ1"]
    people["employment"] = raw["WorCu_NT4BLI"].map({1: 0, 0: 1})
    people["smoking"] = raw["SmoStat_NT4BLQ1"].map({0: 0, 1: 1, 4: 1, 2: 2, 3: 2})
    score = raw["HADSDepr_NT4BLQ2"]
    people["depression"] = (score >= 7).astype(float).where(score.notna())
    return people


def recorded_days(landing: Path) -> pd.DataFrame:
    """One row per person and recorded day: seconds per activity. The later batch by name wins a person whole.

    Raises:
        ValueError: a batch holds neither day totals nor epochs.
    """
    parts = []
    for number, folder in enumerate(sorted((landing / "recordings").iterdir())):
        if (folder / "epochs.parquet").exists():
            days = _days_of_epochs(pd.read_parquet(folder / "epochs.parquet"))
        elif list(folder.glob("days.*")):
            days = _days_of_totals(_table(folder, "days"))
        else:
            raise ValueError(f"batch {folder.name} holds neither day totals nor epochs")
        parts.append(days.assign(batch=number))
    days = pd.concat(parts, ignore_index=True)
    days = days[days["batch"] == days.groupby("person")["batch"].transform("max")]
    return days[days[RECORDED_IF_ANY].notna().any(axis=1)].reset_index(drop=True)


def walking_exposures(days: pd.DataFrame) -> pd.DataFrame:
    """Per person with a recorded day: recorded_days, valid_days, volume (min/day) and intensity (MET)."""
    days = days.copy()
    not_worn = (days[["lying", "sitting", "standing", "walking"]] == 0).any(axis=1)
    days.loc[not_worn, WALKS] = np.nan
    people = days.groupby("person")
    minutes = people[WALKS].mean() / 60
    table = pd.DataFrame({"recorded_days": people.size(), "valid_days": people["walking"].count()})
    table["volume"] = minutes["walking"]
    weighted = 2.8 * minutes["slow"] + 3.8 * minutes["moderate"] + 4.8 * minutes["brisk"]
    table["intensity"] = weighted / minutes["walking"]
    return table


def quartile_cuts(values: pd.Series) -> list[float]:
    """Stata's xtile cuts: the mean of two neighbors where n*p is whole, else the next value up."""
    ordered = np.sort(values.to_numpy(dtype=float))
    cuts = []
    for share in QUARTERS:
        place = len(ordered) * share
        whole = int(place)
        cuts.append((ordered[whole - 1] + ordered[whole]) / 2 if place == whole else ordered[whole])
    return [float(cut) for cut in cuts]


def _wave(people: pd.DataFrame, exposures: pd.DataFrame, answers: pd.DataFrame) -> dict[str, Any]:
    table = people.join(exposures).join(answers)
    covariates = ["sex", "age", "education", "income", "employment", "smoking", "depression"]
    keeps = {
        "no_accelerometer_day": table["recorded_days"] > 0,
        "no_valid_walking_day": table["valid_days"] > 0,
        "baseline_screen_missing": table["screen_answered"] == 1,
        "baseline_low_back_pain": table["back_pain"] == 0,
        "followup_screen_missing": table["answered"] == 1,
        "covariate_missing": table[covariates].notna().all(axis=1),
    }
    left = pd.Series(True, index=table.index)
    counts, excluded = {"participants": len(table)}, {}
    for step, keep in keeps.items():
        excluded[step] = int((left & ~keep).sum())
        left &= keep
        counts[step] = int(left.sum())
    analyzed = table.loc[left, ["valid_days", "volume", "intensity", "outcome", *covariates]].astype(float)
    result: dict[str, Any] = {"counts": counts, "excluded": excluded, "cases": int(analyzed["outcome"].sum())}
    for name in ("volume", "intensity"):
        cuts = quartile_cuts(analyzed[name]) if len(analyzed) else []
        result[f"{name}_cuts"] = cuts
        analyzed[f"{name}_category"] = 1 + sum((analyzed[name] > cut).astype(int) for cut in cuts)
    return result | {"analyzed": analyzed.sort_index()}


def _outcome(raw: pd.DataFrame, suffix: str) -> pd.DataFrame:
    """Answered (0/1) and chronic low back pain (0/1, missing if not answered), indexed by person."""
    raw = raw.set_index("person")
    answered = raw[f"MSPaLY_{suffix}"].notna()
    ticked = raw[f"MSPaLum_{suffix}"] == 1
    return pd.DataFrame({"answered": answered.astype(int), "outcome": ticked.astype(float).where(answered)})


def _numbers_as_numbers(folder: Path) -> list[tuple[int, str]]:
    """A key that puts 2021-2023.2 before 2021-2023.10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", folder.name)]


def _days_of_totals(wide: pd.DataFrame) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {"person": wide["person"]} | {name: wide[f"{code}D{day}_NT4ActMX"] for name, code in COMPONENTS.items()}
        )
        for day in range(1, 8)
    ]
    return pd.concat(parts, ignore_index=True)


def _days_of_epochs(epochs: pd.DataFrame) -> pd.DataFrame:
    kind = epochs["speed"].where(epochs["activity"] == "walking", epochs["activity"])
    keys = [epochs["person"], epochs["epoch_start"].dt.date.rename("date")]
    seconds = pd.crosstab(keys, kind) * 5
    seconds = seconds.reindex(columns=[name for name in COMPONENTS if name != "walking"], fill_value=0)
    seconds["walking"] = seconds[["slow", "moderate", "brisk"]].sum(axis=1)
    return seconds.reset_index().drop(columns="date")


def _table(folder: Path, stem: str) -> pd.DataFrame:
    """The folder's table of that name, in whichever of the four formats, blanks as NaN."""
    (file,) = folder.glob(f"{stem}.*")
    if file.suffix == ".csv":
        table = pd.read_csv(file)
    elif file.suffix == ".parquet":
        table = pd.read_parquet(file)
    elif file.suffix == ".dta":
        table = pd.read_stata(file)
    else:
        import pyreadstat

        table, _ = pyreadstat.read_sav(str(file))
    numbers = [name for name in table.columns if name != "person" and not name.startswith("PartDat")]
    return table.astype(dict.fromkeys(numbers, "float64"))
