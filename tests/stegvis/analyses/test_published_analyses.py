"""The published analyses: which rows there are, in whom, and that their numbers are those of the model named."""

import numpy as np
import pandas as pd
import pytest

from stegvis.analyses import additive, interaction, joint, main_models, mutual, sensitivity, spline, strata
from stegvis.analyses.wave_data import fit, rows_of
from stegvis.statistics.categories import add_categories
from stegvis.statistics.restricted_cubic_spline import basis, percentile
from stegvis.statistics.results import to_frame
from stegvis.statistics.risk_ratio import fit_risk_ratio
from stegvis.statistics.terms import Categorical, Linear, category_term, covariate_terms
from tests.stegvis.conftest import LEVELS, PROTOCOL, analysis_set_of, wave_data_of
from tests.stegvis.disclosure.made_tables import controlled

MODELS = PROTOCOL.models
ADJUSTED = covariate_terms("adjusted", PROTOCOL, LEVELS)
STRICT = PROTOCOL.model_copy(update={"study": PROTOCOL.study.model_copy(update={"mode": "strict"})})
FIXED = PROTOCOL.model_copy(
    update={"exposures": PROTOCOL.exposures.model_copy(update={"categories": "fixed_published"})}
)


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    return analysis_set_of(4000)


@pytest.fixture(scope="module")
def results(people) -> pd.DataFrame:
    analyses = (
        main_models.main_rows, main_models.other_cuts_rows, mutual.mutual_rows, joint.joint_rows,
        additive.additive_rows, strata.stratified_rows, strata.within_intensity_rows, strata.within_volume_rows,
        interaction.interaction_rows, spline.spline_rows, spline.mutual_spline_rows, sensitivity.sensitivity_rows,
    )  # fmt: skip
    return fit(analyses, wave_data_of(people))


def rows(results, analysis, model="adjusted", exposure="walking_minutes", measure="rr", population=None):
    found = results.query("analysis == @analysis and model == @model and exposure == @exposure and measure == @measure")
    return found if population is None else found[found["population"] == population]


def assert_ratios(found: pd.DataFrame, model, names) -> None:
    for (_, row), name in zip(found.iterrows(), names, strict=True):
        assert row["estimate"] == pytest.approx(model.ratio(name).estimate, rel=1e-9)
        assert row["std_error"] == pytest.approx(model.ratio(name).std_error, rel=1e-9)


def of_categories(exposure):
    return [category_term(exposure, PROTOCOL).coefficient(level) for level in (2, 3, 4)]


def test_everything_can_be_estimated_in_enough_people(results):
    refused = results[results["status"] != "ok"]
    # Intensity does nothing in these people, so chance decides on which side of 1 low intensity alone comes to lie.
    assert set(refused["measure"]) <= set(additive.MEASURES)


def test_mutual_adjusts_for_the_other_exposure_in_two_ways(results, people):
    for exposure, other in (("walking_minutes", "walking_met"), ("walking_met", "walking_minutes")):
        for analysis, term in (("mutual", Linear(other)), ("mutual_categories", category_term(other, PROTOCOL))):
            model = fit_risk_ratio(people, [category_term(exposure, PROTOCOL), *ADJUSTED, term], MODELS)
            found = rows(results, analysis, exposure=exposure)
            assert_ratios(found.iloc[1:], model, of_categories(exposure))


def test_fixed_cuts_are_reported_with_sample_quartiles_and_vice_versa(results, people):
    assert rows(results, "fixed_cuts")["level"].tolist() == ["<78", "78-100", "101-124", ">=125"]
    assert rows(results, "fixed_cuts")["note"].str.contains("fixed_published").all()
    turned = fit(
        (main_models.main_rows, main_models.other_cuts_rows), wave_data_of(add_categories(people, FIXED), FIXED)
    )
    numbers = ["level", "n", "events", "estimate", "ci_low", "ci_high"]
    pd.testing.assert_frame_equal(
        rows(turned, "main")[numbers].reset_index(drop=True),
        rows(results, "fixed_cuts")[numbers].reset_index(drop=True),
    )
    pd.testing.assert_frame_equal(
        rows(turned, "sample_cuts")[numbers].reset_index(drop=True),
        rows(results, "main")[numbers].reset_index(drop=True),
    )


