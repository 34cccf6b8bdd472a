"""What the sections of further analyses tell, and what they withhold."""

from __future__ import annotations

import re
from html import unescape

import pandas as pd
import pytest

from stegvis.disclosure.kept import kept_rule
from stegvis.reporting.absolute import absolute
from stegvis.reporting.across import across
from stegvis.reporting.certainty import certainty
from stegvis.reporting.changes import changes
from stegvis.reporting.claims_section import claims_by_release
from stegvis.reporting.counterparts import PLACES, counterparts, published
from stegvis.reporting.curves import curves
from stegvis.reporting.fit import fit
from stegvis.reporting.included import outcome, population, table_one
from stegvis.reporting.joint import joint
from stegvis.reporting.lost import lost
from stegvis.reporting.measurement import measurement
from stegvis.reporting.methods import commands, provenance
from stegvis.reporting.parts import label, mutual, strata
from stegvis.reporting.quality import quality
from stegvis.reporting.question import question
from stegvis.reporting.robustness import name_of, sensitivity
from stegvis.reporting.time_use import time_use
from tests.stegvis.reporting.full_report import full_index_report, full_results, full_wave_report
from tests.stegvis.reporting.sample_report import PROTOCOL

SECTIONS = (absolute, certainty, fit, joint, lost, measurement, mutual, strata, sensitivity, time_use, question)


def text(section) -> str:
    html = "".join(str(block) for block in section.blocks)
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", html).split()))


def test_the_headline_has_e_value_and_tipping_point_beside_it():
    assert "How sure: E-value 1.95 (1.57), tipping point 1.60 (1.60)" in text(question(full_wave_report()))


def test_every_ratio_has_e_value_and_tipping_point():
    assert "≥125 0.76 (0.67 to 0.87) 1.95 (1.57) 1.60 (1.60)" in text(certainty(full_wave_report()))


def test_published_numbers_stand_beside_this_waves():
    said = text(counterparts(full_wave_report()))
    assert "101–124 against <78 0.77 (0.68 to 0.87) 101–124: 0.77 (0.68 to 0.87)" in said
    assert "People analyzed 11,194 11,194" in said
    assert all(item in said for item, *_ in PLACES)
    for exposure in ("walking_minutes", "walking_met"):
        assert len(published()[exposure]["levels"]) == len(published()[exposure]["ratios"]) == 3


def test_table_one_folds_the_rows_of_the_supplement():
    html = "".join(str(block) for block in table_one(full_wave_report()).blocks)
    main, _, folded = html.partition("<details>")
    assert "Body mass index" not in main
    assert "Body mass index" in folded
    assert "26.9 (4.2)" in folded


def test_outcome_and_follow_up_are_told():
    said = text(outcome(full_wave_report()))
    assert "1,659 (14.8%)" in said
    assert "4.2 years" in said


def test_risks_differences_and_numbers_needed():
    said = text(absolute(full_wave_report()))
    assert "78–100 15.0 (13.5 to 16.5) −3.0 (−3.3 to −2.7) 33 (30 to 36)" in said


def test_a_number_needed_without_interval_says_so():
    results = full_results()
    results.loc[results["measure"] == "nnt", ["ci_low", "ci_high"]] = None
    assert "33 (no interval)" in text(absolute(full_wave_report(results=results)))


def test_a_ratio_without_interval_is_told_as_one():
    results = full_results()
    corrected = results["analysis"] == "misclassification_probabilistic"
    results.loc[corrected, ["ci_low", "ci_high"]] = None
    assert "Corrected, drawn assumptions 0.80 (no interval)" in text(measurement(full_wave_report(results=results)))


def test_each_part_doubled_has_a_line_of_its_own():
    said = text(time_use(full_wave_report()))
    assert "lying doubled relative to the other parts" in said
    assert "sitting doubled relative to the other parts" in said
    assert "30 min walking for sitting 0.90 (0.80 to 1.10) 0.90 (0.80 to 1.10)" in said


def test_balance_is_signed_and_a_rounded_nothing_has_no_sign():
    assert "female −0.12 0.00" in text(lost(full_wave_report()))


@pytest.mark.parametrize(
    ("population", "said"),
    [
        ("age>=65", "Age ≥65"),
        ("walking_minutes <125", "Walking volume <125 min/day"),
        ("walking_met 3.00-3.11", "Walking intensity 3.00–3.11 MET"),
        ("no chronic pain at baseline", "No chronic pain at baseline"),
    ],
)
def test_parts_of_the_people_in_words(population, said):
    assert label(population, PROTOCOL) == said


def test_an_unknown_sensitivity_analysis_is_its_name_in_words():
    assert name_of("sensitivity:a_new_one") == "A new one"


