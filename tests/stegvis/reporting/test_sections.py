"""The sections: what they say, and that they print no suppressed number."""

from __future__ import annotations

import re
from html import unescape

import pandas as pd
import pytest

from stegvis.reporting.absolute import absolute
from stegvis.reporting.across import across
from stegvis.reporting.certainty import certainty
from stegvis.reporting.changes import changes
from stegvis.reporting.claims_section import claims_by_release
from stegvis.reporting.counterparts import PLACES, counterparts
from stegvis.reporting.curves import curves
from stegvis.reporting.fit import fit
from stegvis.reporting.follow_up_loss import follow_up_loss
from stegvis.reporting.included import outcome, table_one
from stegvis.reporting.joint import joint
from stegvis.reporting.measurement import measurement
from stegvis.reporting.methods import commands, provenance
from stegvis.reporting.quality import quality
from stegvis.reporting.question import question
from stegvis.reporting.robustness import name_of, sensitivity
from stegvis.reporting.subgroups import label, mutual, strata
from stegvis.reporting.time_use import time_use
from tests.stegvis.reporting.full_report import full_index_report, full_results, full_wave_report
from tests.stegvis.reporting.sample_report import PROTOCOL, WORDS
from tests.study import STUDY

SECTIONS = (
    absolute,
    certainty,
    fit,
    joint,
    follow_up_loss,
    measurement,
    mutual,
    strata,
    sensitivity,
    time_use,
    question,
)


def text(section) -> str:
    html = "".join(str(block) for block in section.blocks)
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", html).split()))


def test_the_headline_has_its_e_value_and_tipping_point():
    assert "Robustness: E-value 1.95 (1.57), tipping point 1.60 (1.60)" in text(question(full_wave_report()))


def test_every_ratio_has_e_value_and_tipping_point():
    assert "≥125 0.76 (0.67 to 0.87) 1.95 (1.57) 1.60 (1.60)" in text(certainty(full_wave_report()))


def test_published_numbers_are_shown_beside_those_of_the_wave():
    said = text(counterparts(full_wave_report()))
    assert "101–124 against <78 0.77 (0.68 to 0.87) 101–124: 0.77 (0.68 to 0.87)" in said
    assert "People analyzed 11,194 11,194" in said
    assert all(item in said for item, *_ in PLACES)
    for exposure in ("walking_minutes", "walking_met"):
        assert len(getattr(STUDY.published.numbers, exposure).levels) == 3


def test_additional_rows_of_table_1_are_collapsed():
    html = "".join(str(block) for block in table_one(full_wave_report()).blocks)
    main, _, collapsed = html.partition("<details>")
    assert "Body mass index" not in main
    assert "Body mass index" in collapsed
    assert "26.9 (4.2)" in collapsed


def test_cases_and_time_to_follow_up():
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


def test_a_ratio_without_interval_says_so():
    results = full_results()
    corrected = results["analysis"] == "misclassification_probabilistic"
    results.loc[corrected, ["ci_low", "ci_high"]] = None
    assert "Corrected, probabilistic assumptions 0.80 (no interval)" in text(
        measurement(full_wave_report(results=results))
    )


def test_each_doubled_part_has_its_own_row():
    said = text(time_use(full_wave_report()))
    assert "lying doubled relative to the other parts" in said
    assert "sitting doubled relative to the other parts" in said
    assert "30 min walking for sitting 0.90 (0.80 to 1.10) 0.90 (0.80 to 1.10)" in said


def test_balance_is_signed_and_a_rounded_zero_has_no_sign():
    assert "female −0.12 0.00" in text(follow_up_loss(full_wave_report()))


@pytest.mark.parametrize(
    ("population", "said"),
    [
        ("age>=65", "Age ≥65"),
        ("walking_minutes <125", "Walking volume <125 min/day"),
        ("walking_met 3.00-3.11", "Walking intensity 3.00–3.11 MET"),
        ("no chronic pain at baseline", "No chronic pain at baseline"),
    ],
)
def test_printed_names_of_subgroups(population, said):
    assert label(population, PROTOCOL) == said