def test_strata_reuse_the_cuts_keep_age_and_drop_sex(results, people):
    labels = rows(results, "main")["level"].tolist()
    parts = {
        "age<65": ~people["older"], "age>=65": people["older"],
        "women": people["sex"] == "female", "men": people["sex"] == "male",
    }  # fmt: skip
    assert set(results.query("analysis == 'stratified'")["population"]) == set(parts)
    for name, members in parts.items():
        terms = ADJUSTED if "age" in name else [term for term in ADJUSTED if term.column != "sex"]
        model = fit_risk_ratio(people[members], [category_term("walking_minutes", PROTOCOL), *terms], MODELS)
        found = rows(results, "stratified", population=name)
        assert found["level"].tolist() == labels
        assert_ratios(found.iloc[1:], model, of_categories("walking_minutes"))
    both = [rows(results, "stratified", population=name)["n"].to_numpy() for name in ("women", "men")]
    assert (sum(both) == rows(results, "main")["n"].to_numpy()).all()


def test_within_each_category_of_the_other_exposure(results, people):
    for analysis, outer, inner in (
        ("within_intensity", "walking_met", "walking_minutes"),
        ("within_volume", "walking_minutes", "walking_met"),
    ):
        labels = rows(results, "main", exposure=outer)["level"]
        for category, label in enumerate(labels, start=1):
            part = people[people[f"{outer}_category"] == category]
            model = fit_risk_ratio(part, [category_term(inner, PROTOCOL), *ADJUSTED], MODELS)
            found = rows(results, analysis, exposure=inner, population=f"{outer} {label}")
            assert_ratios(found.iloc[1:], model, of_categories(inner))
    highest = rows(results, "main")["level"].iloc[-1]
    below = rows(results, "within_volume", exposure="walking_met", population=f"walking_minutes <{highest[2:]}")
    assert below["n"].sum() == (people["walking_minutes_category"] < 4).sum()


def test_the_joint_table_has_sixteen_cells_and_a_test_of_nine_product_terms(results, people):
    found = rows(results, "joint")
    counts = people.groupby(["walking_minutes_category", "walking_met_category"])["low_back_pain"].agg(["size", "sum"])
    assert found["n"].tolist() == counts["size"].tolist()
    assert found["events"].tolist() == counts["sum"].tolist()
    assert found["level"].iloc[0] == found["reference"].iloc[0]
    terms = [category_term("walking_minutes", PROTOCOL), category_term("walking_met", PROTOCOL)]
    model = fit_risk_ratio(people, [*terms, *ADJUSTED], MODELS, products=[(terms[0], terms[1])])
    weights = dict.fromkeys(("walking_minutes_category[3]", "walking_met_category[2]"), 1.0)
    weights["walking_minutes_category[3]:walking_met_category[2]"] = 1.0
    assert found["estimate"].iloc[9] == pytest.approx(model.combined_ratio(weights).estimate, rel=1e-7)
    (test,) = rows(results, "joint", measure="p_interaction").to_dict("records")
    names = [name for name in model.coefficients.index if ":" in name]
    assert test["estimate"] == pytest.approx(model.joint_wald(names).p_value, rel=1e-7)
    assert "9 df" in test["note"]


