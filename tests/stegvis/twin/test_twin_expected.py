"""True category contrasts: a fit to known risks, checked where the answer is known."""

import numpy as np
import pytest

from stegvis.twin.draws import stream
from stegvis.twin.expected import category_log_risk_ratios, influences, poisson_fit
from stegvis.twin.observed import Observed, observe
from stegvis.twin.parameters import parameters
from stegvis.twin.population import draw_population
from stegvis.twin.walking import draw_days, draw_habits
from tests.study import PROTOCOL

DRAW = stream(1, "expected")
X = np.column_stack([np.ones(2_000), DRAW.standard_normal(2_000), DRAW.random(2_000) < 0.4])


def test_risks_that_are_log_linear_are_fitted_exactly():
    b = np.array([-2.0, 0.2, -0.5])
    assert poisson_fit(X, np.exp(X @ b)) == pytest.approx(b, abs=1e-9)


def test_a_collinear_column_is_refused():
    with pytest.raises(ValueError, match="too few"):
        poisson_fit(np.column_stack([X, X[:, 1]]), np.full(2_000, 0.1))


def test_the_influence_of_a_person_is_what_a_little_more_risk_does():
    risk = 0.15 * np.exp(0.3 * X[:, 1])
    more = risk.copy()
    more[7] += 1e-4
    moved = (poisson_fit(X, more) - poisson_fit(X, risk)) / 1e-4
    assert influences(X, risk)[7] == pytest.approx(moved, rel=1e-3)


def test_contrasts_of_the_categories_are_those_put_into_the_risk():
    population = draw_population(6_000, seed=2, parameters=parameters())
    habits = draw_habits(population, 2, parameters(), PROTOCOL.exposures)
    days = draw_days(population, habits, 2, parameters(), PROTOCOL)
    observed = observe(population, days, PROTOCOL.exposures)
    who = observed.valid & population.complete
    cuts = np.quantile(observed.volume[who], [0.25, 0.5, 0.75])
    put_in = np.array([0.0, -0.1, -0.3, -0.2])
    category = np.searchsorted(cuts, np.nan_to_num(observed.volume))
    risk = 0.1 * np.exp(put_in[category] + 0.1 * population.flags("male"))
    found = category_log_risk_ratios(population, observed, who, risk, PROTOCOL.covariates)
    assert found["walking_minutes"] == pytest.approx(put_in[1:], abs=0.002)


def test_contrasts_need_someone_analyzed():
    population = draw_population(20, seed=2, parameters=parameters())
    nobody = np.zeros(len(population), dtype=bool)
    blank = np.full(len(population), np.nan)
    observed = Observed(np.zeros(len(population), int), blank, blank)
    with pytest.raises(ValueError, match="nobody"):
        category_log_risk_ratios(population, observed, nobody, blank, PROTOCOL.covariates)
