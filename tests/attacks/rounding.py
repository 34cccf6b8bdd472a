"""The attacker who undoes rounding: numbers beside a rounded count that follow from the exact one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd

from tests.attacks.attackers import read


def undone_rounding(release: Path, base: int = 5) -> dict[tuple[str, ...], int]:
    """Exact counts that follow from numbers beside the rounded ones, by place.

    Percentages, cases per coefficient, effective sample sizes, and counts in notes and checks. A rounded count that
    explains the numbers beside it as well as another one gives nothing away.
    """
    rows = read(release)
    return {
        **_by_percentages(read(release, "characteristics"), base),
        **_by_cases_per_coefficient(rows, base),
        **_by_effective_sample_size(rows, base),
        **_unrounded(release, rows, base),
    }


def _near(count: float, base: int) -> range:
    """The counts that are rounded to this one (to the nearest multiple)."""
    return range(max(int(count) - base // 2, 1), int(count) + base // 2 + 1)


def _by_percentages(table: pd.DataFrame, base: int) -> dict[tuple[str, ...], int]:
    """The people of a category of Table 1: the only number of which every percentage is one of whole people."""
    found = {}
    for (wave, exposure, category), block in table.groupby(["wave", "exposure", "category"], sort=False):
        people = block.loc[block["variable"] == "people", "n"].dropna()
        levels = block[block["percent"].notna() & block["n"].gt(0)]
        if people.empty or levels.empty:
            continue
        fits = [
            total
            for total in _near(people.iloc[0], base)
            if all(
                any(abs(100 * n / total - percent) < 0.05 + 1e-9 for n in _near(count, base))
                for count, percent in levels[["n", "percent"]].itertuples(index=False)
            )
        ]
        if len(fits) == 1 and fits[0] != people.iloc[0]:
            found["people", wave, exposure, category] = fits[0]
    return found


def _by_cases_per_coefficient(rows: pd.DataFrame, base: int) -> dict[tuple[str, ...], int]:
    """The cases of a main model: coefficients are whole numbers, and as many in every model of the same kind."""
    quality = rows[(rows["measure"] == "events_per_coefficient") & rows["estimate"].gt(0) & rows["events"].notna()]
    found = {}
    for model, block in quality.groupby("model", sort=False):
        possible: dict[int, list[set[int]]] = {}
        for events, value in block[["events", "estimate"]].itertuples(index=False):
            for number in range(2, 60):
                fits = {n for n in _near(events, base) if abs(n / number - value) < 0.05 + 1e-9}
                possible.setdefault(number, []).append(fits)
        numbers = [number for number, fits in possible.items() if all(fits)]
        for at, (wave, exposure, events) in enumerate(block[["wave", "exposure", "events"]].itertuples(index=False)):
            fits = set().union(*(possible[number][at] for number in numbers)) if numbers else set()
            if len(fits) == 1 and fits != {int(events)}:
                found["cases", wave, exposure, str(model)] = fits.pop()
    return found


def _by_effective_sample_size(rows: pd.DataFrame, base: int) -> dict[tuple[str, ...], int]:
    """The weighted respondents: the effective sample size divided by its share."""
    sizes = rows[(rows["measure"] == "ess") & (rows["term"] == "stabilized") & rows["n"].notna()]
    shares = rows[(rows["measure"] == "ess_share") & rows["estimate"].notna()].set_index(["wave", "exposure"])
    found = {}
    for wave, exposure, n, size in sizes[["wave", "exposure", "n", "estimate"]].itertuples(index=False):
        if (wave, exposure) not in shares.index or pd.isna(size):
            continue
        share = float(shares.loc[[(wave, exposure)], "estimate"].iloc[0])
        fits = [each for each in _near(n, base) if abs(size / each - share) < 0.0005 + 1e-9]
        if len(fits) == 1 and fits[0] != n:
            found["weighted", wave, exposure, str(n)] = fits[0]
    return found


def _unrounded(release: Path, rows: pd.DataFrame, base: int) -> dict[tuple[str, ...], int]:
    """Counts of people in notes, and of rows that failed a check, that are no multiples."""
    found = {}
    for place, note in enumerate(rows["note"].astype(str)):
        for count, what in re.findall(r"(?<!than )\b(\d+) (incomplete rows|people [a-z ]+?) left out", note):
            if int(count) % base:
                found["note", str(place), what] = int(count)
    if (release / "checks.json").is_file():
        for place, check in enumerate(json.loads((release / "checks.json").read_text(encoding="utf-8"))):
            if check["failing"] and check["failing"] % base:
                found["check", str(place), str(check["rule"])] = int(check["failing"])
    return found
