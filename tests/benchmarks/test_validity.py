"""Coverage of the estimators that rest on overlap, in cohorts whose truth is known."""

import numpy as np
import pytest

from benchmarks.validity import TRUTH, cohorts, compatible, covers, drawn, risk_ratios
from stegvis.statistics.terms import category_term
from tests.sizes import FULL
from tests.stegvis.conftest import PROTOCOL

COHORTS, PEOPLE = (200, 5000) if FULL else (40, 2000)


@pytest.mark.slow
def test_intervals_cover_the_true_ratio_as_often_as_they_say():
    term, models = category_term("walking_minutes", PROTOCOL), PROTOCOL.models
    covered: dict[str, list[list[bool]]] = {}
    logs: dict[str, list[list[float]]] = {}
    errors: dict[str, list[list[float]]] = {}
    for random, frame, baseline in cohorts(COHORTS, PEOPLE, 11, PROTOCOL):
        category = frame["walking_minutes_category"].to_numpy()
        people = drawn(random, frame, baseline + TRUTH[category - 1])
        for name, ratios in risk_ratios(people, term, models).items():
            covered.setdefault(name, []).append(covers(ratios))
            logs.setdefault(name, []).append([float(np.log(ratio.estimate)) for ratio in ratios])
            errors.setdefault(name, []).append([ratio.std_error for ratio in ratios])
    assert set(covered) == {"standardized", "doubly robust", "overlap-weighted"}
    for name, each in covered.items():
        for quarter in range(3):
            share = float(np.mean([cohort[quarter] for cohort in each]))
            assert compatible(share, 0.95, COHORTS, 9), (name, quarter, share)
        bias = (np.mean(logs[name], axis=0) - TRUTH[1:]) / (np.std(logs[name], axis=0) / np.sqrt(COHORTS))
        assert (np.abs(bias) < 4).all(), (name, bias)
        if FULL:
            # The errors that are printed are those that the estimates have.
            relative = np.mean(errors[name], axis=0) / np.std(logs[name], axis=0, ddof=1)
            assert (np.abs(relative - 1) < 0.2).all(), (name, relative)


def test_a_share_is_compatible_or_not_by_a_corrected_binomial_test():
    assert compatible(0.95, 0.95, 200, 9)
    assert compatible(0.91, 0.95, 200, 9)
    assert not compatible(0.88, 0.95, 200, 9)
    assert not compatible(1.0, 0.95, 500, 9)
