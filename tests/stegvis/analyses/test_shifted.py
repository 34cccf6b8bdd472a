"""The risk with more of an exposure: its numbers, its support, and its truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from stegvis.analyses.shifted import shifted_rows
from stegvis.analyses.wave_data import fit
from stegvis.statistics.contract import NotEstimable
from stegvis.statistics.restricted_cubic_spline import basis, knots_of
from stegvis.statistics.shifted import raised, shifted_risk
from stegvis.study.protocol_shift import Shift
from tests.sizes import FULL
from tests.stegvis.conftest import PROTOCOL, analysis_set_of, wave_data_of


def rows_with(people: pd.DataFrame, **rules: float) -> pd.DataFrame:
    used = PROTOCOL.model_copy(update={"shift": Shift(**rules)})
    return fit((shifted_rows,), wave_data_of(people, used))


def test_nobody_is_raised_beyond_the_highest() -> None:
    assert raised(np.array([10.0, 60.0, 70.0, 71.0, 90.0]), 30.0, 100.0).tolist() == [40.0, 90.0, 100.0, 71.0, 90.0]


def test_the_risks_are_averages_of_a_logistic_model() -> None:
    people = analysis_set_of(2500)
    found = rows_with(people, walking_minutes=30).set_index("measure")
    assert len(found) == 2
    x = people["walking_minutes"].to_numpy()
    knots = knots_of(x, 3, "stata")
    highest = np.quantile(x, 0.99, method="averaged_inverted_cdf")
    names = ["sex", "education", "income", "employment", "smoking", "depression"]
    rest = pd.get_dummies(people[["age", *names]], columns=names, drop_first=True, dtype=float).to_numpy()

    def design(values: np.ndarray) -> np.ndarray:
        return np.column_stack([np.ones(len(x)), basis(values, knots), rest])

    model = sm.GLM(people["low_back_pain"].to_numpy(), design(x), sm.families.Binomial()).fit(tol=1e-14)
    moved = model.predict(design(np.where(x + 30 <= highest, x + 30, x))).mean()
    observed = people["low_back_pain"].mean()
    assert found.loc["rr", "estimate"] == pytest.approx(moved / observed, rel=1e-8)
    assert found.loc["rd", "estimate"] == pytest.approx(moved - observed, rel=1e-7)
    share = (x + 30 <= highest).mean()
    assert found["note"].str.contains(f"{share:.0%} of the people would have more").all()


def test_without_enough_support_nothing_is_estimated() -> None:
    found = rows_with(analysis_set_of(1500), walking_minutes=200)
    assert (found["status"] == "not_estimable").all()
    assert found["note"].str.contains("too few people could have more and still be within what people have").all()


def test_a_protocol_without_it_has_no_rows() -> None:
    people = analysis_set_of(300)
    used = PROTOCOL.model_copy(update={"shift": None})
    assert shifted_rows(wave_data_of(people, used)) == []
    assert set(rows_with(people, walking_met=0.1)["exposure"]) == {"walking_met"}


def test_intervals_cover_the_truth() -> None:
    random = np.random.default_rng(1)
    covered = []
    for _ in range(2000 if FULL else 200):
        x, z = random.normal(size=(2, 800))
        moved = raised(x, 0.5, float(np.quantile(x, 0.99)))
        X, X_moved = (np.column_stack([np.ones(800), values, z]) for values in (x, moved))
        truth = np.array([-0.8, -0.4, 0.5])
        y = (random.random(800) < 1 / (1 + np.exp(-X @ truth))).astype(float)
        found = shifted_risk(X, X_moved, y, PROTOCOL.models)
        assert not isinstance(found, NotEstimable)
        times = found.risk_ratio("shifted", "observed")
        covered.append(times.ci_low < TRUE_RATIO < times.ci_high)
    assert 0.90 < np.mean(covered) < 0.99


def _true_ratio() -> float:
    random = np.random.default_rng(0)
    x, z = random.normal(size=(2, 400_000))
    moved = raised(x, 0.5, float(np.quantile(x, 0.99)))
    risks = [(1 / (1 + np.exp(0.8 + 0.4 * each - 0.5 * z))).mean() for each in (x, moved)]
    return float(risks[1] / risks[0])


TRUE_RATIO = _true_ratio()
