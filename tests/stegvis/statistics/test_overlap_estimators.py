"""Propensity, overlap and doubly robust estimates against R (``oracle/overlap.R``), and what must hold of them."""

import json
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from stegvis.statistics.contract import NotEstimable, prepare
from stegvis.statistics.doubly_robust import cross_fitted_risks, doubly_robust_risks, fold_numbers
from stegvis.statistics.level_risks import LevelRisks
from stegvis.statistics.overlap_weights import (
    generalized_overlap_weights,
    inverse_probability_weights,
    largest_differences,
    overlap_weighted_risks,
    preference_scores,
)
from stegvis.statistics.propensity import Propensity, categories_of, propensity
from stegvis.statistics.standardization import standardized_risks
from stegvis.statistics.terms import Categorical
from tests.stegvis.conftest import ORACLE
from tests.stegvis.statistics.oracle_models import COVARIATES, HC0, STATA, VOLUME, VOLUME_LEVELS

AGREED = 1e-6


@pytest.fixture
def design(cohort):
    return prepare(cohort, [VOLUME, *COVARIATES], HC0, outcome="clbp")


@pytest.fixture
def model(design) -> Propensity:
    found = propensity(*categories_of(design.X, VOLUME_LEVELS), HC0)
    assert isinstance(found, Propensity)
    return found


def fitted(X: pd.DataFrame, levels) -> Propensity:
    found = propensity(*categories_of(X, levels), HC0)
    assert isinstance(found, Propensity)
    return found


def test_the_propensity_agrees_with_multinom(model, expected):
    reference = expected("overlap")
    assert list(model.coefficients.T.ravel()) == pytest.approx(reference["coefficients"], rel=AGREED)
    # multinom itself stops a little sooner.
    assert list(model.coefficients.T.ravel()) == pytest.approx(reference["from_multinom"], abs=1e-4)
    errors = np.sqrt(np.diag(model.inverse_information))
    assert list(errors) == pytest.approx(reference["coefficient_se"], rel=AGREED)
    assert list(model.probabilities[:3].ravel()) == pytest.approx(reference["first_probabilities"], rel=AGREED)
    assert list(model.probabilities.min(axis=0)) == pytest.approx(reference["smallest"], rel=AGREED)
    assert model.probabilities.sum(axis=1) == pytest.approx(1)


def test_equipoise_balance_and_effective_sample_sizes_agree_with_r(cohort, model, expected):
    reference = expected("overlap")
    groups = [model.chosen[:, place] == 1 for place in range(4)]
    for place, value in enumerate(reference["equipoise"], start=1):
        scores = preference_scores(model, place)
        within = (scores >= 0.3) & (scores <= 0.7)
        assert min(within[groups[0]].mean(), within[groups[place]].mean()) == pytest.approx(value, abs=1e-12)
    smoke = [(cohort["smoke"] == level).to_numpy(dtype=float) for level in ("never", "former", "current")]
    columns = np.column_stack([cohort[["age", "women", "bmi"]].to_numpy(dtype=float), *smoke])
    inverse, overlap = inverse_probability_weights(model), generalized_overlap_weights(model)
    for name, weights in (("smd", None), ("smd_inverse", inverse), ("smd_overlap", overlap)):
        assert largest_differences(columns, model.chosen, weights) == pytest.approx(reference[name], rel=AGREED)
    for name, weights in (("ess_inverse", inverse), ("ess_overlap", overlap)):
        sizes = [weights[group].sum() ** 2 / (weights[group] ** 2).sum() for group in groups]
        assert sizes == pytest.approx(reference[name], rel=AGREED)
    # Weighting balances age, the reason why categories differ.
    assert reference["smd"][0] > 0.3
    assert max(reference["smd_inverse"]) < 0.1
    assert max(reference["smd_overlap"]) < 0.1


def risks_of(name: str, design, model, models=HC0) -> LevelRisks:
    if name == "doubly_robust":
        found = doubly_robust_risks(design.X, design.y, VOLUME_LEVELS, model, models)
    else:
        found = overlap_weighted_risks(design.y, list(VOLUME_LEVELS), model, models)
    assert isinstance(found, LevelRisks)
    return found


