"""The published-result gate: the default twin's deliveries give the published numbers and findings.

Published: Haddadj et al. 2025, doi 10.1001/jamanetworkopen.2025.15592. The slow test runs the real pipeline; the fast
ones read the deliveries with the oracle and fit with statsmodels, so that they fail only because of the twin. Findings
that are no target, and only need the right direction, are in the second half.
"""

import numpy as np
import pandas as pd
import pytest

from stegvis.twin import write_twin
from tests.oracle_flow import flow_from_deliveries
from tests.study import CODEBOOK, PROTOCOL, home_with_study

WAVE = "2021-2023"
# Estimate, lower and upper limit of categories 2, 3 and 4 against 1, adjusted model.
PUBLISHED = {
    "walking_minutes": [(0.87, 0.77, 0.98), (0.77, 0.68, 0.87), (0.76, 0.67, 0.87)],
    "walking_met": [(0.85, 0.75, 0.96), (0.82, 0.72, 0.93), (0.82, 0.72, 0.93)],
}
LABELS = {
    "walking_minutes": ["<78", "78-100", "101-124", ">=125"],
    "walking_met": ["<3.00", "3.00-3.11", "3.12-3.26", ">=3.27"],
}
TOLERANCE = 0.01
EXPOSURE = {"walking_minutes": "volume", "walking_met": "intensity"}
COVARIATES = " + age + sex + C(education) + C(income) + employment + C(smoking) + depression"


@pytest.fixture(scope="module")
def landing(tmp_path_factory):
    out = tmp_path_factory.mktemp("published") / "landing"
    write_twin(out, PROTOCOL, CODEBOOK)
    return out


@pytest.fixture(scope="module")
def flow(landing):
    return flow_from_deliveries(landing)[WAVE]


@pytest.fixture(scope="module")
def analyzed(flow):
    people = flow["analyzed"]
    return people.assign(
        older=(people["age"] >= 65).astype(float),
        up_to_100=np.minimum(people["volume"], 100.0),
        over_100=np.maximum(people["volume"] - 100.0, 0.0),
        faster=(people["intensity"] > flow["intensity_cuts"][0]).astype(float),
    )


def fitted(formula, people):
    import statsmodels.api as sm
    import statsmodels.formula.api as smf

    n = len(people)
    model = smf.glm(formula, people, family=sm.families.Poisson())
    return model.fit(cov_type="HC0", cov_kwds={"scaling_factor": n / (n - 1)})


def ratios(people, exposure, more=COVARIATES):
    """Estimate and limits (3, 3) of categories 2, 3 and 4 against 1."""
    fit = fitted(f"outcome ~ C({exposure}_category){more}", people)
    terms = [f"C({exposure}_category)[T.{category}]" for category in (2, 3, 4)]
    return np.exp(np.column_stack([fit.params[terms], fit.conf_int().loc[terms]]))


def product_test(people, formula):
    """The p-value that all product terms of a formula are zero."""
    fit = fitted(formula, people)
    products = [":" in name for name in fit.params.index]
    return float(fit.wald_test(np.eye(len(fit.params))[products], scalar=True).pvalue)


# --- targets --------------------------------------------------------------------------------------------------------


def test_the_published_steps_have_the_published_people(flow):
    assert flow["counts"]["participants"] == 56_042
    assert flow["counts"]["no_accelerometer_day"] == 31_295
    assert flow["counts"]["covariate_missing"] == 11_194
    assert flow["cases"] == 1_659


def test_the_analyzed_have_the_published_characteristics(flow):
    people = flow["analyzed"]
    assert (people["sex"] == 0).sum() == 6_564
    assert round(people["age"].mean(), 1) == 55.3
    assert round(people["age"].std(), 1) == 15.1
    assert round(people["valid_days"].mean(), 1) == 5.7


