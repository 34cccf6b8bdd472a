import numpy as np
import pandas as pd
import pytest

from stegvis.statistics.contract import prepare
from stegvis.statistics.imputation import impute, incomplete_columns
from stegvis.statistics.irls import fit_matrix
from stegvis.statistics.rubin import pool
from stegvis.statistics.terms import Categorical, Linear
from tests.stegvis.statistics.oracle_models import COVARIATES, HC0, VOLUME

TERMS = [Linear("clbp"), VOLUME, *COVARIATES, Linear("walk_met")]


def copies(frame, terms=TERMS, imputations=2, iterations=2, seed=1):
    random = np.random.default_rng(seed)
    return list(impute(frame, terms, imputations=imputations, iterations=iterations, prior_sd=10.0, random=random))


@pytest.mark.slow
def test_pooled_estimates_agree_with_mice(oracle_rows, expected):
    """R mice with 60 imputations: within a quarter of a standard error, errors within a tenth."""
    frame, reference = oracle_rows("missing"), expected("multiple_imputation")["pooled"]
    Q, U = [], []
    for copy in copies(frame, imputations=20, iterations=10, seed=20250613):
        design = prepare(copy, [VOLUME, *COVARIATES], HC0, outcome="clbp")
        fit = fit_matrix(design.X.to_numpy(), design.y, "poisson")
        Q.append(fit.coefficients)
        U.append(fit.robust_covariance)
    pooled = pool(np.array(Q), np.array(U), len(frame) - len(Q[0]))
    theirs, errors = (np.array([row[name] for row in reference]) for name in ("coef", "se"))
    assert np.abs((pooled.estimates - theirs) / errors).max() < 0.25
    ratios = np.sqrt(np.diag(pooled.covariance)) / errors
    assert ratios.min() > 0.9
    assert ratios.max() < 1.1


def test_only_what_is_missing_is_filled_and_differs_between_copies(oracle_rows):
    frame = oracle_rows("missing").head(600)
    first, second = copies(frame)
    for name in ("edu", "smoke", "bmi"):
        missing = frame[name].isna()
        assert missing.any()
        assert first[name].notna().all()
        assert (first.loc[~missing, name] == frame.loc[~missing, name]).all()
        assert (first.loc[missing, name] != second.loc[missing, name]).any()
        assert first[name].dtype == frame[name].dtype
    assert first.drop(columns=["edu", "smoke", "bmi"]).equals(frame.drop(columns=["edu", "smoke", "bmi"]))


def test_the_same_seed_gives_the_same_copies(oracle_rows):
    frame = oracle_rows("missing").head(300)
    assert all(a.equals(b) for a, b in zip(copies(frame), copies(frame), strict=True))
    assert not copies(frame)[0].equals(copies(frame, seed=2)[0])


def test_a_level_that_follows_from_another_variable_is_found():
    """Nine of ten people of a group have its level; who lacks it must get it as often."""
    random = np.random.default_rng(3)
    group = random.integers(0, 3, 3000)
    level = np.where(random.random(3000) < 0.9, group, random.integers(0, 3, 3000))
    frame = pd.DataFrame({"group": group, "level": np.array(["a", "b", "c"])[level]})
    missing = random.random(3000) < 0.3
    frame["level"] = frame["level"].where(~missing)
    terms = [Categorical("group", (0, 1, 2)), Categorical("level", ("a", "b", "c"))]
    (copy,) = copies(frame, terms, imputations=1, iterations=3)
    agree = copy.loc[missing, "level"].map({"a": 0, "b": 1, "c": 2}) == group[missing]
    truth = level[missing] == group[missing]
    assert agree.mean() == pytest.approx(truth.mean(), abs=0.04)


def test_a_number_is_imputed_with_its_spread():
    random = np.random.default_rng(4)
    x = random.normal(50, 10, 4000)
    frame = pd.DataFrame({"x": x, "y": 3 * x + random.normal(0, 20, 4000)})
    missing = random.random(4000) < 0.5
    frame["y"] = frame["y"].where(~missing)
    (copy,) = copies(frame, [Linear("x"), Linear("y")], imputations=1)
    residual = copy.loc[missing, "y"] - 3 * copy.loc[missing, "x"]
    assert residual.mean() == pytest.approx(0, abs=2.5)
    assert residual.std() == pytest.approx(20, rel=0.07)


def test_a_separated_level_and_a_single_level_do_not_stop_it():
    frame = pd.DataFrame({"x": np.arange(60.0), "only": "a", "side": ["low"] * 30 + ["high"] * 30})
    frame.loc[[3, 40], "side"] = None
    frame.loc[5, "only"] = None
    terms = [Linear("x"), Categorical("only", ("a", "b")), Categorical("side", ("low", "high"))]
    (copy,) = copies(frame, terms, imputations=1, iterations=4)
    assert copy.loc[3, "side"] == "low"
    assert copy.loc[40, "side"] == "high"
    assert set(copy["only"]) == {"a"}


def test_nothing_known_or_an_unknown_level_is_refused():
    frame = pd.DataFrame({"x": [1.0, 2.0], "y": [np.nan, np.nan], "z": ["a", "other"]})
    assert incomplete_columns(frame, [Linear("x"), Linear("y")]) == ["y"]
    with pytest.raises(ValueError, match="y has no known value"):
        copies(frame, [Linear("x"), Linear("y")])
    with pytest.raises(ValueError, match="z holds a value outside"):
        copies(frame, [Categorical("z", ("a", "b"))])
