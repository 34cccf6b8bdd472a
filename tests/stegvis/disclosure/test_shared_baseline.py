"""What waves share of the baseline keeps its earlier value, so that no difference says how many have left."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from stegvis.disclosure.control import control_disclosure
from stegvis.disclosure.published import ELIGIBLE, with_shared_baseline, without_shared_baseline
from tests.stegvis.conftest import PROTOCOL, analysis_set_of
from tests.stegvis.disclosure.made_tables import WAVE, computed_of


def test_a_new_wave_has_the_published_steps_of_the_others_and_no_difference_is_the_leavers(few_computed, people):
    before, _ = few_computed
    after = people.iloc[3:-300].assign(wave="2024-2026").reset_index(drop=True)  # three have left
    new = control_disclosure(*computed_of(after, excluded={**dict.fromkeys(("no_accelerometer_day",), 400),
                             "baseline_low_back_pain": 200, "followup_screen_missing": 500,
                             "covariate_missing": 100}), PROTOCOL).tables  # fmt: skip
    assert before.attrition["remaining"].iloc[0] - new.attrition["remaining"].iloc[0] == 3
    steps = with_shared_baseline(new, before, 5).attrition
    shared = ["cohort", "no_accelerometer_day", "baseline_low_back_pain"]
    for column in ("excluded", "remaining"):
        one, other = (each.set_index("rule").loc[shared, column].tolist() for each in (before.attrition, steps))
        assert one == other
    assert steps["remaining"].iloc[2] - steps["excluded"].iloc[3] == steps["remaining"].iloc[3]
    assert steps["excluded"].iloc[3] == 503


def test_what_was_not_published_of_the_shared_baseline_has_no_number_in_a_new_wave(few_computed):
    """Another method adds a step and a row: beside the earlier numbers, those of today would say how many have left."""
    before, _ = few_computed
    eligible = before.results.iloc[[0]].assign(wave=WAVE, analysis="attrition_balance", population=ELIGIBLE, n=1000)
    known, added = eligible.assign(term="age"), eligible.assign(term="height")
    then = replace(before, results=pd.concat([before.results, known], ignore_index=True))
    steps = before.attrition.copy()
    row = steps.iloc[[1]].assign(rule="a_new_rule")
    now = replace(
        before,
        results=pd.concat([before.results, known.assign(n=997), added.assign(n=997)], ignore_index=True),
        attrition=pd.concat([steps.iloc[:2], row, steps.iloc[2:]], ignore_index=True),
    )
    found = with_shared_baseline(now, then, 5)
    assert found.results["n"].iloc[-2:].tolist() == [1000, pd.NA]
    new_step = found.attrition.set_index("rule").loc["a_new_rule"]
    assert pd.isna(new_step["excluded"])
    assert pd.isna(new_step["remaining"])
    assert new_step["status"] == "suppressed"


def test_a_new_wave_beside_lost_releases_has_no_number_of_the_shared_baseline() -> None:
    tables, _ = computed_of(analysis_set_of(300, seed=4))
    made = without_shared_baseline(tables)
    steps = made.attrition.set_index("rule")
    assert (
        steps.loc[["cohort", "no_accelerometer_day", "baseline_low_back_pain"], ["excluded", "remaining"]]
        .isna()
        .all(axis=None)
    )
    assert pd.isna(steps.loc["followup_screen_missing", "excluded"])
    assert steps.loc["covariate_missing", "remaining"] == 300