def test_a_thin_cell_costs_its_own_estimate_only(people):
    sparse = people.copy()
    cell = (sparse["walking_minutes_category"] == 2) & (sparse["walking_met_category"] == 3)
    sparse.loc[cell, "low_back_pain"] = 0
    found = fit((joint.joint_rows,), wave_data_of(sparse)).query("model == 'adjusted'")
    ratios = found[found["measure"] == "rr"]
    assert (ratios["status"] == "not_estimable").tolist() == [number == 6 for number in range(16)]
    rest = sparse[~cell].assign(
        joint=lambda frame: frame["walking_minutes_category"] * 10 + frame["walking_met_category"]
    )
    levels = tuple(one * 10 + other for one in range(1, 5) for other in range(1, 5) if (one, other) != (2, 3))
    model = fit_risk_ratio(rest, [Categorical("joint", levels), *ADJUSTED], MODELS)
    assert ratios["estimate"].iloc[15] == pytest.approx(model.ratio("joint[44]").estimate, rel=1e-9)
    assert found.set_index("measure")["status"][["p_joint", "p_interaction"]].tolist() == ["ok", "not_estimable"]


def test_interaction_as_published_uses_age_only_as_older_or_not(results, people):
    from scipy.stats import chi2

    category, older = category_term("walking_minutes", PROTOCOL), Categorical("older", (False, True))
    terms = [category, older, *(term for term in ADJUSTED if term.column != "age")]
    full = fit_risk_ratio(people, terms, MODELS, products=[(category, older)])
    nested = fit_risk_ratio(people, terms, MODELS)
    (row,) = (
        rows(results, "interaction", measure="p_likelihood_ratio")
        .query("term.str.endswith('older')")
        .to_dict("records")
    )
    statistic = 2 * (full.log_likelihood - nested.log_likelihood)
    assert row["estimate"] == pytest.approx(chi2.sf(statistic, 3), rel=1e-8)
    assert "published for volume only" not in row["note"]
    (other,) = (
        rows(results, "interaction", exposure="walking_met", measure="p_likelihood_ratio")
        .query("term.str.endswith('older')")
        .to_dict("records")
    )
    assert "published for volume only" in other["note"]


@pytest.mark.parametrize(("modifier", "levels"), [("older", (False, True)), ("sex", ("female", "male"))])
def test_robust_interaction_has_ratios_of_ratios_with_continuous_age(results, people, modifier, levels):
    category, term = category_term("walking_minutes", PROTOCOL), Categorical(modifier, levels)
    terms = [category, term, *(each for each in ADJUSTED if each.column != modifier)]
    model = fit_risk_ratio(people, terms, MODELS, products=[(category, term)])
    found = rows(results, "interaction", measure="ratio_of_rr").query("term.str.endswith(@modifier)")
    names = [f"walking_minutes_category[{level}]:{modifier}[{levels[1]}]" for level in (2, 3, 4)]
    assert_ratios(found.iloc[1:], model, names)
    (test,) = (
        rows(results, "interaction", measure="p_interaction").query("term.str.endswith(@modifier)").to_dict("records")
    )
    assert test["estimate"] == pytest.approx(model.joint_wald(names).p_value, rel=1e-8)
    assert found["e_value"].isna().all()


def test_a_curve_has_its_knots_its_reference_and_its_tests(results, people):
    values = people["walking_minutes"].to_numpy()
    knots = percentile(values, [0.1, 0.5, 0.9], "stata")
    published = rows(results, "spline", measure="knot")
    assert published["estimate"].tolist() == pytest.approx(knots.tolist(), rel=1e-12)
    columns = basis(values, knots)
    frame = people.assign(s0=columns[:, 0], s1=columns[:, 1])
    model = fit_risk_ratio(frame, [Linear("s0"), Linear("s1"), *ADJUSTED], MODELS)
    found = rows(results, "spline").set_index("level")
    contrast = basis(np.array([120.0]), knots)[0] - basis(knots[:1], knots)[0]
    expected = model.combined_ratio({"s0": contrast[0], "s1": contrast[1]})
    assert found.loc["120", "estimate"] == pytest.approx(expected.estimate, rel=1e-9)
    assert found.loc["120", "ci_low"] == pytest.approx(expected.ci_low, rel=1e-9)
    reference = found.loc[f"{knots[0]:.6g}"]
    assert reference[["estimate", "ci_low", "ci_high"]].tolist() == [1, 1, 1]
    assert set(found["reference"]) == {f"{knots[0]:.6g}"}
    (shape,) = rows(results, "spline", measure="p_nonlinearity")["estimate"]
    assert shape == pytest.approx(model.joint_wald(["s1"]).p_value, rel=1e-8)
    (overall,) = rows(results, "spline", measure="p_overall")["estimate"]
    assert overall == pytest.approx(model.joint_wald(["s0", "s1"]).p_value, rel=1e-8)


