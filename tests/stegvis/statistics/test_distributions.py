"""The distributions of tests, to the last digit those of ``scipy.stats``."""

import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from stegvis.statistics.distributions import chi2_quantile, chi2_tail, f_tail, t_quantile, t_tail

STATISTICS = [0.0, 1e-12, 0.3, 1.0, 3.84, 25.0, 400.0, float("inf")]
PROBABILITIES = [1e-6, 0.025, 0.5, 0.9, 0.975, 0.999]


@pytest.mark.parametrize("df", [1, 2, 3, 7.5, 60, 1e6])
def test_tails_and_quantiles_are_those_of_scipy(df):
    for x in STATISTICS:
        assert chi2_tail(x, df) == stats.chi2.sf(x, df)
        assert f_tail(x, 3, df) == stats.f.sf(x, 3, df)
        assert t_tail(x, df) == stats.t.sf(x, df)
        assert t_tail(-x, df) == stats.t.sf(-x, df)
    for p in PROBABILITIES:
        assert chi2_quantile(p, df) == stats.chi2.ppf(p, df)
        assert t_quantile(p, df) == stats.t.ppf(p, df)


def test_t_without_end_of_degrees_of_freedom_is_normal():
    """Rubin's rules give infinite degrees of freedom where nothing is missing."""
    assert t_quantile(0.975, np.inf) == pytest.approx(stats.norm.ppf(0.975), rel=1e-14)
    assert t_tail(1.5, np.inf) == pytest.approx(stats.norm.sf(1.5), rel=1e-14)


def test_no_analysis_imports_scipy_stats():
    """It takes most of a second."""
    code = "import sys, stegvis.analyses.suite, stegvis.statistics.rubin; sys.exit('scipy.stats' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
