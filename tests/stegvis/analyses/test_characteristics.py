import numpy as np
import pandas as pd
import pytest

from stegvis.analyses.characteristics import CHARACTERISTICS_COLUMNS, characteristics
from stegvis.statistics.categories import add_categories
from stegvis.study.codebook import participant_levels
from tests.stegvis.conftest import CODEBOOK, LEVELS, PROTOCOL


@pytest.fixture
def people():
    random = np.random.default_rng(8)
    frame = pd.DataFrame(
        {
            "person": [f"p{number}" for number in range(400)],
            "wave": "2021-2023",
            "age": random.normal(55, 12, 400),
            **{name: random.choice(levels, 400) for name, levels in LEVELS.items()},
            "walking_minutes": random.gamma(8, 12, 400),
            "walking_met": random.normal(3.1, 0.2, 400),
            "valid_days": random.integers(1, 8, 400),
            "low_back_pain": random.integers(0, 2, 400),
        }
    )
    return add_categories(frame, PROTOCOL)


def cell(table, category, variable, level=""):
    (row,) = table.query("category == @category and variable == @variable and level == @level").to_dict("records")
    return row


def test_columns_types_and_order_of_reading(people):
    table = characteristics(people, PROTOCOL, LEVELS)
    assert {name: str(dtype) for name, dtype in table.dtypes.items()} == CHARACTERISTICS_COLUMNS
    labels = people.sort_values("walking_minutes_category")["walking_minutes_level"].unique()
    assert table["category"].unique().tolist() == ["all", *labels]
    assert table["variable"].unique().tolist() == [
        "people",
        "age",
        "sex",
        "valid_days",
        "walking_met",
        "walking_minutes",
        "education",
        "income",
        "employment",
        "smoking",
        "depression",
        "low_back_pain",
    ]
    assert not table.duplicated(["category", "variable", "level"]).any()


def test_means_and_sample_deviations(people):
    table = characteristics(people, PROTOCOL, LEVELS)
    second = people[people["walking_minutes_category"] == 2]
    found = cell(table, second["walking_minutes_level"].iloc[0], "age")
    assert found["n"] == len(second)
    assert found["mean"] == pytest.approx(sum(second["age"]) / len(second))
    deviations = [(age - found["mean"]) ** 2 for age in second["age"]]
    assert found["sd"] == pytest.approx((sum(deviations) / (len(second) - 1)) ** 0.5)
    assert pd.isna(found["percent"])


def test_education_is_printed_in_three_levels(people):
    table = characteristics(people, PROTOCOL, LEVELS)
    rows = table.query("variable == 'education' and category == 'all'")
    assert rows["level"].tolist() == ["primary", "upper secondary or vocational", "university"]
    assert rows["n"].iloc[2] == people["education"].str.startswith("university").sum()


def test_levels_add_up_to_people_in_every_category(people):
    table = characteristics(people, PROTOCOL, LEVELS)
    total = table[table["variable"] == "people"].set_index("category")["n"]
    shares = table[table["percent"].notna()].groupby(["variable", "category"])
    for (_, category), rows in shares:
        assert rows["n"].sum() == total[category]
        assert rows["percent"].sum() == pytest.approx(100)
    assert total.drop("all").sum() == total["all"] == len(people)


def test_cases_and_non_cases_are_both_reported(people):
    table = characteristics(people, PROTOCOL, LEVELS)
    assert cell(table, "all", "low_back_pain", "yes")["n"] == people["low_back_pain"].sum()
    assert cell(table, "all", "low_back_pain", "no")["n"] == (1 - people["low_back_pain"]).sum()


def test_levels_nobody_has_are_zero(people):
    people["smoking"] = "never"
    found = cell(characteristics(people, PROTOCOL, LEVELS), "all", "smoking", "current")
    assert (found["n"], found["percent"]) == (0, 0)


def test_another_exposure_and_the_frame_is_not_changed(people):
    before = people.copy()
    table = characteristics(people, PROTOCOL, LEVELS, exposure="walking_met")
    assert set(table["exposure"]) == {"walking_met"}
    assert set(table["category"]) == {"all", *people["walking_met_level"]}
    pd.testing.assert_frame_equal(people, before)


def test_several_waves_and_unknown_education_are_refused(people):
    with pytest.raises(ValueError, match="one wave"):
        characteristics(people.iloc[:0], PROTOCOL, LEVELS)
    people.loc[0, "education"] = "self-taught"
    with pytest.raises(ValueError, match="education") as refusal:
        characteristics(people, PROTOCOL, LEVELS)
    assert "self-taught" not in str(refusal.value)


def test_additional_characteristics_come_last_and_unknown_is_a_level(people):
    levels = LEVELS | participant_levels(CODEBOOK)
    random = np.random.default_rng(3)
    people = people.assign(
        bmi=random.normal(27, 4, 400),
        self_rated_health=random.choice(levels["self_rated_health"], 400),
        work_type="none",
    )
    people.loc[people.index[:30], ["bmi", "self_rated_health"]] = None
    table = characteristics(people, PROTOCOL, levels)
    assert table["variable"].unique().tolist()[-3:] == ["bmi", "work_type", "self_rated_health"]
    assert cell(table, "all", "self_rated_health", "not known")["n"] == 30
    health = table.query("variable == 'self_rated_health'").groupby("category")["n"].sum()
    assert health.to_dict() == table.query("variable == 'people'").set_index("category")["n"].to_dict()
    mean = cell(table, "all", "bmi")
    assert mean["mean"] == pytest.approx(people["bmi"].mean())
    assert pd.isna(mean["n"])
    assert cell(table, "all", "work_type", "none")["percent"] == 100


def test_a_mean_of_too_few_people_is_not_published(people):
    people = people.assign(bmi=np.where(people.index < 4, 30.0, np.nan))
    row = cell(characteristics(people, PROTOCOL, LEVELS), "all", "bmi")
    assert row["status"] == "suppressed"
    assert pd.isna(row["mean"])