def test_a_curve_ends_before_the_last_people_and_events_on_each_side(results, people):
    events = people[people["low_back_pain"] == 1]
    beyond = PROTOCOL.disclosure.smallest_count / len(events)
    for exposure, step in (("walking_minutes", 2.0), ("walking_met", 0.02)):
        for analysis in ("spline", "mutual_spline", "spline_fixed_knots"):
            levels = rows(results, analysis, exposure=exposure)["level"].astype(float)
            low, high = percentile(people[exposure].to_numpy(), [0.01, 0.99], "stata")
            first, last = percentile(events[exposure].to_numpy(), [beyond, 1 - beyond], "stata")
            low, high = max(low, first), min(high, last)
            assert low <= levels.min() < low + step
            assert high - step < levels.max() <= high
            assert levels.is_monotonic_increasing


def test_in_few_people_the_curve_is_shorter_and_in_very_few_there_is_none():
    few = np.arange(100.0)
    found = spline.place(few, few, "walking_minutes", PROTOCOL, "sample")
    assert isinstance(found, spline.Place)
    assert (few < found.lowest).sum() >= 4  # the percentile lies between the fifth and the sixth
    assert (few > found.highest).sum() >= 4
    assert not isinstance(spline.place(few[:49], few[:49], "walking_minutes", PROTOCOL, "sample"), spline.Place)


def test_a_curve_ends_where_events_end():
    people, events = np.arange(1000.0), np.arange(200.0, 601.0)
    found = spline.place(people, events, "walking_minutes", PROTOCOL, "sample")
    assert isinstance(found, spline.Place)
    assert (events < found.lowest).sum() == (events > found.highest).sum() == 5
    everywhere = spline.place(people, people, "walking_minutes", PROTOCOL, "sample")
    assert isinstance(everywhere, spline.Place)
    assert (everywhere.lowest, everywhere.highest) == pytest.approx((10, 990), abs=1)
    assert everywhere.knots == found.knots
    assert not isinstance(spline.place(people, events[:9], "walking_minutes", PROTOCOL, "sample"), spline.Place)


def test_a_mutual_curve_adjusts_for_the_curve_of_the_other_exposure(results, people):
    frame, names = people, {}
    for exposure in ("walking_minutes", "walking_met"):
        knots = percentile(people[exposure].to_numpy(), [0.1, 0.5, 0.9], "stata")
        columns = basis(people[exposure].to_numpy(), knots)
        names[exposure] = [f"{exposure}_{number}" for number in range(2)]
        frame = frame.assign(**dict(zip(names[exposure], columns.T, strict=True)))
    terms = [Linear(name) for each in names.values() for name in each]
    model = fit_risk_ratio(frame, [*terms, *ADJUSTED], MODELS)
    (overall,) = rows(results, "mutual_spline", measure="p_overall")["estimate"]
    assert overall == pytest.approx(model.joint_wald(names["walking_minutes"]).p_value, rel=1e-8)


