"""Tables of made-up people, before and after disclosure control."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pandas as pd

from stegvis.analyses import additive, joint, main_models, sensitivity, strata, time_use_models
from stegvis.analyses.across_waves import rows_across_waves
from stegvis.analyses.characteristics import characteristics, characteristics_members
from stegvis.analyses.wave_data import Analysis, rows_of
from stegvis.disclosure.control import People, control_disclosure
from stegvis.disclosure.suppression import Controlled, small_rule
from stegvis.disclosure.tables import Tables
from stegvis.statistics.results import ResultRow, members_of, to_frame, validate
from stegvis.statistics.risk_ratio import Ratio
from stegvis.study.protocol import Protocol
from tests.stegvis.conftest import LEVELS, PROTOCOL, TABLE_ONE_LEVELS, wave_data_of

SMALL = small_rule(5)
WAVE = "2021-2023"
ANALYSES = (
    main_models.main_rows, main_models.other_cuts_rows, joint.joint_rows, additive.additive_rows,
    strata.stratified_rows,
    strata.within_intensity_rows, strata.within_volume_rows, sensitivity.sensitivity_rows,
    *time_use_models.ANALYSES,
)  # fmt: skip
# Enough for most tests: nested cuts, strata and nested samples.
FEW = (main_models.main_rows, main_models.other_cuts_rows, joint.joint_rows, additive.additive_rows)
STEPS = ("cohort", "no_accelerometer_day", "baseline_low_back_pain", "followup_screen_missing", "covariate_missing")


def changed(**release: object) -> Protocol:
    return PROTOCOL.model_copy(update={"release": PROTOCOL.release.model_copy(update=release)})


def rows_from(cells: list[tuple[int, int]], wave: str = WAVE, model: str = "age") -> list[ResultRow]:
    """Rows of one model from (people, cases) per category, with the joint test of all."""
    starts = [sum(n for n, _ in cells[:k]) for k in range(len(cells) + 1)]
    people = pd.DataFrame({"wave": wave, "person": [f"p{number:05d}" for number in range(starts[-1])]})
    people["pain"] = 0.0
    for start, (_, cases) in zip(starts, cells, strict=False):
        people.loc[start : start + cases - 1, "pain"] = 1.0
    template = ResultRow(wave, "main", "all", model, "walking_met", "walking_met_category")
    rows = [
        ResultRow(**vars(template) | {"level": f"{k}"}).counting(people.iloc[start:end], "pain")
        for k, (start, end) in enumerate(itertools.pairwise(starts))
    ]
    rows.append(ResultRow(**vars(template) | {"measure": "p_joint"}).counting(people, "pain"))
    return [row.with_ratio(Ratio(0.8, 0.7, 0.9, 0.1, 0.01)) for row in rows]


def controlled(rows: list[ResultRow], used: Protocol = PROTOCOL) -> Controlled:
    results = to_frame(rows)
    found = control_disclosure(Tables.of_results(results), People([(results, members_of(rows))]), used)
    assert found.unprotected == 0
    validate(found.tables.results)
    return found


def steps_of(exclusions: pd.DataFrame, wave: str = WAVE) -> pd.DataFrame:
    order = exclusions["reason"].map({rule: step for step, rule in enumerate(STEPS)}).fillna(len(STEPS))
    rows = [
        {"wave": wave, "step": step, "rule": rule, "excluded": int((order == step).sum()),
         "remaining": int((order > step).sum()), "status": "ok"}
        for step, rule in enumerate(STEPS)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def excluded_of(people: pd.DataFrame, excluded: dict[str, int], wave: str = WAVE) -> pd.DataFrame:
    """Everyone in the cohort: the analyzed, and so many others for each reason."""
    reasons = [None] * len(people) + [reason for reason, count in excluded.items() for _ in range(count)]
    persons = [*people["person"], *(f"x{number:05d}" for number in range(len(reasons) - len(people)))]
    return pd.DataFrame({"wave": wave, "person": persons, "reason": pd.Series(reasons, dtype="str")})


EXCLUDED = {"no_accelerometer_day": 400, "baseline_low_back_pain": 200, "followup_screen_missing": 200,
            "covariate_missing": 100}  # fmt: skip


def computed_of(
    people: pd.DataFrame,
    used: Protocol = PROTOCOL,
    excluded: dict[str, int] | None = None,
    analyses: Sequence[Analysis] = FEW,
) -> tuple[Tables, People]:
    """The tables of a wave, and who is behind them."""
    people = people.sort_values("person", ignore_index=True)
    wave = str(people["wave"].iloc[0])
    rows = rows_of(analyses, wave_data_of(people, used))
    results, table_one = to_frame(rows), characteristics(people, used, TABLE_ONE_LEVELS)
    exclusions = excluded_of(people, EXCLUDED if excluded is None else excluded, wave)
    tables = Tables(results, steps_of(exclusions, wave), table_one)
    members = characteristics_members(table_one, people, used)
    return tables, People([(results, members_of(rows))], {wave: members}, exclusions)


def across_of(waves: list[pd.DataFrame], used: Protocol = PROTOCOL) -> tuple[Tables, People]:
    """The tables of waves and the results across them, and who is behind them."""
    each = [computed_of(people, used) for people in waves]
    stacked = pd.concat(waves, ignore_index=True)
    histories = stacked.assign(previous_low_back_pain=pd.NA, earlier_low_back_pain=pd.NA)
    rows = rows_across_waves(stacked, histories, used, LEVELS)
    pooled = to_frame(rows)
    tables = Tables(
        pd.concat([*(tables.results for tables, _ in each), pooled], ignore_index=True),
        pd.concat([tables.attrition for tables, _ in each], ignore_index=True),
        pd.concat([tables.characteristics for tables, _ in each], ignore_index=True),
    )
    people = People(
        [*(part for _, people in each for part in people.results), (pooled, members_of(rows))],
        {wave: members for _, people in each for wave, members in people.characteristics.items()},
        pd.concat([people.exclusions for _, people in each], ignore_index=True),
    )
    return tables, people
