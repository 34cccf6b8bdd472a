"""Age as a restricted cubic spline in a sensitivity analysis."""

from __future__ import annotations

import numpy as np
import pytest

from stegvis.analyses.covariate_curve import with_curves
from stegvis.analyses.sensitivity import sensitivity_rows
from stegvis.analyses.wave_data import fit
from stegvis.statistics.restricted_cubic_spline import basis, knots_of
from stegvis.statistics.risk_ratio import Fit, fit_risk_ratio
from stegvis.statistics.terms import Linear, category_term, covariate_terms
from tests.stegvis.conftest import LEVELS, PROTOCOL, analysis_set_of, wave_data_of


@pytest.mark.parametrize("model", ["age", "adjusted"])
def test_it_fits_as_a_spline_made_by_hand(model):
    people = analysis_set_of(1500)
    age = people["age"].to_numpy()
    with_bends = people.assign(bends=basis(age, knots_of(age, 3, "stata"))[:, 1])
    term = category_term("walking_minutes", PROTOCOL)
    covariates = covariate_terms(model, PROTOCOL, LEVELS)
    curved, straight = (
        fit_risk_ratio(with_bends, [term, *covariates, *more], PROTOCOL.models) for more in ([Linear("bends")], [])
    )
    assert isinstance(curved, Fit)
    assert isinstance(straight, Fit)
    found = fit((sensitivity_rows,), wave_data_of(people))
    chosen = (found["analysis"] == "sensitivity:age_curve") & (found["model"] == model) & (found["measure"] == "rr")
    ratios = found[chosen & (found["exposure"] == "walking_minutes")]["estimate"].tolist()
    assert ratios[1:] == pytest.approx([curved.ratio(term.coefficient(each)).estimate for each in (2, 3, 4)], rel=1e-9)
    assert ratios[1] != pytest.approx(straight.ratio(term.coefficient(2)).estimate, rel=1e-6)


def test_where_knots_coincide_there_is_no_curve():
    sample, terms = with_curves(analysis_set_of(50).assign(age=50.0), ["age"], PROTOCOL.spline)
    assert [term.covariate for term in terms["age"]] == [True]
    assert (np.ptp(sample["age_curve_1"]) == 0).all()
