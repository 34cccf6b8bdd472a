import numpy as np
import pytest

from stegvis.analyses.main_models import main_rows, trend_rows
from stegvis.analyses.wave_data import fit
from stegvis.statistics.categories import add_categories
from stegvis.statistics.risk_ratio import fit_risk_ratio
from stegvis.statistics.terms import category_term, covariate_terms
from tests.stegvis.conftest import LEVELS, PROTOCOL


@pytest.fixture
def fitted(make_wave_data):
    return lambda frame, used=None: fit((main_rows, trend_rows), make_wave_data(frame, used))


def block(results, exposure="walking_minutes", model="adjusted", analysis="main", measure="rr"):
    chosen = results.query(
        "exposure == @exposure and model == @model and analysis == @analysis and measure == @measure"
    )
    return chosen.set_index("level")


def test_every_model_gives_its_categories_its_joint_test_and_three_trends(analysis_set, fitted):
    results = fitted(analysis_set)
    assert (results["status"] == "ok").all()
    assert set(results["wave"]) == {"2021-2023"}
    assert set(results["population"]) == {"all"}
    sizes = results.groupby(["exposure", "model", "analysis", "measure"]).size()
    assert sizes.to_dict() == {
        (exposure, model, *rest): size
        for exposure in ("walking_minutes", "walking_met")
        for model in ("age", "adjusted")
        for rest, size in ((("main", "rr"), 4), (("main", "p_joint"), 1), (("trend", "rr"), 3))
    }


def test_counts_and_labels_are_those_of_the_frame(analysis_set, fitted):
    for exposure in ("walking_minutes", "walking_met"):
        rows = block(fitted(analysis_set), exposure)
        people = analysis_set.groupby(f"{exposure}_level")["low_back_pain"].agg(["size", "sum"])
        assert rows["n"].to_dict() == people["size"].to_dict()
        assert rows["events"].to_dict() == people["sum"].to_dict()
        lowest = analysis_set.loc[analysis_set[f"{exposure}_category"] == 1, f"{exposure}_level"].iloc[0]
        assert set(rows["reference"]) == {lowest}
        assert set(rows["term"]) == {f"{exposure}_category"}


def test_the_reference_is_one_without_interval_or_e_value(analysis_set, fitted):
    rows = block(fitted(analysis_set))
    reference = rows.iloc[0]
    assert reference["estimate"] == 1
    assert reference[["ci_low", "ci_high", "std_error", "p_value", "e_value", "e_value_ci"]].isna().all()
    assert rows.iloc[1:][["ci_low", "ci_high", "std_error", "p_value", "e_value", "e_value_ci"]].notna().all(axis=None)


def test_estimates_are_those_of_the_model(analysis_set, fitted):
    terms = [category_term("walking_met", PROTOCOL), *covariate_terms("adjusted", PROTOCOL, LEVELS)]
    fit = fit_risk_ratio(analysis_set, terms, PROTOCOL.models)
    results = fitted(analysis_set)
    assert fit.coefficients.size == 1 + 3 + 1 + 1 + 5 + 4 + 1 + 2 + 1
    for category, (_, row) in zip((2, 3, 4), block(results, "walking_met").iloc[1:].iterrows(), strict=True):
        expected = fit.ratio(f"walking_met_category[{category}]")
        assert row["estimate"] == pytest.approx(expected.estimate, rel=1e-9)
        assert row["std_error"] == pytest.approx(expected.std_error, rel=1e-9)
    (joint,) = block(results, "walking_met", measure="p_joint").to_dict("records")
    names = [f"walking_met_category[{category}]" for category in (2, 3, 4)]
    assert joint["estimate"] == joint["p_value"] == pytest.approx(fit.joint_wald(names).p_value, rel=1e-9)


def test_the_order_of_rows_and_of_people_does_not_matter(analysis_set, fitted):
    shuffled = fitted(analysis_set.sample(frac=1, random_state=2))
    assert shuffled.equals(fitted(analysis_set))


def test_a_category_without_events_makes_its_model_not_estimable(analysis_set, fitted):
    frame = analysis_set.copy()
    frame.loc[frame["walking_minutes_category"] == 3, "low_back_pain"] = 0
    results = fitted(frame)
    rows = block(results)
    assert set(rows["status"]) == {"not_estimable"}
    assert rows["note"].str.contains("level 3 of walking_minutes_category has fewer than 5 events").all()
    assert rows["estimate"].isna().all()
    assert rows["n"].notna().all()
    assert block(results, measure="p_joint")["status"].tolist() == ["not_estimable"]
    assert set(block(results, "walking_met")["status"]) == {"ok"}


def test_with_an_empty_category_because_of_ties_the_others_are_estimable(make_analysis_set, fitted):
    frame = make_analysis_set()
    values = np.array([60.0, 70, 70, 70, 70, 70, 80, 90])
    frame["walking_minutes"] = values[np.arange(len(frame)) % 8]
    rows = block(fitted(add_categories(frame, PROTOCOL)))
    assert rows["status"].tolist() == ["ok", "not_estimable", "not_estimable", "ok"]
    assert rows["n"].tolist() == [1126, 0, 0, 374]
    assert "nobody is in this category" in rows["note"].iloc[1]
    assert "levels without people" in rows["note"].iloc[3]


def test_a_tiny_wave_gives_rows_that_say_why_they_are_empty(make_analysis_set, fitted):
    results = fitted(make_analysis_set(people=12))
    assert set(results["status"]) == {"not_estimable"}
    assert len(results) == 32


def test_one_wave_at_a_time_and_each_person_once(analysis_set, fitted):
    with pytest.raises(ValueError, match="one wave"):
        fitted(analysis_set.iloc[:0])
    two = analysis_set.copy()
    two.loc[0, "wave"] = "2027-2029"
    with pytest.raises(ValueError, match="one wave"):
        fitted(two)
    twice = analysis_set.copy()
    twice.loc[1, "person"] = twice.loc[0, "person"]
    with pytest.raises(ValueError, match="twice") as refusal:
        fitted(twice)
    assert "p0" not in str(refusal.value)


def test_the_note_names_the_variance(analysis_set, fitted):
    used = PROTOCOL.model_copy(update={"models": PROTOCOL.models.model_copy(update={"variance": "hc0"})})
    stata, hc0 = block(fitted(analysis_set)), block(fitted(analysis_set, used))
    assert stata["note"].str.startswith("as_published; sample_quartiles; stata variance").all()
    assert hc0["note"].str.startswith("as_published; sample_quartiles; hc0 variance").all()
    n = len(analysis_set)
    ratio = (stata["std_error"] / hc0["std_error"]).dropna()
    assert list(ratio) == pytest.approx([np.sqrt(n / (n - 1))] * 3, rel=1e-9)