def test_an_unknown_sensitivity_analysis_is_printed_as_words():
    assert name_of("sensitivity:a_new_one", WORDS) == "A new one"


@pytest.mark.parametrize("made", SECTIONS)
@pytest.mark.parametrize("status", ["suppressed", "not_estimable"])
def test_no_section_prints_numbers_of_suppressed_rows(made, status):
    results = full_results()
    other = results["level"] != results["reference"]
    secret = ["estimate", "ci_low", "ci_high", "e_value", "e_value_ci"]
    results.loc[other, "status"] = status
    results.loc[other, secret] = 7.77
    said = text(made(full_wave_report(results=results)))
    assert "7.77" not in said
    assert "777" not in said


def test_commands_of_the_headline_and_a_link_to_all_others():
    html = "".join(str(block) for block in commands(full_wave_report()).blocks)
    assert html.count("rr(y ~ x)") == 4
    assert 'href="../commands.csv"' in html


def test_checks_and_diagnostics():
    said = text(quality(full_wave_report()))
    assert "3 checks, 2 failed" in said
    assert "Effective sample size, as a share walking volume 0.9 pass" in said


def test_conclusions_of_earlier_releases_are_shown_beside_the_current_ones():
    said = text(claims_by_release(full_index_report()))
    assert "Wave 2025-004 this release" in said
    assert "2021-2023 unclear supported" in said


def test_only_the_newest_releases_are_shown_and_older_ones_counted():
    index = full_index_report()
    many = {f"release {number}": index.claims for number in range(8)}
    said = text(claims_by_release(full_index_report(earlier_claims=many)))
    assert "release 1 " not in said
    assert "release 7" in said
    assert "2 older releases are not shown." in said


def test_the_bridge_is_shown_step_by_step():
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
    index = full_index_report(steps=[], bridge_note="the rows behind the previous release are not available here")
    assert "No steps are available: the rows behind the previous release are not available here." in text(
        changes(index)
    )


def test_a_new_wave_gets_a_sentence_and_a_wave_with_one_new_estimate_a_row():
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


def test_the_methods_page_says_how_to_trace_a_number():
    made = "".join(provenance(full_wave_report()).blocks)
    assert 'href="../lineage.json"' in made
    assert "stegvis trace . --wave 2021-2023 --analysis main" in made


def test_fit_of_the_main_models_and_why_nothing_is_calibrated():
    said = text(fit(full_wave_report()))
    assert "Age-adjusted 92 1.23%" in said
    assert "No ratio is calibrated: at least 5 controls are needed" in said


def test_calibrated_ratios_are_shown_beside_the_main_ones():
    calibrated = full_results()
    calibrated = calibrated[(calibrated["analysis"] == "main") & (calibrated["measure"] == "rr")]
    calibrated = calibrated.assign(analysis="negative_controls", estimate=0.91, ci_low=0.8, ci_high=1.04)
    said = text(fit(full_wave_report(results=pd.concat([full_results(), calibrated], ignore_index=True))))
    assert "Calibrated 0.91 (0.80 to 1.04) 0.91 (0.80 to 1.04) 0.91 (0.80 to 1.04)" in said
    assert "No ratio is calibrated" not in said


def test_curves_with_fixed_knots_are_tables():
    said = text(curves(full_wave_report()))
    assert "Walking volume: the curve with the same knots in every wave" in said
    without = full_results()
    without = without[without["analysis"] != "spline_fixed_knots"]
    assert "same knots in every wave" not in text(curves(full_wave_report(results=without)))


def test_single_waves_and_pooled_results_are_shown_together():
    said = text(across(full_index_report()))
    assert "All waves, pooled" in said
    assert "Test of whether the ratios differ between waves: p = 0.50." in said
    assert "Pain at the previous wave" in said
    alone = full_index_report(results=pd.DataFrame(full_results()))
    assert text(across(alone)) == "Nothing is pooled yet."
