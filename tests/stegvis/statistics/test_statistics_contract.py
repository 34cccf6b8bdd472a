import numpy as np
import pandas as pd
import pytest

from stegvis.statistics.contract import Design, NotEstimable, complete_rows, prepare
from stegvis.statistics.risk_ratio import Fit, fit_risk_ratio
from stegvis.statistics.terms import Categorical, Linear
from tests.stegvis.conftest import PROTOCOL

MODELS = PROTOCOL.models
VOLUME = Categorical("vol_cat", (1, 2, 3, 4), required=True)
SMOKE = Categorical("smoke", ("never", "former", "current"))
AGE = Linear("age")


def ready(frame, terms, **options) -> Design:
    design = prepare(frame, terms, MODELS, outcome="clbp", **options)
    assert isinstance(design, Design)
    return design


def refused(frame, terms) -> str:
    design = prepare(frame, terms, MODELS, outcome="clbp")
    assert isinstance(design, NotEstimable)
    return design.reason


def test_columns_are_named_by_term_and_level(cohort):
    design = ready(cohort, [VOLUME, SMOKE, Linear("age", 10)])
    assert list(design.X) == [
        "intercept",
        "vol_cat[2]",
        "vol_cat[3]",
        "vol_cat[4]",
        "smoke[former]",
        "smoke[current]",
        "age",
    ]
    assert np.allclose(design.X["age"] * 10, cohort["age"])
    assert design.X["smoke[current]"].sum() == (cohort["smoke"] == "current").sum()
    assert design.dropped == 0


def test_incomplete_rows_are_dropped_and_counted(cohort):
    cohort = cohort.astype({"age": "float64"})
    cohort.loc[:99, "age"] = np.nan
    cohort.loc[50:149, "smoke"] = None
    design = ready(cohort, [SMOKE, AGE])
    assert design.dropped == 150
    assert len(design.y) == 3850
    assert len(complete_rows(cohort, ["vol_cat"])[0]) == 4000


@pytest.mark.parametrize(("value", "word"), [(0, "fewer than 5 events"), (1, "fewer than 5 non-events")])
def test_a_category_with_one_outcome_only_is_not_estimable(cohort, value, word):
    cohort.loc[cohort["vol_cat"] == 3, "clbp"] = value
    assert refused(cohort, [VOLUME, AGE]) == f"level 3 of vol_cat has {word}"


def test_events_are_counted_against_the_protocol_exactly(cohort):
    events = cohort.index[(cohort["vol_cat"] == 3) & (cohort["clbp"] == 1)]
    five = cohort.drop(index=events[5:])
    assert isinstance(prepare(five, [VOLUME], MODELS, outcome="clbp"), Design)
    four = cohort.drop(index=events[4:])
    assert "fewer than 5 events" in refused(four, [VOLUME])


def test_a_sample_without_enough_events_is_not_estimable_without_any_category(cohort):
    assert refused(cohort[cohort["clbp"] == 0], [AGE]) == "the sample has fewer than 5 events"
    assert refused(cohort.iloc[:0], [AGE]) == "the sample has fewer than 5 events"


def test_an_unused_level_is_omitted_and_recorded(cohort):
    design = ready(cohort[cohort["smoke"] != "former"], [SMOKE, AGE])
    assert list(design.X) == ["intercept", "smoke[current]", "age"]
    assert design.absent_levels == ("smoke[former]",)


def test_a_required_term_needs_its_reference_and_a_contrast(cohort):
    for kept in ([2, 3, 4], [1]):
        assert "vol_cat has no reference" in refused(cohort[cohort["vol_cat"].isin(kept)], [VOLUME])


def test_a_covariate_with_one_level_is_omitted(cohort):
    design = ready(cohort[cohort["smoke"] == "former"], [VOLUME, SMOKE])
    assert "smoke[current]" not in design.X
    assert design.absent_levels == ("smoke[never]", "smoke[current]")


