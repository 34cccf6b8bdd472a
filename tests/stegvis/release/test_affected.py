"""Which estimates a table's rows end up in, by the graph of a release."""

from __future__ import annotations

from typing import Any

from stegvis.release.affected import affected
from stegvis.statistics.results import GROUPS


def stage(asset: str, partition: str, *made_from: str) -> dict[str, Any]:
    return {"asset": asset, "partition": partition, "made_from": dict.fromkeys(made_from, "x")}


WAVES = ("2021-2023", "2024-2026")
STAGES = [
    stage("cohort", "", "delivery baseline/2019-06"),
    *(stage("outcome_questionnaire", wave, "cohort", f"delivery followup/{wave}") for wave in WAVES),
    stage("daily_exposures", "2018-02"),
    stage("daily_exposures", "2018-09"),
    stage("walking_exposures", "", "daily_exposures[2018-02]", "daily_exposures[2018-09]"),
    *(stage("analysis_set", wave, f"outcome_questionnaire[{wave}]", "walking_exposures") for wave in WAVES),
    *(stage(group, wave, f"analysis_set[{wave}]") for group in GROUPS for wave in WAVES),
    stage("pooled_models", "", *(f"analysis_set[{wave}]" for wave in WAVES)),
    stage("wave_drift", "", *(f"outcome_questionnaire[{wave}]" for wave in WAVES)),
]
EVERY = {**dict.fromkeys(WAVES, frozenset(GROUPS)), "all": frozenset({"pooled_models"})}


def test_a_table_of_everyone_is_behind_every_estimate() -> None:
    assert affected(STAGES, "cohort", "") == EVERY


def test_a_wave_is_behind_its_own_estimates_and_those_across_waves() -> None:
    found = affected(STAGES, "outcome_questionnaire", "2024-2026")
    assert set(found) == {"2024-2026", "all"}
    assert found["2024-2026"] == frozenset(GROUPS)


def test_without_a_partition_all_of_them_are_meant() -> None:
    assert affected(STAGES, "daily_exposures", "") == EVERY
    assert affected([each for each in STAGES if each["asset"] != "walking_exposures"], "daily_exposures", "") == {}


def test_a_table_of_estimates_affects_itself_and_a_table_beside_them_nothing() -> None:
    assert affected(STAGES, "time_use_models", "2021-2023") == {"2021-2023": frozenset({"time_use_models"})}
    assert affected(STAGES, "wave_drift", "") == {}
    assert affected(STAGES, "absent", "") == {}
