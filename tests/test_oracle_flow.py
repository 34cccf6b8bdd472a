"""The oracle itself, on a handful of people small enough to count by hand."""

import pandas as pd
import pytest

from tests.oracle_flow import flow_from_deliveries, quartile_cuts, recorded_days, walking_exposures

ACTIVITIES = ["LyTm", "SitTm", "StandTm", "Walk1Tm", "Walk2Tm", "Walk3Tm", "WalkTm", "RunTm", "CyclTm"]
GOOD_DAY = [30_000, 30_000, 20_400, 3_600, 1_800, 600, 6_000, 0, 0]
DETACHED = [86_400, 0, 0, 0, 0, 0, 0, 0, 0]
COMPLETE = {
    "Sex": 1,
    "PartAg_NT4BLM": 50,
    "Educ_NT4BLQ1": 3,
    "IncoTot_NT4BLQ1": 2,
    "WorCu_NT4BLI": 1,
    "SmoStat_NT4BLQ1": 4,
    "HADSDepr_NT4BLQ2": 7,
    "MSPaLY_NT4BLQ2": 0,
    "MSPaLum_NT4BLQ2": None,
}


def write(folder, name, rows):
    folder.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(folder / name, index=False)


def days(person, *of_days):
    given = {f"{a}D{i}_NT4ActMX": v for i, day in enumerate(of_days, 1) for a, v in zip(ACTIVITIES, day, strict=True)}
    blank = {f"{a}D{i}_NT4ActMX": None for i in range(len(of_days) + 1, 8) for a in ACTIVITIES}
    return {"person": person} | given | blank


@pytest.fixture
def landing(tmp_path):
    changes = {
        "plain": {},
        "case": {"MSPaLY_NT4BLQ2": 1},
        "withdrawn": {},
        "no_day": {},
        "detached": {},
        "no_screen": {"MSPaLY_NT4BLQ2": None},
        "in_pain": {"MSPaLY_NT4BLQ2": 0, "MSPaLum_NT4BLQ2": 1},
        "silent": {},
        "no_income": {"IncoTot_NT4BLQ1": None},
    }
    people = [{"person": name} | COMPLETE | change for name, change in changes.items()]
    write(tmp_path / "baseline" / "a", "participants.csv", people)
    recorded = [days(name, GOOD_DAY, DETACHED) for name in changes if name not in ("no_day", "detached")]
    write(tmp_path / "recordings" / "2018-02", "days.csv", [*recorded, days("detached", DETACHED)])
    blank = list(GOOD_DAY)
    blank[2] = None  # standing is blank, not zero: the day counts
    write(tmp_path / "recordings" / "2018-09", "days.csv", [days("plain", blank, GOOD_DAY, DETACHED)])
    answers = [
        {
            "person": name,
            "MSPaLY_NT4CovQ": None if name == "silent" else 0,
            "MSPaLum_NT4CovQ": 1 if name == "case" else None,
        }
        for name in changes
    ]
    write(tmp_path / "followup" / "2021-2023", "questionnaire.csv", answers)
    write(tmp_path / "withdrawals", "2024-01.csv", [{"person": "withdrawn"}])
    return tmp_path


def test_each_participant_is_excluded_at_the_step_named_for_them(landing):
    found = flow_from_deliveries(landing)["2021-2023"]
    assert found["excluded"] == {
        "no_accelerometer_day": 1,
        "no_valid_walking_day": 1,
        "baseline_screen_missing": 1,
        "baseline_low_back_pain": 1,
        "followup_screen_missing": 1,
        "covariate_missing": 1,
    }
    assert list(found["counts"].values()) == [8, 7, 6, 5, 4, 3, 2]
    assert found["analyzed"].index.tolist() == ["case", "plain"]
    assert found["cases"] == 1


def test_codes_are_grouped_as_published(landing):
    person = flow_from_deliveries(landing)["2021-2023"]["analyzed"].loc["plain"]
    assert person[["smoking", "depression", "employment", "outcome"]].tolist() == [1, 1, 0, 0]


def test_the_later_batch_wins_and_detached_days_do_not_count(landing):
    exposures = walking_exposures(recorded_days(landing)).loc["plain"]
    assert exposures["recorded_days"] == 3
    assert exposures["valid_days"] == 2
    assert exposures["volume"] == pytest.approx(100.0)
    assert exposures["intensity"] == pytest.approx((2.8 * 60 + 3.8 * 30 + 4.8 * 10) / 100)


def test_later_drops_of_a_wave_replace_and_add_answers(landing):
    row = {"MSPaLY_NT4CovQ": 1, "MSPaLum_NT4CovQ": 1}
    write(landing / "followup" / "2021-2023.2", "questionnaire.csv", [{"person": "plain"} | row])
    write(landing / "followup" / "2021-2023.10", "questionnaire.csv", [{"person": "silent"} | row])
    write(landing / "followup" / "2021-2023.9", "questionnaire.csv", [{"person": "silent"} | dict.fromkeys(row)])
    flow = flow_from_deliveries(landing)
    assert list(flow) == ["2021-2023"]
    assert flow["2021-2023"]["analyzed"]["outcome"].to_dict() == {"case": 1, "plain": 1, "silent": 1}


def test_quartiles_are_those_of_stata():
    assert quartile_cuts(pd.Series([1, 2, 3, 4, 5, 6, 7, 8])) == [2.5, 4.5, 6.5]
    assert quartile_cuts(pd.Series([5, 1, 4, 2, 3])) == [2, 3, 4]


def test_a_batch_of_signals_is_refused(landing):
    (landing / "recordings" / "signals").mkdir()
    with pytest.raises(ValueError, match="signals"):
        flow_from_deliveries(landing)