def test_a_value_outside_the_levels_is_a_mistake_not_a_missing_value(cohort):
    cohort.loc[0, "smoke"] = "pipe"
    with pytest.raises(ValueError, match="smoke holds a value outside its levels") as refusal:
        prepare(cohort, [SMOKE], MODELS, outcome="clbp")
    assert "pipe" not in str(refusal.value)


def test_bool_and_nullable_outcomes_are_the_same_as_numbers(cohort):
    fits = [
        fit_risk_ratio(cohort.assign(clbp=cohort["clbp"].astype(dtype)), [VOLUME, AGE], MODELS, outcome="clbp")
        for dtype in ("int64", "bool", "boolean", "Int64", "float64")
    ]
    for fit in fits:
        assert isinstance(fit, Fit)
        pd.testing.assert_series_equal(fit.coefficients, fits[0].coefficients)


def test_an_outcome_other_than_0_and_1_is_a_mistake(cohort):
    with pytest.raises(ValueError, match="other than 0 and 1"):
        prepare(cohort.assign(clbp=cohort["clbp"] + 1), [AGE], MODELS, outcome="clbp")


def test_determined_constant_and_infinite_covariates_are_not_estimable(cohort):
    double = Linear("double")
    assert "determined by the others" in refused(cohort.assign(double=2 * cohort["age"] + 1), [AGE, double])
    assert "constant" in refused(cohort.assign(double=7.0), [AGE, double])
    assert "infinite" in refused(cohort.assign(double=np.inf), [AGE, double])


def test_nearly_collinear_covariates_are_not_estimable(cohort):
    noise = np.random.default_rng(3).normal(size=len(cohort))
    assert "collinear" in refused(cohort.assign(twin=cohort["age"] + 1e-8 * noise), [AGE, Linear("twin")])
    # Less noise than that passes the condition number and is caught by the size of its coefficient.
    close = cohort.assign(twin=cohort["age"] + 1e-6 * noise)
    fit = fit_risk_ratio(close, [AGE, Linear("twin")], MODELS, outcome="clbp")
    assert isinstance(fit, NotEstimable)


def test_units_do_not_make_a_design_ill_conditioned(cohort):
    ready(cohort.assign(tiny=cohort["bmi"] * 1e-9), [AGE, Linear("tiny")])


def test_too_few_rows_for_the_columns(cohort):
    few = pd.concat([cohort[cohort["clbp"] == outcome].head(5) for outcome in (0, 1)])
    columns = {f"x{number}": np.random.default_rng(number).normal(size=10) for number in range(9)}
    assert "no more rows" in refused(few.assign(**columns), [Linear(name) for name in columns])


def test_a_nearly_saturated_model_is_refused(cohort):
    """Three columns and the constant: 13 rows leave 9 degrees of freedom, 14 rows leave 10."""
    few = pd.concat([cohort[cohort["clbp"] == outcome].head(7) for outcome in (0, 1)])
    columns = {f"x{number}": np.random.default_rng(number).normal(size=14) for number in range(3)}
    terms = [Linear(name) for name in columns]
    assert "fewer than 10 residual degrees of freedom" in refused(few.assign(**columns).iloc[:13], terms)
    ready(few.assign(**columns), terms)


def test_a_model_with_too_few_events_per_coefficient_is_refused(cohort):
    """Nine columns need 18 cases: with 17 they could give a ratio of any size. As many others, too."""
    columns = {f"x{number}": np.random.default_rng(number).normal(size=len(cohort)) for number in range(9)}
    terms, wide = [Linear(name) for name in columns], cohort.assign(**columns)
    for few, word in ((1, "events"), (0, "non-events")):
        rows = pd.concat([wide[wide["clbp"] == few].head(18), wide[wide["clbp"] != few].head(80)])
        ready(rows, terms)
        assert f"fewer than 2 {word} per coefficient" == refused(rows.iloc[1:], terms)


def test_weights_must_be_positive(cohort):
    with pytest.raises(ValueError, match="weight"):
        ready(cohort.assign(weight=0.0), [AGE], weights="weight")