def test_additive_interaction_rows_are_those_of_the_cells(people):
    random = np.random.default_rng(11)
    low = people[["walking_minutes_category", "walking_met_category"]] == 1
    risk = 0.15 * np.where(low.all(axis=1), 2.4, np.where(low.any(axis=1), 1.4, 1.0))
    frame = people.assign(low_back_pain=(random.random(len(people)) < risk).astype("int64"))
    results = fit((additive.additive_rows,), wave_data_of(frame))
    assert (results["status"] == "ok").all()
    found = rows(results, "additive_interaction").set_index("level")
    risks = found["estimate"]
    (reri,) = rows(results, "additive_interaction", measure="reri").to_dict("records")
    assert risks["neither low"] == 1
    assert found["n"].tolist() == [
        (~low).all(axis=1).sum(),
        *((low.iloc[:, one] & ~low.iloc[:, 1 - one]).sum() for one in (0, 1)),
        low.all(axis=1).sum(),
    ]
    assert reri["estimate"] == pytest.approx(risks["both low"] - risks["low volume"] - risks["low intensity"] + 1)
    assert reri["ci_low"] > 0
    (ap,) = rows(results, "additive_interaction", measure="ap")["estimate"]
    assert ap == pytest.approx(reri["estimate"] / risks["both low"])
    (synergy,) = rows(results, "additive_interaction", measure="synergy_index")["estimate"]
    assert synergy == pytest.approx((risks["both low"] - 1) / (risks["low volume"] + risks["low intensity"] - 2))
    assert rows(results, "additive_interaction", measure="reri")["e_value"].isna().all()


def test_an_exposure_that_protects_has_no_additive_measures(people):
    low = people["walking_met_category"] == 1
    frame = people.assign(low_back_pain=people["low_back_pain"].mask(low & (np.arange(len(people)) % 2 == 0), 0))
    results = fit((additive.additive_rows,), wave_data_of(frame))
    refused = results[results["measure"].isin(additive.MEASURES)]
    assert set(refused["status"]) == {"not_estimable"}
    assert refused["note"].str.contains("lowers the risk").all()
    assert (results.loc[~results["measure"].isin(additive.MEASURES), "status"] == "ok").all()


EIGHT = ["bmi", "running_cycling", "valid_days", "no_pain", "little_pain", "good_health", "no_disease", "severe_pain"]


def test_sensitivity_analyses_recut_in_their_own_sample(results, people):
    names = {name.removeprefix("sensitivity:") for name in results["analysis"] if name.startswith("sensitivity:")}
    other_answers = {"running_cycling_strict", "good_health_strict", "severe_pain_strict", "low_back_pain_strict"}
    assert names == {*EIGHT, *other_answers, "age_curve"}
    long = people[people["valid_days"] >= 4]
    quarters = np.quantile(long["walking_minutes"], [0.25, 0.5, 0.75], method="averaged_inverted_cdf")
    category = np.searchsorted(quarters, long["walking_minutes"], side="left")
    assert rows(results, "sensitivity:valid_days")["n"].tolist() == np.bincount(category).tolist()
    assert rows(results, "sensitivity:running_cycling")["level"].tolist() == rows(results, "main")["level"].tolist()


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("bmi", "bmi"),
        ("running_cycling", "running_cycling_minutes_as_published"),
        ("running_cycling_strict", "running_cycling_minutes_strict"),
    ],
)
def test_an_added_covariate_is_in_the_adjusted_model_only(results, people, name, column):
    sample = add_categories(people[people[column].notna()], PROTOCOL)
    for model, terms in (
        ("adjusted", [*ADJUSTED, Linear(column)]),
        ("age", covariate_terms("age", PROTOCOL, LEVELS)),
    ):
        fitted = fit_risk_ratio(sample, [category_term("walking_minutes", PROTOCOL), *terms], MODELS)
        found = rows(results, f"sensitivity:{name}", model=model)
        assert_ratios(found.iloc[1:], fitted, of_categories("walking_minutes"))


