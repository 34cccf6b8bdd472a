import numpy as np
import pandas as pd
import pytest

from stegvis.statistics.additive_interaction import AdditiveInteraction, additive_interaction
from stegvis.statistics.contract import NotEstimable
from stegvis.statistics.risk_ratio import Fit, Ratio, fit_risk_ratio
from stegvis.statistics.terms import Categorical, Linear
from tests.stegvis.conftest import ORACLE, PROTOCOL

HC0 = PROTOCOL.models.model_copy(update={"variance": "hc0"})
COVARIATES = [
    Linear("age"),
    Linear("women"),
    Categorical("edu", (1, 2, 3)),
    Categorical("smoke", ("never", "former", "current")),
    Linear("bmi"),
]
VOLUME, INTENSITY = Categorical("vol_cat", (1, 2, 3, 4)), Categorical("int_cat", (1, 2, 3, 4))


def assert_agrees(found: AdditiveInteraction, answer: dict) -> None:
    assert found.first.estimate == pytest.approx(answer["rr10"], rel=1e-6)
    assert found.second.estimate == pytest.approx(answer["rr01"], rel=1e-6)
    assert found.both.estimate == pytest.approx(answer["rr11"], rel=1e-6)
    assert found.product.estimate == pytest.approx(answer["mult"], rel=1e-6)
    assert (found.product.ci_low, found.product.ci_high) == pytest.approx(answer["mult_ci"], rel=1e-6)
    assert found.product.p_value == pytest.approx(answer["mult_p"], rel=1e-6)
    assert found.reri.estimate == pytest.approx(answer["reri"], rel=1e-6)
    assert found.reri.std_error == pytest.approx(answer["reri_se"], rel=1e-6)
    assert (found.reri.ci_low, found.reri.ci_high) == pytest.approx(answer["reri_ci"], rel=1e-6)
    assert found.reri.p_value == pytest.approx(answer["reri_p"], rel=1e-6)
    assert found.reri_mover == pytest.approx(answer["reri_mover"], rel=1e-6)
    assert found.ap.estimate == pytest.approx(answer["ap"], rel=1e-6)
    assert found.ap.std_error == pytest.approx(answer["ap_se"], rel=1e-6)
    assert (found.ap.ci_low, found.ap.ci_high) == pytest.approx(answer["ap_ci"], rel=1e-6)
    assert isinstance(found.synergy, Ratio)
    assert found.synergy.estimate == pytest.approx(answer["s"], rel=1e-6)
    assert found.synergy.std_error == pytest.approx(answer["s_log_se"], rel=1e-6)
    assert (found.synergy.ci_low, found.synergy.ci_high) == pytest.approx(answer["s_ci"], rel=1e-6)


def fitted(cohort, terms, products) -> Fit:
    fit = fit_risk_ratio(cohort, terms, HC0, outcome="clbp", products=products)
    assert isinstance(fit, Fit)
    return fit


def test_rothman_and_keller_alcohol_smoking_and_oral_cancer(expected):
    """Odds ratios of a case-control study (a logistic model, model-based errors), as in Hosmer and Lemeshow 1992.

    The stopping rule is R's: its errors belong to the last step but one.
    """
    import statsmodels.api as sm

    people = pd.read_csv(ORACLE / "oralcancer.csv")
    X = np.column_stack([np.ones(len(people)), people["alc"], people["smk"], people["alc"] * people["smk"]])
    logistic = sm.GLM(people["oc"], X, family=sm.families.Binomial()).fit()
    found = additive_interaction(np.asarray(logistic.params)[1:], np.asarray(logistic.cov_params())[1:, 1:])
    assert isinstance(found, AdditiveInteraction)
    assert_agrees(found, expected("interaction")["rothman_keller_logistic"])
    printed = expected("interaction")["rothman_keller_epiR"]
    assert [found.reri.estimate, found.reri.ci_low, found.reri.ci_high] == pytest.approx(printed["reri"], rel=1e-6)
    assert [found.ap.estimate, found.ap.ci_low, found.ap.ci_high] == pytest.approx(printed["apab"], rel=1e-6)


def test_low_volume_and_low_intensity_agree_with_r(cohort, expected):
    low_volume, low_intensity = Categorical("low_volume", (0, 1)), Categorical("low_intensity", (0, 1))
    cohort = cohort.assign(low_volume=(cohort["vol_cat"] == 1) * 1, low_intensity=(cohort["int_cat"] == 1) * 1)
    fit = fitted(cohort, [low_volume, low_intensity, *COVARIATES], [(low_volume, low_intensity)])
    names = ["low_volume[1]", "low_intensity[1]", "low_volume[1]:low_intensity[1]"]
    b, V = fit.coefficients[names].to_numpy(), fit.covariance.loc[names, names].to_numpy()
    answer = expected("interaction")
    assert b == pytest.approx(answer["lowvol_x_lowint_coefs"]["b"], rel=1e-6)
    assert np.allclose(V, answer["lowvol_x_lowint_coefs"]["V"], rtol=1e-6)
    found = additive_interaction(b, V)
    assert isinstance(found, AdditiveInteraction)
    assert_agrees(found, answer["lowvol_x_lowint_modpoisson_HC0"])
    together = fit.combined_ratio(dict.fromkeys(names, 1.0))
    assert (together.estimate, together.std_error) == pytest.approx((found.both.estimate, found.both.std_error))