@pytest.mark.parametrize("made", SECTIONS)
@pytest.mark.parametrize("status", ["suppressed", "not_estimable"])
def test_no_section_prints_numbers_of_rows_that_may_not_be_told(made, status):
    results = full_results()
    other = results["level"] != results["reference"]
    secret = ["estimate", "ci_low", "ci_high", "e_value", "e_value_ci"]
    results.loc[other, "status"] = status
    results.loc[other, secret] = 7.77
    assert "7.77" not in text(made(full_wave_report(results=results)))
    assert "777" not in text(made(full_wave_report(results=results)))


def test_commands_of_the_headline_and_a_link_to_the_rest():
    html = "".join(str(block) for block in commands(full_wave_report()).blocks)
    assert html.count("rr(y ~ x)") == 4
    assert 'href="../commands.csv"' in html


def test_checks_and_diagnostics():
    said = text(quality(full_wave_report()))
    assert "3 checks, 2 failed" in said
    assert "Effective sample size, as a share walking volume 0.9 pass" in said


def test_verdicts_of_earlier_releases_stand_beside_todays():
    said = text(claims_by_release(full_index_report()))
    assert "Wave 2025-004 this release" in said
    assert "2021-2023 unclear supported" in said


def test_only_the_newest_releases_are_shown_and_the_older_counted():
    index = full_index_report()
    many = {f"release {number}": index.claims for number in range(8)}
    said = text(claims_by_release(full_index_report(earlier_claims=many)))
    assert "release 1 " not in said
    assert "release 7" in said
    assert "2 older releases are left out." in said


def test_the_bridge_is_told_step_by_step():
    said = text(changes(full_index_report()))
    assert "Compared with release 2025-004." in said
    assert "× 0.995 (12) – × 0.980 (320) – 0.76 (flagged)" in said


def test_a_ratio_that_did_not_change_has_no_steps():
    index = full_index_report()
    same = [{**index.steps[0], "change": 0.0}]
    said = text(changes(full_index_report(steps=same)))
    assert "step by step" not in said
    assert "No main risk ratio changed." in said


def test_a_first_release_has_no_steps_and_says_why():
    index = full_index_report(steps=[], bridge_note="the rows behind the release before are not kept here")
    assert "Why there are no steps: the rows behind the release before are not kept here." in text(changes(index))


def test_a_new_wave_is_told_in_a_sentence_and_a_wave_with_one_new_estimate_in_the_table():
    index = full_index_report()
    (changed,) = index.bridge
    new = {**changed, "wave": "2030-2032", "change": "new"}
    said = text(changes(full_index_report(bridge=[changed, new, {**new, "analysis": "spline"}])))
    assert "Wave 2030-2032 is new: 2 estimates." in said
    assert said.count("2030-2032") == 1
    also = {**changed, "change": "new", "level": "101-124"}
    said = text(changes(full_index_report(bridge=[changed, also])))
    assert "is new:" not in said
    assert " new " in said


def test_the_methods_page_says_how_to_go_from_a_number_to_where_it_came_from():
    made = "".join(provenance(full_wave_report()).blocks)
    assert 'href="../lineage.json"' in made
    assert "stegvis trace . --wave 2021-2023 --analysis main" in made


def test_fit_of_the_main_models_and_why_nothing_is_calibrated():
    said = text(fit(full_wave_report()))
    assert "Age-adjusted 92 1.23%" in said
    assert "No ratio is calibrated here: at least 5 controls are needed" in said


def test_ratios_calibrated_by_negative_controls_stand_beside_the_main_ones():
    calibrated = full_results()
    calibrated = calibrated[(calibrated["analysis"] == "main") & (calibrated["measure"] == "rr")]
    calibrated = calibrated.assign(analysis="negative_controls", estimate=0.91, ci_low=0.8, ci_high=1.04)
    said = text(fit(full_wave_report(results=pd.concat([full_results(), calibrated], ignore_index=True))))
    assert "Calibrated 0.91 (0.80 to 1.04) 0.91 (0.80 to 1.04) 0.91 (0.80 to 1.04)" in said
    assert "No ratio is calibrated" not in said


def test_curves_with_frozen_knots_are_tables():
    said = text(curves(full_wave_report()))
    assert "Walking volume: the curve with the same knots in every wave" in said
    without = full_results()
    without = without[without["analysis"] != "spline_fixed_knots"]
    assert "same knots in every wave" not in text(curves(full_wave_report(results=without)))


def test_pages_say_where_counts_are_an_earlier_releases():
    results = full_results()
    kept = results.assign(note=f"{kept_rule(PROTOCOL)}; as_published")
    words = "numbers of people and cases are those of an earlier release"
    for made in (question, population, table_one):
        assert words in text(made(full_wave_report(results=kept)))
        assert words not in text(made(full_wave_report(results=results)))


def test_waves_and_pooled_stand_together():
    said = text(across(full_index_report()))
    assert "All waves, pooled" in said
    assert "Whether the ratios differ between waves: p = 0.50." in said
    assert "Pain at the wave before" in said
    alone = full_index_report(results=pd.DataFrame(full_results()))
    assert text(across(alone)) == "Nothing is pooled yet."
