import pytest

from stegvis.analyses.trend import add_scores, trend_rows
from stegvis.statistics.results import ResultRow
from stegvis.statistics.terms import Categorical, Linear
from tests.stegvis.conftest import PROTOCOL

COVARIATES = [
    Linear("age"),
    Linear("women"),
    Categorical("edu", (1, 2, 3)),
    Categorical("smoke", ("never", "former", "current")),
    Linear("bmi"),
]
HC0 = PROTOCOL.model_copy(update={"models": PROTOCOL.models.model_copy(update={"variance": "hc0"})})


@pytest.fixture
def named(cohort):
    return cohort.rename(
        columns={
            "walk_min": "walking_minutes",
            "walk_met": "walking_met",
            "vol_cat": "walking_minutes_category",
            "int_cat": "walking_met_category",
            "clbp": "low_back_pain",
        }
    )


def rows_of(frame, exposure, used=HC0):
    template = ResultRow("2021-2023", "trend", "all", "adjusted", exposure, note="as_published")
    return {row.term: row for row in trend_rows(frame, template, COVARIATES, used)}


@pytest.mark.parametrize(("exposure", "name"), [("walking_minutes", "volume"), ("walking_met", "intensity")])
def test_medians_agree_with_r(named, expected, exposure, name):
    medians = add_scores(named, exposure).groupby(f"{exposure}_category")[f"{exposure}_median"].first()
    assert list(medians) == pytest.approx(expected("trend")[f"{name}_medians"], rel=1e-12)


@pytest.mark.parametrize(
    ("exposure", "term", "reference", "units"),
    [
        ("walking_minutes", "median", "trend_median_volume", 20),
        ("walking_minutes", "ordinal", "trend_ordinal_volume", 1),
        ("walking_minutes", "linear", "linear_per_20_min", 1),
        ("walking_minutes", "linear", "linear_per_minute", 20),
        ("walking_met", "median", "trend_median_intensity", 0.1),
        ("walking_met", "ordinal", "trend_ordinal_intensity", 1),
        ("walking_met", "linear", "linear_per_0.1_met", 1),
    ],
)
def test_trends_agree_with_r(named, expected, exposure, term, reference, units):
    (answer,) = expected("trend")[reference]
    row = rows_of(named, exposure)[f"{exposure}_{term}"]
    assert row.estimate == pytest.approx(answer["rr"] ** units, rel=1e-6)
    assert row.ci_low == pytest.approx(answer["lo"] ** units, rel=1e-6)
    assert row.ci_high == pytest.approx(answer["hi"] ** units, rel=1e-6)
    assert row.std_error == pytest.approx(answer["se"] * units, rel=1e-6)
    assert row.p_value == pytest.approx(answer["p"], rel=1e-6)
    assert (row.n, row.events) == (4000, 575)


def test_rows_say_what_they_are_per(named):
    levels = {term: row.level for term, row in rows_of(named, "walking_met").items()}
    assert levels == {
        "walking_met_median": "per 0.1 MET",
        "walking_met_ordinal": "per category",
        "walking_met_linear": "per 0.1 MET",
    }


def test_a_trend_over_one_category_is_not_estimable(named):
    rows = rows_of(named[named["walking_met_category"] == 2], "walking_met")
    assert rows["walking_met_ordinal"].status == "not_estimable"
    assert "constant" in rows["walking_met_median"].note
    assert rows["walking_met_linear"].status == "ok"


def test_the_people_are_those_of_the_categories(named):
    named.loc[:9, "walking_met"] = None
    named.loc[10:12, "bmi"] = None
    for row in rows_of(named, "walking_met").values():
        assert row.n == 4000 - 13
        assert "13 incomplete rows left out" in row.note


def test_few_incomplete_rows_are_reported_in_words(named):
    named.loc[10:12, "bmi"] = None
    row = rows_of(named, "walking_met")["walking_met_linear"]
    assert row.note == "as_published; fewer than 5 incomplete rows left out"
