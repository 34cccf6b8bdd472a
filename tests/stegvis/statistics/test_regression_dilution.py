import math

import numpy as np
import pytest

from stegvis.statistics.regression_dilution import corrected_ratio, dilution, usual_means
from stegvis.statistics.variance_components import Components, anova


def test_agrees_with_the_reference(expected):
    reference = expected("reliability")["dilution_example"]
    found = corrected_ratio(math.log(reference["observed_rr"]), reference["se_log"], reference["lambda"], 0.0, 0.95)
    assert found.estimate == pytest.approx(reference["corrected_rr"], rel=1e-9)
    assert [found.ci_low, found.ci_high] == pytest.approx(reference["corrected_ci"], rel=1e-6)


def test_a_perfect_measurement_changes_nothing_and_an_uncertain_factor_widens():
    plain = corrected_ratio(math.log(0.9), 0.03, 1.0, 0.0, 0.95)
    assert (plain.estimate, plain.std_error) == pytest.approx((0.9, 0.03))
    assert corrected_ratio(math.log(0.9), 0.03, 0.8, 0.01, 0.95).std_error == pytest.approx(
        math.sqrt(0.03**2 / 0.8**2 + math.log(0.9) ** 2 * 0.01 / 0.8**4)
    )
    for wrong in (0.0, -0.1, 1.1):
        with pytest.raises(ValueError, match="reliability"):
            corrected_ratio(-0.1, 0.03, wrong, 0.0, 0.95)


def test_the_factor_undoes_the_flattening_of_a_slope():
    """Simulated people with one to seven days: the slope on means over the slope on true values."""
    random = np.random.default_rng(1)
    people = 40_000
    k = random.integers(1, 8, people)
    true = random.normal(100, 30, people)
    person = np.repeat(np.arange(people), k)
    day = true[person] + random.normal(0, 40, len(person))
    means = np.bincount(person, weights=day) / k
    outcome = 0.5 * true + random.normal(0, 10, people)
    slope = np.polyfit(means, outcome, 1)[0]
    factor = dilution(anova(day, person), k)[0]
    assert slope / 0.5 == pytest.approx(factor, abs=0.015)


def test_the_factor_of_samples_counts_people_as_often_as_drawn():
    components = Components(np.array([900.0, 900.0]), np.array([1600.0, 1600.0]))
    found = dilution(components, np.array([1, 4]), np.array([[2, 0], [0, 2]]))
    assert list(found) == pytest.approx([900 / 2500, 900 / 1300])


def test_usual_means_draw_towards_the_grand_mean():
    assert list(usual_means(np.array([60.0, 140.0]), 100.0, 0.8)) == pytest.approx([68, 132])
