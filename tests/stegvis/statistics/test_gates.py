"""The gates of a fitted model are those of the analysis diagnostics, from the same limits."""

from __future__ import annotations

import pytest

from stegvis.analyses import main_models
from stegvis.analyses.diagnostics import with_diagnostics
from stegvis.analyses.wave_data import fit
from stegvis.statistics.contract import prepare
from stegvis.statistics.gates import detectable_ratio, failed_gate
from stegvis.statistics.levels import covariate_levels
from stegvis.statistics.risk_ratio import fit_design
from stegvis.statistics.terms import category_term, covariate_terms
from stegvis.study.protocol_models import Limits
from tests.study import CODEBOOK, PROTOCOL

NAMES = ("events_per_coefficient", "share_above_one", "minimum_detectable_rr")


def test_the_smallest_detectable_ratio_is_that_of_the_two_quantiles():
    # exp(-(1.959964 + 0.841621) * 0.1)
    assert detectable_ratio(0.1, 0.95, 0.80) == pytest.approx(0.7556638, abs=1e-6)


def test_a_fit_and_the_published_rows_give_the_same_values(analysis_set, make_wave_data):
    data = make_wave_data(analysis_set)
    rows = with_diagnostics(fit((main_models.main_and_quality_rows,), data), PROTOCOL)
    rows = rows[(rows["analysis"] == "diagnostics") & (rows["exposure"] == "walking_minutes")]
    published = rows.set_index("measure")["estimate"]
    term = category_term("walking_minutes", PROTOCOL)
    terms = [term, *covariate_terms("adjusted", PROTOCOL, covariate_levels(CODEBOOK))]
    found = fit_design(prepare(analysis_set, terms, PROTOCOL.models), PROTOCOL.models)
    categories = [term.coefficient(category) for category in term.levels[1:]]
    assert failed_gate(found, categories, PROTOCOL.diagnostics) == ""
    for name in NAMES:
        up = name != "share_above_one"
        for shift, fails in ((-1e-9, False), (1e-9, True)):
            fail = published[name] + (shift if up else -shift)
            limits = Limits(warning=fail + (1 if up else -1), fail=fail)
            strict = PROTOCOL.diagnostics.model_copy(update={name: limits})
            assert bool(failed_gate(found, categories, strict)) == fails, name
