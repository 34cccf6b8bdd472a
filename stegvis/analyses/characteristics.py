"""Table 1: characteristics of the analyzed participants, overall and by category of an exposure.

Small counts are not suppressed here: disclosure control must be applied before the table is published.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from stegvis.statistics.categories import level_labels
from stegvis.statistics.contract import OUTCOME
from stegvis.statistics.levels import Levels
from stegvis.statistics.members import Members, only, recorded
from stegvis.study.protocol import Exposure, Protocol

CHARACTERISTICS_COLUMNS: dict[str, str] = {
    "wave": "str",
    "exposure": "str",
    "category": "str",
    "variable": "str",
    "level": "str",
    "n": "Int64",
    "percent": "float64",
    "mean": "float64",
    "sd": "float64",
    "status": "str",
}
ALL = "all"
PEOPLE = "people"
# The first rows of the table, before the exposures.
FIRST = (PEOPLE, "age", "sex", "valid_days")
FOLLOW_UP = "follow_up_years"
NOT_KNOWN = "not known"


def characteristics(
    analysis_set: pd.DataFrame, protocol: Protocol, levels: Levels, exposure: Exposure = "walking_minutes"
) -> pd.DataFrame:
    """Table 1 in long form: one row per category of the exposure (``all`` first), variable and level.

    A variable with levels has n and percent of the category's people; one with a mean has n (people), mean and sample
    standard deviation; ``people`` has n alone. Both levels of the outcome are included, so that disclosure control
    covers every count that could be derived. Nothing is suppressed or rounded yet.

    Additional characteristics of the analysis set come last: those with levels have a level ``not known`` where needed;
    means have no n, because the number of missing values could be inferred from it.

    Raises:
        ValueError: the frame does not have exactly one wave, or a level is in no group of the protocol.
    """
    waves = analysis_set["wave"].unique()
    if len(waves) != 1:
        raise ValueError(f"one wave is needed, not {len(waves)}")
    frame = printed_levels(analysis_set, protocol)
    groups = {column: tuple(grouped) for column, grouped in protocol.characteristics.groups.items()}
    printed = {**levels, **groups, OUTCOME: ("no", "yes")}
    labels = level_labels(analysis_set, exposure, protocol)
    columns = {ALL: frame} | {
        label: frame[frame[f"{exposure}_category"] == category] for category, label in labels.items()
    }
    rows = [
        {"wave": waves[0], "exposure": exposure, "category": category, "status": "ok", **row}
        for category, people in columns.items()
        for row in (*_rows(people, variables(protocol), printed), *_additional_rows(people, frame, printed, protocol))
    ]
    return pd.DataFrame(rows, columns=list(CHARACTERISTICS_COLUMNS)).astype(CHARACTERISTICS_COLUMNS)


def variables(protocol: Protocol) -> list[str]:
    """The variables of the table that are known of everyone, in order: the covariates that the protocol lists."""
    known = (*protocol.models.adjusted, *protocol.models.age)
    added = protocol.covariates.additional
    listed = [name for name in known if name in protocol.exclusions.complete_case and name not in added]
    return list(dict.fromkeys((*FIRST, *reversed(protocol.exposures.names), *listed, OUTCOME)))


def printed_levels(analysis_set: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """The analysis set with the levels that are printed in groups, and the outcome as no and yes.

    Raises:
        ValueError: a level is in no group.
    """
    printed: dict[str, pd.Series] = {}
    for column, groups in protocol.characteristics.groups.items():
        if column in analysis_set:
            group_of = {level: group for group, members in groups.items() for level in members}
            printed[column] = analysis_set[column].map(group_of)
            if (printed[column].isna() & analysis_set[column].notna()).any():
                raise ValueError(f"a level of {column} is in no group of characteristics.groups")
    return analysis_set.assign(**printed, **{OUTCOME: analysis_set[OUTCOME].map({0: "no", 1: "yes"})})


def _rows(people: pd.DataFrame, shown: Sequence[str], levels: Levels) -> Iterator[dict[str, object]]:
    """The rows of one category."""
    n = len(people)
    for variable in shown:
        if variable == PEOPLE:
            yield {"variable": variable, "level": "", "n": n}
        elif variable not in levels:
            values = people[variable]
            yield {"variable": variable, "level": "", "n": n, "mean": values.mean(), "sd": values.std(ddof=1)}
        else:
            counts = people[variable].value_counts()
            for level in levels[variable]:
                count = int(counts.get(level, 0))
                yield {"variable": variable, "level": level, "n": count, "percent": 100 * count / n if n else None}


def _additional_rows(
    people: pd.DataFrame, everyone: pd.DataFrame, levels: Levels, protocol: Protocol
) -> Iterator[dict[str, object]]:
    """The additional rows of one category; a level ``not known`` is in all categories if it is in one."""
    asked = (*protocol.models.adjusted, *protocol.models.age, *protocol.covariates.additional)
    further = dict.fromkeys((FOLLOW_UP, *protocol.characteristics.further, *asked))
    shown = set(variables(protocol))
    for variable in (name for name in further if name in everyone and name not in shown):
        if variable not in levels:
            known = people[variable].dropna()
            enough = len(known) >= protocol.disclosure.smallest_count
            numbers = {"mean": known.mean(), "sd": known.std(ddof=1)} if enough else {"status": "suppressed"}
            yield {"variable": variable, "level": "", **numbers}
        else:
            counts = people[variable].fillna(NOT_KNOWN).value_counts()
            unknown = (NOT_KNOWN,) if everyone[variable].isna().any() else ()
            for level in (*levels[variable], *unknown):
                count = int(counts.get(level, 0))
                percent = 100 * count / len(people) if len(people) else None
                yield {"variable": variable, "level": level, "n": count, "percent": percent}


def characteristics_members(table: pd.DataFrame, analysis_set: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """The people behind the counts of Table 1, one row per person (``statistics.members.MEMBER_COLUMNS``).

    Args:
        table: made by ``characteristics`` from the analysis set.
        analysis_set: one row per analyzed person of one wave.
        protocol: the printed groups of levels.
    """
    frame = printed_levels(analysis_set, protocol)
    # Numbers in place of texts: each row of Table 1 chooses among the people again.
    who = only(frame, ()).astype({"person": "category"})
    counted = []
    labels: dict[str, dict[str, int]] = {}
    for exposure, rows in table.groupby("exposure", sort=False):
        bare = [label for label in rows["category"].unique() if label != ALL]
        labels[str(exposure)] = {label: category for category, label in enumerate(bare, start=1)}
    for row in table.to_dict("records"):
        chosen = pd.Series(True, frame.index)
        if row["category"] != ALL:
            chosen &= frame[f"{row['exposure']}_category"] == labels[row["exposure"]][row["category"]]
        if row["level"]:
            values = frame[row["variable"]]
            chosen &= values.isna() if row["level"] == NOT_KNOWN else (values == row["level"]).fillna(False)
        n = None if pd.isna(row["n"]) else int(row["n"])
        counted.append((n, None, Members.of(who[chosen.astype(bool)], None)))
    return recorded(str(table["wave"].iloc[0]), counted)
