import numpy as np
import pytest
import statsmodels.api as sm

from stegvis.statistics.contract import prepare
from stegvis.statistics.cox import constant_time_cox
from stegvis.statistics.irls import fit_matrix
from tests.stegvis.statistics.oracle_models import COVARIATES, HC0, VOLUME


def test_agrees_with_proportional_hazards_regression_and_with_modified_poisson(cohort):
    design = prepare(cohort, [VOLUME, *COVARIATES], HC0, outcome="clbp")
    X = design.X.to_numpy()
    found = constant_time_cox(X[:, 1:], design.y)
    assert found.converged
    theirs = sm.PHReg(np.ones(len(X)), X[:, 1:], status=design.y, ties="breslow").fit()
    assert found.coefficients == pytest.approx(theirs.params, rel=1e-6)
    poisson = fit_matrix(X, design.y, "poisson")
    assert found.coefficients == pytest.approx(poisson.coefficients[1:], rel=1e-9)
    assert np.sqrt(np.diag(found.covariance)) == pytest.approx(
        np.sqrt(np.diag(poisson.robust_covariance))[1:], rel=1e-9
    )
