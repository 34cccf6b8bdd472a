import math

import pandas as pd
import pytest

from stegvis.statistics.projection import detectable_ratio, projected_error, waves_needed
from stegvis.statistics.risk_ratio import fit_risk_ratio
from stegvis.statistics.terms import Categorical, Linear
from tests.stegvis.conftest import PROTOCOL


@pytest.mark.parametrize(("std_error", "ratio"), [(0.0603, 0.845), (0.0635, 0.837), (0.0651, 0.833)])
def test_detectable_ratios_of_the_published_design(std_error, ratio):
    """Standard errors simulated for 11,194 people and 1,659 events, and the ratios found with a power of 80 %."""
    assert detectable_ratio(std_error, 0.95, 0.80) == pytest.approx(ratio, abs=0.0006)


def test_as_many_people_again_narrow_the_interval_as_projected(cohort):
    models = PROTOCOL.models.model_copy(update={"variance": "hc0"})
    terms = [Categorical("vol_cat", (1, 2, 3, 4)), Linear("age")]
    once, twice = (
        fit_risk_ratio(frame, terms, models, outcome="clbp") for frame in (cohort, pd.concat([cohort, cohort]))
    )
    error = once.ratio("vol_cat[4]").std_error
    assert twice.ratio("vol_cat[4]").std_error == pytest.approx(projected_error(error, once.events, once.events))


def test_nothing_more_is_nothing_new():
    assert projected_error(0.06, 100, 0) == 0.06


def test_after_the_waves_needed_the_ratio_is_detectable_and_not_one_wave_before():
    log_ratio, error = math.log(0.9), 0.06
    needed = waves_needed(log_ratio, error, 400, 150, 0.95, 0.80)
    after = [detectable_ratio(projected_error(error, 400, 150 * waves), 0.95, 0.80) for waves in (needed - 1, needed)]
    assert needed > 1
    assert after[0] < 0.9 <= after[1]


def test_a_ratio_that_is_found_already_needs_no_wave():
    assert waves_needed(math.log(0.5), 0.06, 400, 150, 0.95, 0.80) == 0


def test_a_power_of_a_half_asks_for_an_interval_that_just_excludes_1():
    assert detectable_ratio(0.06, 0.95, 0.5) == pytest.approx(math.exp(-1.959964 * 0.06), rel=1e-7)


def test_what_cannot_be_projected_is_refused():
    with pytest.raises(ValueError, match="events"):
        projected_error(0.06, 0, 10)
    with pytest.raises(ValueError, match="ratio of 1"):
        waves_needed(0.0, 0.06, 10, 10, 0.95, 0.80)
    with pytest.raises(ValueError, match="to come"):
        waves_needed(0.1, 0.06, 10, 0, 0.95, 0.80)