def test_the_cuts_print_as_published(flow):
    assert [round(cut) for cut in flow["volume_cuts"]] == [78, 101, 125]
    assert [round(cut, 2) for cut in flow["intensity_cuts"]] == [3.00, 3.12, 3.27]


@pytest.mark.parametrize("exposure", PUBLISHED)
def test_the_adjusted_risk_ratios_are_the_published(analyzed, exposure):
    assert ratios(analyzed, EXPOSURE[exposure]) == pytest.approx(np.array(PUBLISHED[exposure]), abs=TOLERANCE)


@pytest.mark.slow
def test_the_pipeline_gives_the_published_numbers(landing, tmp_path, monkeypatch):
    from stegvis.orchestration.refresh import refresh

    monkeypatch.delenv("STEGVIS_LANDING", raising=False)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    home = home_with_study(tmp_path / "home", landing)
    done = refresh(home)
    assert done.ok, done.failed
    latest = tmp_path / "home" / "releases" / "latest"
    attrition = pd.read_csv(latest / "attrition.csv")
    left = attrition[attrition["wave"] == WAVE].set_index("rule")["remaining"]
    assert left.iloc[0] == 56_042
    assert left["no_accelerometer_day"] == 31_295
    assert left["covariate_missing"] == 11_194
    results = pd.read_csv(latest / "results.csv")
    main = results.query("wave == @WAVE and analysis == 'main' and model == 'adjusted' and measure == 'rr'")
    for exposure, published in PUBLISHED.items():
        rows = main[main["exposure"] == exposure]
        assert rows["level"].tolist() == LABELS[exposure]
        assert rows["n"].sum() == 11_194
        assert rows["events"].sum() == 1_659
        found = rows[["estimate", "ci_low", "ci_high"]].to_numpy()[1:]
        # Both are printed with two decimals, so they may differ by one in the last.
        assert np.abs(found - np.array(published)).round(2).max() <= TOLERANCE


# --- findings that need the right direction ---------------------------------------------------------------------------


def test_the_fall_flattens_above_100_minutes(analyzed):
    fit = fitted(f"outcome ~ up_to_100 + over_100{COVARIATES}", analyzed)
    assert fit.params["up_to_100"] < 0
    assert fit.pvalues["up_to_100"] < 0.001
    assert abs(fit.params["over_100"]) < 0.5 * abs(fit.params["up_to_100"])
    low, high = fit.conf_int().loc["over_100"]
    assert low < 0 < high


def test_walking_matters_more_at_65_and_over(analyzed):
    younger, older = (ratios(analyzed[analyzed["older"] == group], "volume") for group in (0, 1))
    assert np.all(older[:, 0] < younger[:, 0])
    # Every interval is below 1 in the older, but not in the younger.
    assert np.all(older[:, 2] < 1)
    assert younger[0, 2] > 1


@pytest.mark.parametrize("exposure", ["volume", "intensity"])
def test_women_and_men_do_not_differ(analyzed, exposure):
    others = COVARIATES.replace(" + sex", "")
    assert product_test(analyzed, f"outcome ~ C({exposure}_category) * sex{others}") > 0.05


def test_mutual_adjustment_weakens_intensity_but_not_volume(analyzed):
    alone, together = ratios(analyzed, "intensity"), ratios(analyzed, "intensity", f" + volume{COVARIATES}")
    assert np.all(together[:, 0] > alone[:, 0])
    volume = ratios(analyzed, "volume", f" + intensity{COVARIATES}")
    assert np.all(volume[:, 2] < 1)


def test_intensity_is_unclear_at_125_minutes_and_more(analyzed):
    def faster(people):
        fit = fitted(f"outcome ~ faster{COVARIATES}", people)
        return np.exp([fit.params["faster"], *fit.conf_int().loc["faster"]])

    least, most = (faster(analyzed[analyzed["volume_category"] == category]) for category in (1, 4))
    assert least[2] < 1
    assert most[1] < 1 < most[2]
    assert most[0] > least[0]