def test_both_versions_of_each_published_error_are_reported_in_either_mode(results, people):
    strict = fit((sensitivity.sensitivity_rows,), wave_data_of(people, STRICT))
    for name in ("running_cycling", "good_health", "severe_pain"):
        pairs = (
            (rows(results, f"sensitivity:{name}"), rows(strict, f"sensitivity:{name}_as_published")),
            (rows(results, f"sensitivity:{name}_strict"), rows(strict, f"sensitivity:{name}")),
        )
        for one, same in pairs:
            assert one["estimate"].tolist() == same["estimate"].tolist()
            assert one["n"].tolist() == same["n"].tolist()
    health = people["self_rated_health"]
    good = health.isin(["good", "very good"])
    assert rows(results, "sensitivity:good_health")["n"].sum() == (good | health.isna()).sum()
    assert rows(results, "sensitivity:good_health_strict")["n"].sum() == good.sum()
    severe = people["severe_low_back_pain_strict"]
    assert rows(results, "sensitivity:severe_pain")["n"].sum() == len(people)
    assert rows(results, "sensitivity:severe_pain_strict")["n"].sum() == severe.notna().sum()
    assert rows(results, "sensitivity:severe_pain")["events"].sum() == severe.sum()


def test_the_outcome_of_the_other_mode_is_reported_without_its_events(results, people):
    found = rows(results, "sensitivity:low_back_pain_strict")
    fitted = fit_risk_ratio(
        people, [category_term("walking_minutes", PROTOCOL), *ADJUSTED], MODELS, outcome="low_back_pain_strict"
    )
    assert_ratios(found.iloc[1:], fitted, of_categories("walking_minutes"))
    assert found["n"].tolist() == rows(results, "main")["n"].tolist()
    assert found["events"].isna().all()


def test_an_outcome_that_differs_in_a_few_people_is_not_published(people):
    few = people.assign(
        low_back_pain_strict=people["low_back_pain"].where(people.index != people["low_back_pain"].idxmax(), 0)
    )
    found = fit((sensitivity.sensitivity_rows,), wave_data_of(few))
    found = found[found["analysis"] == "sensitivity:low_back_pain_strict"]
    assert set(found["status"]) == {"not_estimable"}
    assert found["note"].str.contains("too few people").all()


def test_release_hides_nothing_where_all_counts_are_large_and_what_is_small_elsewhere(people):
    main = rows_of((main_models.main_rows, spline.spline_rows), wave_data_of(people))
    found = controlled(main)
    assert found.suppressed.empty
    ratios = to_frame(main).query("measure == 'rr' and analysis == 'main'")["estimate"]
    shown = found.tables.results.query("measure == 'rr' and analysis == 'main'")["estimate"]
    assert shown.tolist() == ratios.round(2).tolist()
    found = controlled(rows_of((joint.joint_rows, spline.spline_rows), wave_data_of(people.iloc[:300])))
    published = found.tables.results.dropna(subset=["n", "events"])
    assert not ((published["events"] > 0) & (published["events"] < 5)).any()
    assert len(found.suppressed) > 0


def test_a_curve_names_no_exact_percentile(people):
    """Knots and reference are percentiles: with all digits they can be a person's own minutes."""
    made = rows_of((spline.spline_rows,), wave_data_of(people))
    shown = controlled(made).tables.results
    exact = {f"{value:.6g}" for value in people["walking_minutes"]}
    minutes = shown["exposure"] == "walking_minutes"
    assert {row.reference for row in made if row.exposure == "walking_minutes"} - set(shown["reference"])
    curve = shown[minutes & (shown["measure"] == "rr")]
    assert all(len(level.partition(".")[2]) <= 1 for level in {*curve["level"], *curve["reference"]} - {""})
    knots = shown[minutes & (shown["measure"] == "knot")]["estimate"]
    assert not {f"{knot:.6g}" for knot in knots if knot != round(knot, 1)} & exact
    assert (curve.loc[curve["level"] == curve["reference"], "estimate"] == 1).all()