@pytest.mark.parametrize(
    ("name", "modifier"),
    [
        ("mult_volume_x_age65", Categorical("age65", (0, 1))),
        ("mult_volume_x_women", Categorical("women", (0, 1))),
        ("mult_volume_x_intensity", INTENSITY),
    ],
)
def test_product_terms_agree_with_r(cohort, expected, name, modifier):
    cohort = cohort.assign(age65=(cohort["age"] >= 65) * 1)
    others = [term for term in COVARIATES if term.column != modifier.column]
    fit = fitted(cohort, [VOLUME, modifier, *others], [(VOLUME, modifier)])
    answer = expected("interaction")[name]
    in_r = {term: term.replace("[", "").replace("]", "") for term in fit.coefficients.index if ":" in term}
    # R gives an indicator of 0 and 1 no level.
    in_r = {term: name.replace("age651", "age65").replace("women1", "women") for term, name in in_r.items()}
    rows = {row["term"]: row for row in answer["terms"]}
    assert set(in_r.values()) == set(rows)
    for term, name_in_r in in_r.items():
        row, found = rows[name_in_r], fit.ratio(term)
        assert fit.coefficients[term] == pytest.approx(row["coef"], rel=1e-6)
        assert found.std_error == pytest.approx(row["se"], rel=1e-6)
        assert (found.estimate, found.ci_low, found.ci_high) == pytest.approx(
            (row["rr"], row["lo"], row["hi"]), rel=1e-6
        )
        assert found.p_value == pytest.approx(row["p"], rel=1e-6)
    test = fit.joint_wald(list(in_r))
    assert (test.chi2, test.degrees_of_freedom) == pytest.approx(
        (answer["wald"]["chi2"], answer["wald"]["df"]), rel=1e-6
    )
    assert test.p_value == pytest.approx(answer["wald"]["p"], rel=1e-6)


def test_the_product_of_two_linear_terms_agrees_with_r(cohort, expected):
    cohort = cohort.assign(product=cohort["walk_min"] * cohort["walk_met"])
    terms = [Linear("walk_min"), Linear("walk_met"), Linear("product"), *COVARIATES]
    found = fitted(cohort, terms, []).ratio("product")
    (row,) = expected("interaction")["mult_lin_x_lin"]["terms"]
    assert (found.estimate, found.ci_low, found.ci_high) == pytest.approx((row["rr"], row["lo"], row["hi"]), rel=1e-6)
    assert (found.std_error, found.p_value) == pytest.approx((row["se"], row["p"]), rel=1e-6)


def test_sixteen_cells_agree_with_r(cohort, expected):
    cohort = cohort.assign(joint=cohort["vol_cat"].astype(str) + "_" + cohort["int_cat"].astype(str))
    cells = Categorical("joint", tuple(f"{one}_{other}" for one in range(1, 5) for other in range(1, 5)))
    fit = fitted(cohort, [cells, *COVARIATES], [])
    answer = expected("interaction")
    for row in answer["joint_16_HC0"]:
        found = fit.ratio(f"joint[{row['term'].removeprefix('joint')}]")
        assert (found.estimate, found.ci_low, found.ci_high) == pytest.approx(
            (row["rr"], row["lo"], row["hi"]), rel=1e-6
        )
        assert (found.std_error, found.p_value) == pytest.approx((row["se"], row["p"]), rel=1e-6)
    counts = cohort.groupby(["vol_cat", "int_cat"])["clbp"].agg(["size", "sum"])
    for cell in answer["joint_cells"]:
        assert counts.loc[(int(cell["vol_cat"]), int(cell["int_cat"]))].tolist() == [cell["n"], cell["events"]]


def test_a_protective_exposure_is_refused():
    V = np.diag([0.01, 0.01, 0.02])
    refusal = additive_interaction(np.log([0.8, 1.5, 1.0]), V)
    assert isinstance(refusal, NotEstimable)
    assert "lowers the risk" in refusal.reason


def test_no_synergy_index_without_a_higher_risk_of_both():
    found = additive_interaction(np.log([1.2, 1.3, 0.5]), np.diag([0.01, 0.01, 0.02]))
    assert isinstance(found, AdditiveInteraction)
    assert isinstance(found.synergy, NotEstimable)
    assert found.reri.estimate == pytest.approx(1.2 * 1.3 * 0.5 - 1.2 - 1.3 + 1)


def test_effects_that_add_up_have_no_additive_interaction():
    found = additive_interaction(np.log([1.5, 2.0, 2.5 / 3.0]), np.diag([0.01, 0.02, 0.03]))
    assert isinstance(found, AdditiveInteraction)
    assert isinstance(found.synergy, Ratio)
    assert (found.reri.estimate, found.ap.estimate, found.synergy.estimate) == pytest.approx((0, 0, 1), abs=1e-12)
    assert found.reri.p_value == pytest.approx(1)
