"""The steps that account for the change of the main estimates between two releases."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from stegvis.analyses import main_models
from stegvis.analyses.wave_data import fit
from stegvis.release.bridge import changed_values
from stegvis.release.bridge_steps import STEPS, bridge_steps, compared, protocol_before
from stegvis.statistics.categories import add_categories
from stegvis.statistics.levels import covariate_levels
from stegvis.study.protocol_models import Limits
from tests.study import CODEBOOK, PROTOCOL

LEVELS = covariate_levels(CODEBOOK)
SMALLEST = PROTOCOL.disclosure.smallest_count


@pytest.fixture
def released(make_wave_data):
    """The published results of the main models."""

    def results(people, used=None):
        people = add_categories(people, used or PROTOCOL)
        return fit((main_models.main_rows,), make_wave_data(people, used))

    return results


def stored(people, excluded=()):
    """The rows a warehouse keeps of a release: analyzed participants, and known participants who were excluded."""
    out = pd.DataFrame({"wave": people["wave"].iloc[0], "person": list(excluded), "reason": "covariate_missing"})
    return pd.concat(
        [people.assign(reason=None)[["wave", "person", "reason", *compared(PROTOCOL)]], out], ignore_index=True
    )


@pytest.fixture
def bridged(released):
    def steps(old, new, *, then=None, excluded=(), published=None, kept=None):
        before = published if published is not None else released(old, then)
        kept = old if kept is None else kept
        return bridge_steps(stored(kept, excluded), new, before, released(new), then or PROTOCOL, PROTOCOL, LEVELS)

    return steps


def by_step(bridge):
    return {step.step: step for step in bridge.steps}


def assert_sums(bridge):
    """The steps sum to the change between the published estimates."""
    assert bridge.change == pytest.approx(math.log(bridge.now) - math.log(bridge.before), abs=1e-12)
    assert sum(step.change for step in bridge.steps if step.change is not None) == pytest.approx(
        bridge.change, abs=1e-9
    )


def test_identical_releases_have_no_change_and_no_error(analysis_set, bridged):
    found = bridged(analysis_set, analysis_set)
    assert len(found) == 12
    for bridge in found:
        assert (bridge.change, bridge.std_error, bridge.flagged, bridge.note) == (0, 0, False, "")
        assert [step.step for step in bridge.steps] == list(STEPS)
        assert all(step.change == pytest.approx(0, abs=1e-10) and step.std_error == 0 for step in bridge.steps)
        assert [step.people for step in bridge.steps] == [0, 0, 0, None]


@pytest.fixture
def later(make_analysis_set):
    """1200 participants; later 40 are corrected, 30 removed, 25 previously excluded added and 200 new."""
    people = make_analysis_set(1425, seed=4)
    old = people.iloc[:1200]
    new = people.drop(index=people.index[:30]).copy()
    corrected = new.index[:40]
    new.loc[corrected, "low_back_pain"] = 1 - new.loc[corrected, "low_back_pain"]
    return old, new, list(people["person"].iloc[1200:1225])


def test_every_step_counts_its_participants_and_the_steps_sum_to_the_change(later, bridged):
    old, new, excluded = later
    for bridge in bridged(old, new, excluded=excluded):
        steps = by_step(bridge)
        assert [steps[name].people for name in STEPS[:3]] == [40, 55, 200]
        assert steps["protocol"].change == pytest.approx(0, abs=1e-9)
        assert steps["protocol"].std_error == 0
        assert all(steps[name].change != 0 and steps[name].std_error > 0 for name in STEPS[:3])
        assert_sums(bridge)


def test_a_step_is_the_difference_of_two_releases_made_of_its_samples(later, bridged, released):
    """The same as a release made from the sample after the first step."""
    old, new, excluded = later
    stayed = new[new["person"].isin(old["person"])]
    corrected = pd.concat([old[~old["person"].isin(stayed["person"])], stayed])
    between = released(corrected)
    published = between.query("model == 'adjusted' and exposure == 'walking_met' and measure == 'rr'")["estimate"].iloc[
        3
    ]
    bridge = bridged(old, new, excluded=excluded)[-1]
    assert (bridge.model, bridge.exposure) == ("adjusted", "walking_met")
    expected = math.log(published) - math.log(bridge.before)
    assert by_step(bridge)["corrected_rows"].change == pytest.approx(expected, abs=1e-9)


def test_a_changed_protocol_is_the_last_step(analysis_set, bridged):
    fixed = PROTOCOL.model_copy(
        update={"exposures": PROTOCOL.exposures.model_copy(update={"categories": "fixed_published"})}
    )
    found = bridged(analysis_set, analysis_set, then=fixed)
    assert found
    for bridge in found:
        steps = by_step(bridge)
        assert all(steps[name].change == pytest.approx(0, abs=1e-9) for name in STEPS[:3])
        assert steps["protocol"].change == pytest.approx(bridge.change, abs=1e-9)
        assert steps["protocol"].std_error > 0
        assert_sums(bridge)


def test_withdrawn_participants_count_as_changed_eligibility_though_their_rows_are_erased(analysis_set, bridged):
    left = analysis_set.iloc[60:]
    for bridge in bridged(analysis_set, left, kept=left):
        steps = by_step(bridge)
        assert steps["changed_eligibility"].people == 60
        assert steps["changed_eligibility"].change == pytest.approx(bridge.change, abs=1e-9)
        assert "participants withdrew" in bridge.note
        assert_sums(bridge)


def test_a_step_of_too_few_participants_shows_neither_their_number_nor_its_change(analysis_set, bridged):
    new = analysis_set.copy()
    new.loc[new.index[:3], "low_back_pain"] = 1 - new.loc[new.index[:3], "low_back_pain"]
    for bridge in bridged(analysis_set, new):
        step, after = bridge.steps[0], bridge.steps[1]
        assert (step.step, step.people, step.change, step.std_error) == ("corrected_rows", None, None, None)
        assert step.note == "count below 5; combined with the next step"
        assert after.change == pytest.approx(bridge.change, abs=1e-9)
        assert_sums(bridge)


def test_a_change_by_the_program_is_noted(analysis_set, bridged, released):
    published = released(analysis_set)
    ratios = (published["measure"] == "rr") & (published["level"] != published["reference"])
    published.loc[ratios, ["estimate", "ci_high"]] *= 1.5
    for bridge in bridged(analysis_set, analysis_set, published=published):
        assert by_step(bridge)["protocol"].change == pytest.approx(-math.log(1.5), abs=1e-9)
        assert "program" in bridge.note
        assert not bridge.flagged  # the rows are the same: there is no standard error to compare it with
        assert_sums(bridge)


def test_a_change_is_flagged_beyond_the_protocols_number_of_errors(analysis_set, bridged):
    new = analysis_set.copy()
    walkers = new.index[new["walking_minutes_category"] == 4]
    new.loc[walkers[:60], "low_back_pain"] = 1
    for bridge in bridged(analysis_set, new):
        assert bridge.flagged == (abs(bridge.change) > 2 * bridge.std_error + 1e-9)
    assert any(bridge.flagged for bridge in bridged(analysis_set, new))


def test_estimates_suppressed_in_either_release_are_not_bridged(analysis_set, bridged, released):
    published = released(analysis_set)
    hidden = (published["measure"] == "rr") & (published["exposure"] == "walking_met")
    published.loc[hidden, "status"] = "suppressed"
    found = bridged(analysis_set, analysis_set, published=published)
    assert {bridge.exposure for bridge in found} == {"walking_minutes"}


def test_steps_that_cannot_be_estimated_say_why(analysis_set, bridged, released):
    published = released(analysis_set)
    kept = analysis_set[analysis_set["low_back_pain"] == 0]
    found = bridged(analysis_set, analysis_set, published=published, kept=kept)
    assert all(bridge.steps == () and "events" in bridge.note for bridge in found)


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("events_per_coefficient", Limits(warning=2000, fail=1000)),
        ("share_above_one", Limits(warning=-2, fail=-1)),
        ("minimum_detectable_rr", Limits(warning=0.9999, fail=0.999)),
    ],
)
def test_a_model_that_fails_a_gate_has_no_steps(analysis_set, bridged, monkeypatch, name, limits):
    strict = PROTOCOL.diagnostics.model_copy(update={name: limits})
    monkeypatch.setattr("tests.stegvis.release.test_bridge_steps.PROTOCOL",
                        PROTOCOL.model_copy(update={"diagnostics": strict}))  # fmt: skip
    found = bridged(analysis_set, analysis_set)
    by_model = {model: [each for each in found if each.model == model] for model in ("age", "adjusted")}
    # The diagnostics are of the adjusted models.
    assert all(len(each.steps) == len(STEPS) for each in by_model["age"])
    assert by_model["adjusted"]
    for each in by_model["adjusted"]:
        assert each.steps == ()
        assert each.note == f"the steps cannot be estimated: {name.replace('_', ' ')} fails ({limits.words()})"


def test_a_wave_of_one_release_only_has_no_bridge(analysis_set, bridged, make_analysis_set):
    assert bridged(analysis_set, make_analysis_set(wave="2027-2029")) == []


def test_the_order_of_rows_does_not_matter(later, bridged):
    old, new, excluded = later
    usual = bridged(old, new, excluded=excluded)
    shuffled = bridged(old.sample(frac=1, random_state=1), new.sample(frac=1, random_state=2), excluded=excluded)
    assert np.allclose([b.std_error for b in usual], [b.std_error for b in shuffled], rtol=1e-9)


def test_an_earlier_protocol_lends_its_models_and_exposures_only() -> None:
    values = PROTOCOL.model_dump(mode="json")
    values["models"]["variance"] = "hc0"
    values["disclosure"]["smallest_count"] = 100
    then = protocol_before(values, PROTOCOL)
    assert then.models.variance == "hc0"
    assert then.disclosure == PROTOCOL.disclosure
    with pytest.raises(ValueError, match="weather"):
        protocol_before(values | {"models": values["models"] | {"weather": 1}}, PROTOCOL)


def test_changed_values_are_named_by_their_dotted_names() -> None:
    before = {"a": {"b": 1, "c": [1, 2]}, "gone": True}
    now = {"a": {"b": 2, "c": [1, 2]}, "new": {"x": None, "y": 3}}
    assert changed_values(before, now) == [
        {"name": "a.b", "before": 1, "now": 2},
        {"name": "gone", "before": True, "now": None},
        {"name": "new.y", "before": None, "now": 3},
    ]
