"""Why the main estimates changed: the steps between two releases."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from stegvis.analyses import main_models
from stegvis.analyses.wave_data import fit
from stegvis.disclosure.leaving import control_disclosure
from stegvis.disclosure.tables import Tables
from stegvis.release.bridge import changed_values
from stegvis.release.bridge_steps import COMPARED, STEPS, bridge_steps, protocol_before
from stegvis.statistics.categories import add_categories
from stegvis.study.protocol import protocol
from tests.stegvis.conftest import LEVELS

SMALLEST = protocol().disclosure.smallest_count


@pytest.fixture
def released(make_wave_data):
    """What a release tells of its main models."""

    def results(people, used=None):
        people = add_categories(people, used or protocol())
        results = fit((main_models.main_rows,), make_wave_data(people, used))
        return control_disclosure(Tables.of_results(results), used or protocol()).tables.results

    return results


def remembered(people, excluded=()):
    """The rows a warehouse keeps of a release: the analyzed, and people whose data were there but excluded."""
    out = pd.DataFrame({"wave": people["wave"].iloc[0], "person": list(excluded), "reason": "covariate_missing"})
    return pd.concat([people.assign(reason=None)[["wave", "person", "reason", *COMPARED]], out], ignore_index=True)


@pytest.fixture
def bridged(released):
    def steps(old, new, *, then=None, excluded=(), told=None, kept=None):
        before = told if told is not None else released(old, then)
        kept = old if kept is None else kept
        return bridge_steps(
            remembered(kept, excluded), new, before, released(new), then or protocol(), protocol(), LEVELS
        )

    return steps


def by_step(bridge):
    return {step.step: step for step in bridge.steps}


def assert_sums(bridge):
    """The steps sum to the change of what was told."""
    assert bridge.change == pytest.approx(math.log(bridge.now) - math.log(bridge.before), abs=1e-12)
    assert sum(step.change for step in bridge.steps if step.change is not None) == pytest.approx(
        bridge.change, abs=1e-9
    )


def test_identical_releases_changed_nothing_for_sure(analysis_set, bridged):
    found = bridged(analysis_set, analysis_set)
    assert len(found) == 12
    for bridge in found:
        assert (bridge.change, bridge.std_error, bridge.flagged, bridge.note) == (0, 0, False, "")
        assert [step.step for step in bridge.steps] == list(STEPS)
        assert all(step.change == pytest.approx(0, abs=1e-10) and step.std_error == 0 for step in bridge.steps)
        assert [step.people for step in bridge.steps] == [0, 0, 0, None]


@pytest.fixture
def later(make_analysis_set):
    """1200 people; later 40 are corrected, 30 gone, 25 who were excluded come in, 200 are new."""
    people = make_analysis_set(1425, seed=4)
    old = people.iloc[:1200]
    new = people.drop(index=people.index[:30]).copy()
    corrected = new.index[:40]
    new.loc[corrected, "low_back_pain"] = 1 - new.loc[corrected, "low_back_pain"]
    return old, new, list(people["person"].iloc[1200:1225])


def test_every_step_counts_its_people_and_they_sum_to_the_change(later, bridged):
    old, new, excluded = later
    for bridge in bridged(old, new, excluded=excluded):
        steps = by_step(bridge)
        assert [steps[name].people for name in STEPS[:3]] == [40, 55, 200]
        assert steps["protocol"].change == pytest.approx(0, abs=1e-9)
        assert steps["protocol"].std_error == 0
        assert all(steps[name].change != 0 and steps[name].std_error > 0 for name in STEPS[:3])
        assert_sums(bridge)


def test_a_step_is_the_difference_of_two_releases_made_of_its_samples(later, bridged, released):
    """The release after the first step, made for itself."""
    old, new, excluded = later
    stayed = new[new["person"].isin(old["person"])]
    corrected = pd.concat([old[~old["person"].isin(stayed["person"])], stayed])
    between = released(corrected)
    told = between.query("model == 'adjusted' and exposure == 'walking_met' and measure == 'rr'")["estimate"].iloc[3]
    bridge = bridged(old, new, excluded=excluded)[-1]
    assert (bridge.model, bridge.exposure) == ("adjusted", "walking_met")
    expected = math.log(told) - math.log(bridge.before)
    assert by_step(bridge)["corrected_rows"].change == pytest.approx(expected, abs=1e-9)


def test_a_changed_protocol_is_the_last_step(analysis_set, bridged):
    fixed = protocol().model_copy(
        update={"exposures": protocol().exposures.model_copy(update={"categories": "fixed_published"})}
    )
    found = bridged(analysis_set, analysis_set, then=fixed)
    assert found
    for bridge in found:
        steps = by_step(bridge)
        assert all(steps[name].change == pytest.approx(0, abs=1e-9) for name in STEPS[:3])
        assert steps["protocol"].change == pytest.approx(bridge.change, abs=1e-9)
        assert steps["protocol"].std_error > 0
        assert_sums(bridge)


def test_withdrawn_people_are_changed_eligibility_though_their_rows_are_gone(analysis_set, bridged):
    left = analysis_set.iloc[60:]
    for bridge in bridged(analysis_set, left, kept=left):
        steps = by_step(bridge)
        assert steps["changed_eligibility"].people == 60
        assert steps["changed_eligibility"].change == pytest.approx(bridge.change, abs=1e-9)
        assert "people withdrew" in bridge.note
        assert_sums(bridge)


def test_too_few_people_are_told_neither_by_number_nor_by_what_they_changed(analysis_set, bridged):
    new = analysis_set.copy()
    new.loc[new.index[:3], "low_back_pain"] = 1 - new.loc[new.index[:3], "low_back_pain"]
    for bridge in bridged(analysis_set, new):
        step, after = bridge.steps[0], bridge.steps[1]
        assert (step.step, step.people, step.change, step.std_error) == ("corrected_rows", None, None, None)
        assert step.note == "count below 5; counted with the step after it"
        assert after.change == pytest.approx(bridge.change, abs=1e-9)
        assert_sums(bridge)


def test_an_estimate_that_the_program_changed_is_said_to_be_so(analysis_set, bridged, released):
    told = released(analysis_set)
    ratios = (told["measure"] == "rr") & (told["level"] != told["reference"])
    told.loc[ratios, ["estimate", "ci_high"]] *= 1.5
    for bridge in bridged(analysis_set, analysis_set, told=told):
        assert by_step(bridge)["protocol"].change == pytest.approx(-math.log(1.5), abs=1e-9)
        assert "program" in bridge.note
        assert bridge.flagged
        assert_sums(bridge)


def test_a_change_is_flagged_beyond_the_protocols_number_of_errors(analysis_set, bridged):
    new = analysis_set.copy()
    walkers = new.index[new["walking_minutes_category"] == 4]
    new.loc[walkers[:60], "low_back_pain"] = 1
    for bridge in bridged(analysis_set, new):
        assert bridge.flagged == (abs(bridge.change) > 2 * bridge.std_error + 1e-9)
    assert any(bridge.flagged for bridge in bridged(analysis_set, new))


def test_what_is_suppressed_in_either_release_is_not_bridged(analysis_set, bridged, released):
    told = released(analysis_set)
    hidden = (told["measure"] == "rr") & (told["exposure"] == "walking_met")
    told.loc[hidden, "status"] = "suppressed"
    found = bridged(analysis_set, analysis_set, told=told)
    assert {bridge.exposure for bridge in found} == {"walking_minutes"}


def test_steps_that_cannot_be_estimated_say_why(analysis_set, bridged, released):
    told = released(analysis_set)
    kept = analysis_set[analysis_set["low_back_pain"] == 0]
    found = bridged(analysis_set, analysis_set, told=told, kept=kept)
    assert all(bridge.steps == () and "events" in bridge.note for bridge in found)


def test_a_wave_of_one_release_only_has_no_bridge(analysis_set, bridged, make_analysis_set):
    assert bridged(analysis_set, make_analysis_set(wave="2027-2029")) == []


def test_the_order_of_rows_does_not_matter(later, bridged):
    old, new, excluded = later
    usual = bridged(old, new, excluded=excluded)
    shuffled = bridged(old.sample(frac=1, random_state=1), new.sample(frac=1, random_state=2), excluded=excluded)
    assert np.allclose([b.std_error for b in usual], [b.std_error for b in shuffled], rtol=1e-9)


def test_an_earlier_protocol_lends_its_models_and_exposures_only() -> None:
    values = protocol().model_dump(mode="json")
    values["models"]["variance"] = "hc0"
    values["disclosure"]["smallest_count"] = 100
    then = protocol_before(values, protocol())
    assert then.models.variance == "hc0"
    assert then.disclosure == protocol().disclosure
    with pytest.raises(ValueError, match="weather"):
        protocol_before(values | {"models": values["models"] | {"weather": 1}}, protocol())


def test_changed_values_are_named_by_their_dotted_names() -> None:
    before = {"a": {"b": 1, "c": [1, 2]}, "gone": True}
    now = {"a": {"b": 2, "c": [1, 2]}, "new": {"x": None, "y": 3}}
    assert changed_values(before, now) == [
        {"name": "a.b", "before": 1, "now": 2},
        {"name": "gone", "before": True, "now": None},
        {"name": "new.y", "before": None, "now": 3},
    ]