@pytest.mark.parametrize("name", ["doubly_robust", "overlap_weighted"])
def test_estimates_and_their_errors_agree_with_stacked_equations_in_r(name, design, model, expected):
    reference = expected("overlap")[name]
    found = risks_of(name, design, model)
    assert list(found.risks) == pytest.approx(reference["risk"], rel=AGREED)
    errors = [found.risk(level).std_error for level in VOLUME_LEVELS]
    assert errors == pytest.approx(reference["risk_se"], rel=AGREED)
    for place, level in enumerate((2, 3, 4)):
        difference, ratio = found.risk_difference(level, 1), found.risk_ratio(level, 1)
        assert difference.estimate == pytest.approx(reference["rd"][place], rel=AGREED)
        assert difference.std_error == pytest.approx(reference["rd_se"][place], rel=AGREED)
        assert ratio.estimate == pytest.approx(reference["rr"][place], rel=AGREED)
        assert ratio.std_error == pytest.approx(reference["log_rr_se"][place], rel=AGREED)
    n = len(design.y)
    with_factor = risks_of(name, design, model, STATA)
    assert with_factor.covariance / found.covariance == pytest.approx(np.full((4, 4), n / (n - 1)))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_the_reference_answers_are_those_of_r(expected):
    if subprocess.run(["Rscript", "-e", "library(nnet)"], capture_output=True, check=False).returncode:
        pytest.skip("R's package nnet is not installed")
    ran = subprocess.run(["Rscript", "overlap.R"], cwd=ORACLE, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    stored, made = (pd.json_normalize(each).iloc[0] for each in (expected("overlap"), json.loads(ran.stdout)))
    assert set(stored.index) == set(made.index)
    for name in stored.index.drop("from_multinom"):
        assert made[name] == pytest.approx(stored[name], rel=1e-7, abs=1e-12), name


def test_without_covariates_every_estimator_gives_the_risks_of_the_groups(cohort):
    design = prepare(cohort, [VOLUME], HC0, outcome="clbp")
    model = fitted(design.X, VOLUME_LEVELS)
    groups = cohort.groupby("vol_cat")["clbp"]
    errors = np.sqrt(groups.mean() * (1 - groups.mean()) / groups.size())
    for name in ("doubly_robust", "overlap_weighted"):
        found = risks_of(name, design, model)
        assert list(found.risks) == pytest.approx(list(groups.mean()), rel=1e-9)
        assert [found.risk(level).std_error for level in VOLUME_LEVELS] == pytest.approx(list(errors), rel=1e-9)


def test_overlap_weights_of_two_categories_balance_exactly(cohort):
    two = Categorical("half", (1, 2))
    design = prepare(cohort.assign(half=1 + (cohort["vol_cat"] > 2)), [two, *COVARIATES], HC0, outcome="clbp")
    levels = {1: None, 2: two.coefficient(2)}
    model = fitted(design.X, levels)
    weights = generalized_overlap_weights(model)
    other = model.probabilities[np.arange(len(weights)), 1 - model.chosen[:, 1].astype(int)]
    assert weights == pytest.approx(other)
    covariates = design.X.drop(columns=["intercept", levels[2]]).to_numpy()
    assert largest_differences(covariates, model.chosen).max() > 0.2
    assert largest_differences(covariates, model.chosen, weights).max() < 1e-9


def test_the_doubly_robust_ratio_is_compared_with_the_standardized_one(design, model):
    standardized = standardized_risks(design.X, design.y, VOLUME_LEVELS, "logistic", HC0)
    robust = risks_of("doubly_robust", design, model)
    apart = robust.against(standardized, 4, 1)
    ratios = [each.risk_ratio(4, 1) for each in (robust, standardized)]
    assert apart.estimate == pytest.approx(ratios[0].estimate / ratios[1].estimate)
    # Estimates of the same people are close to each other: far closer than independent ones would be.
    assert apart.std_error < 0.7 * np.hypot(ratios[0].std_error, ratios[1].std_error)
    same = standardized.against(standardized, 4, 1)
    assert (same.estimate, same.std_error) == (1.0, 0.0)
    with pytest.raises(ValueError, match="different people"):
        robust.against(replace(robust, influence=robust.influence[1:]), 4, 1)


def test_cross_fitting_uses_models_of_the_others(design, model):
    folds = fold_numbers(len(design.y), 5, seed=1)
    assert sorted(np.bincount(folds)) == [800] * 5
    assert (folds == fold_numbers(len(design.y), 5, seed=1)).all()
    assert (folds != fold_numbers(len(design.y), 5, seed=2)).any()
    crossed = cross_fitted_risks(design.X, design.y, VOLUME_LEVELS, model, folds, HC0)
    plain = risks_of("doubly_robust", design, model)
    assert isinstance(crossed, LevelRisks)
    for level in (2, 3, 4):
        one, other = crossed.risk_ratio(level, 1), plain.risk_ratio(level, 1)
        assert one.estimate != other.estimate
        assert abs(np.log(one.estimate / other.estimate)) < 0.2 * other.std_error
        assert one.std_error == pytest.approx(other.std_error, rel=0.05)
    # By hand: the fold's own people do not matter for their fitted values.
    changed = design.y.copy()
    changed[folds == 0] = 1 - changed[folds == 0]
    again = cross_fitted_risks(design.X, changed, VOLUME_LEVELS, model, folds, HC0)
    assert isinstance(again, LevelRisks)
    lowest = (folds == 0) & (model.chosen[:, 0] == 0)
    terms = [len(folds) * each.influence[:, 0] + each.risks[0] for each in (crossed, again)]
    assert terms[0][lowest] == pytest.approx(terms[1][lowest])


def simulated(people: int = 20_000, curved_risk: bool = False, curved_choice: bool = False):
    """Two levels that lower the risk by 0.05 on average at every x; an outcome or a choice that is no line in x."""
    random = np.random.default_rng(7)
    x = random.uniform(-2, 2, people)
    choice = 1 / (1 + np.exp(-(x**2 - 1 if curved_choice else 0.8 * x)))
    level = (random.random(people) < choice).astype(float)
    risk = 0.35 - 0.05 * level + (0.12 * (x**2 - 4 / 3) if curved_risk else 0.06 * x)
    y = (random.random(people) < risk).astype(float)
    return pd.DataFrame({"intercept": 1.0, "level": level, "x": x, "x_squared": x**2}), y


def test_one_of_two_models_may_be_wrong():
    """The curve is missing from the outcome model: weighting corrects it; and the other way round."""
    levels = {0: None, 1: "level"}
    X, y = simulated(curved_risk=True, curved_choice=True)
    straight = X[["intercept", "level", "x"]]
    wrong = standardized_risks(straight, y, levels, "logistic", HC0)
    assert abs(wrong.risk_difference(1, 0).estimate + 0.05) > 5 * wrong.risk_difference(1, 0).std_error
    for outcome, choice in ((straight, X), (X, straight)):
        found = doubly_robust_risks(outcome, y, levels, fitted(choice, levels), HC0)
        assert isinstance(found, LevelRisks)
        difference = found.risk_difference(1, 0)
        assert abs(difference.estimate + 0.05) < 2.5 * difference.std_error


def test_what_cannot_be_fitted_is_reported():
    group = np.repeat([0.0, 1.0], 60)
    y = np.tile([0.0, 1.0, 0.0], 40)
    levels = {0: None, 1: "level"}
    # Everyone with x has the second level.
    apart = pd.DataFrame({"intercept": 1.0, "level": group, "x": group})
    found = propensity(*categories_of(apart, levels), HC0)
    assert isinstance(found, NotEstimable)
    assert found.reason.startswith("model of the categories: ")
    nobody = pd.DataFrame({"intercept": 1.0, "level": 0.0, "x": group})
    assert propensity(*categories_of(nobody, levels), HC0) == NotEstimable(
        "model of the categories: nobody is in a category"
    )
    # A value far beyond the others: the chance of the other level is 0.
    far = pd.DataFrame({"intercept": 1.0, "level": np.tile([0.0, 1.0, 1.0], 40), "x": np.linspace(-1, 1, 120)})
    far.loc[0, "x"] = -1e9
    far.loc[1:, "x"] += 0.5 * far.loc[1:, "level"]
    assert propensity(*categories_of(far, levels), HC0) == NotEstimable(
        "model of the categories: somebody has no chance of being in a category"
    )
    endless = propensity(*categories_of(far.assign(x=np.inf), levels), HC0)
    assert endless == NotEstimable("model of the categories: a covariate holds an infinite value")
    # Two equal columns: no single solution.
    twice = pd.DataFrame({"intercept": 1.0, "level": np.tile([0.0, 1.0], 60), "x": group, "again": group})
    assert isinstance(propensity(*categories_of(twice, levels), HC0), NotEstimable)
    mixed = pd.DataFrame({"intercept": 1.0, "level": np.tile([0.0, 0.0, 1.0], 40), "x": group})
    model = fitted(mixed, levels)
    without = np.where(mixed["level"] == 1, 0.0, y)
    assert isinstance(overlap_weighted_risks(without, [0, 1], model, HC0), NotEstimable)
    assert isinstance(doubly_robust_risks(mixed, without, levels, model, HC0), NotEstimable)
    # Nobody of the second level is outside the first fold.
    folds = mixed["level"].to_numpy(dtype="int64")
    crossed = cross_fitted_risks(mixed, y, levels, model, 1 - folds, HC0)
    assert isinstance(crossed, NotEstimable)
    assert crossed.reason.startswith("without one fold, ")
