import itertools
import math

import numpy as np
import pandas as pd
import pytest

from stegvis.statistics.contract import NotEstimable
from stegvis.statistics.isotemporal import fit_isotemporal
from stegvis.statistics.risk_ratio import fit_risk_ratio
from stegvis.statistics.terms import Linear
from tests.stegvis.conftest import PROTOCOL

HC0 = PROTOCOL.models.model_copy(update={"variance": "hc0"})
PARTS = ["lying", "sitting", "standing", "walking"]


@pytest.fixture
def frame():
    random = np.random.default_rng(3)
    parts = random.dirichlet([30, 33, 15, 6], 2000) * 1440
    risk = 0.2 * np.exp(-0.004 * (parts[:, 3] - 100))
    people = pd.DataFrame(parts, columns=PARTS)
    return people.assign(age=random.normal(55, 10, 2000), low_back_pain=(random.random(2000) < risk) * 1)


def fitted(frame, **options):
    return fit_isotemporal(frame, PARTS, [Linear("age")], HC0, **options)


def test_a_substitution_is_the_coefficient_of_a_model_without_the_part_replaced(frame):
    """Fitted apart for each part left out, with the minutes as one unit."""
    fit = fitted(frame)
    for source, target in itertools.permutations(PARTS, 2):
        terms = [Linear(part, 30) for part in PARTS if part != source]
        direct = fit_risk_ratio(frame, [*terms, Linear("age")], HC0).ratio(target)
        found = fit.substitution(source, target, 30)
        assert found.estimate == pytest.approx(direct.estimate, rel=1e-8)
        assert found.std_error == pytest.approx(direct.std_error, rel=1e-6)
        assert found.p_value == pytest.approx(direct.p_value, rel=1e-5)


@pytest.mark.parametrize("left_out", PARTS[1:])
def test_the_choice_of_the_omitted_part_changes_nothing(frame, left_out):
    usual, other = fitted(frame), fitted(frame, left_out=left_out)
    found = other.substitution("sitting", "walking", 60)
    assert found.estimate == pytest.approx(usual.substitution("sitting", "walking", 60).estimate, rel=1e-9)
    assert other.joint.chi2 == pytest.approx(usual.joint.chi2, rel=1e-7)


def test_there_and_back_again(frame):
    fit = fitted(frame)
    there, back = fit.substitution("sitting", "walking", 30), fit.substitution("walking", "sitting", 30)
    assert there.estimate * back.estimate == pytest.approx(1)
    twice = fit.substitution("sitting", "walking", 60)
    assert math.log(twice.estimate) == pytest.approx(2 * math.log(there.estimate))
    assert fit.substitution("sitting", "walking", 0).estimate == 1


def test_a_day_of_another_length_is_refused(frame):
    frame.loc[3, "lying"] += 1
    with pytest.raises(ValueError, match="same total"):
        fitted(frame)


def test_too_few_events_give_a_reason(frame):
    found = fitted(frame.assign(low_back_pain=0))
    assert isinstance(found, NotEstimable)
    assert "events" in found.reason
