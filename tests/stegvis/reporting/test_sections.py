"""The sections: what they say, and that they print no suppressed number."""

from __future__ import annotations

import re
from html import unescape

import pandas as pd
import pytest

from stegvis.analyses.declared import declared_estimates
from stegvis.reporting.absolute import absolute
from stegvis.reporting.across import across
from stegvis.reporting.certainty import certainty
from stegvis.reporting.changes import changes
from stegvis.reporting.claims_section import FIRST, claims_of_wave, claims_of_waves
from stegvis.reporting.counterparts import counterparts
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
from stegvis.reporting.several_biases import several_biases
from stegvis.reporting.subgroups import label, mutual, strata
from stegvis.reporting.time_use import time_use
from stegvis.study.protocol_estimates import DeclaredEstimate, Estimates
from tests.stegvis.reporting.full_report import full_index_report, full_results, full_wave_report
from tests.stegvis.reporting.sample_report import PROTOCOL, WAVE, WORDS
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
    several_biases,
    time_use,
    question,
)


def text(section) -> str:
    html = "".join(str(block) for block in section.blocks)
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", html).split()))


def test_the_headline_has_its_e_value_and_tipping_point():
    said = text(question(full_wave_report()))
    assert "E-value 1.95 (1.57), tipping point 1.60 (1.60)" in said
    # Explained where they are: in the first answer's numbers, without their names.
    explained = said.partition("Walking volume, in other words: ")[2]
    assert "1.95 times as common in one group as in the other" in explained
    assert "1.60 times as common among the participants of the highest category who were lost to follow-up" in explained


def test_the_limits_are_beside_the_headline():
    html = "".join(str(block) for block in question(full_wave_report()).blocks)
    panel = html.partition('<div class="headline">')[2].partition("<p>Among adults")[0]
    assert "other differences between the groups may account for some or all" in panel


def test_without_e_values_nothing_is_said_of_them():
    results = full_results().assign(e_value=None, e_value_ci=None)
    results = results[results["analysis"] != "tipping_point"]
    said = text(question(full_wave_report(results=results)))
    assert "risk ratio 0.76" in said
    assert "in other words" not in said
    assert "E-value" not in said


def test_every_ratio_has_e_value_and_tipping_point():
    assert "≥125 1.95 (1.57) 1.60 (1.60)" in text(certainty(full_wave_report()))


def test_published_numbers_are_shown_beside_those_of_the_wave():
    said = text(counterparts(full_wave_report()))
    assert "Walking volume, min/day: RR against <78" in said
    assert "101–124 0.77 (0.68 to 0.87) 0.77 (0.68 to 0.87)" in said
    assert "Analyzed 11,194 11,194" in said
    assert said.index("Analyzed 11,194") < said.index("Why they may differ") < said.index("Supplement:")
    assert all(each.item in said for each in STUDY.published.numbers.items)
    for exposure in ("walking_minutes", "walking_met"):
        assert len(getattr(STUDY.published.numbers, exposure).levels) == 3


def test_published_ratios_outside_the_interval_are_counted():
    results = full_results()
    assert "5 of 6 published risk ratios are within this wave's confidence interval" in text(
        counterparts(full_wave_report(results=results))
    )
    results.loc[(results["analysis"] == "main") & (results["level"] == ">=125"), ["ci_low", "ci_high"]] = [0.9, 0.99]
    assert "4 of 6 published" in text(counterparts(full_wave_report(results=results)))


def test_reasons_for_a_difference_follow_from_the_numbers():
    assert "simulated" in text(counterparts(full_wave_report()))
    same = text(counterparts(full_wave_report(synthetic=False)))
    assert "simulated" not in same
    assert "not exactly the same" not in same
    assert "other bounds" not in same
    results = full_results().replace({"level": {"101-124": "99-124"}})
    results.loc[(results["analysis"] == "main") & (results["level"] == ">=125"), "n"] = 3000
    other = text(counterparts(full_wave_report(synthetic=False, results=results)))
    assert "not exactly the same" in other
    assert "other bounds" in other
    assert "0.77 (0.68 to 0.87) 99–124: 0.77 (0.68 to 0.87)" in other


def test_additional_rows_of_table_1_are_collapsed():
    html = "".join(str(block) for block in table_one(full_wave_report()).blocks)
    main, _, collapsed = html.partition("Additional rows")
    assert "Age, years" in main
    assert "Body mass index" not in main
    assert "Body mass index" in collapsed
    assert "26.9 (4.2)" in collapsed


def test_cases_and_time_to_follow_up():
    said = text(outcome(full_wave_report()))
    assert "1,659 (14.8%)" in said
    assert "4.2 years" in said


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


def test_weights_from_the_whole_cohort_and_the_smallest_probabilities():
    said = text(follow_up_loss(full_wave_report()))
    assert "Weights from the whole cohort 0.80 (0.72 to 0.88)" in said
    assert "product 9,500 3.87 14.31" in said
    assert "Answer at follow-up, of everyone eligible 0.24" in said
    assert "Valid recording, of those without the outcome 0.12" in said


def test_several_biases_at_once_where_the_protocol_has_priors():
    said = text(several_biases(full_wave_report()))
    assert "drawn 10,000 times" in said
    assert "All of these together 0.77 (0.69 to 0.85)" in said
    assert "An unmeasured confounder" not in said, "this study has no priors of one"
    without = PROTOCOL.model_copy(update={"combined_bias": None})
    assert several_biases(full_wave_report(protocol=without)) is None


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


def test_a_claim_is_a_row_and_a_wave_a_column():
    index = full_index_report()
    later = [{**each, "wave": "2024-2026", "verdict": "unclear"} for each in index.claims]
    section = claims_of_waves(full_index_report(claims=[*index.claims, *later], earlier_claims={}))
    html = "".join(str(block) for block in section.blocks)
    assert html.count('<th scope="row">') == len(index.claims)
    assert "Claim 2021-2023 2024-2026" in text(section)
    assert "volume than in the lowest. supported unclear" in text(section)
    assert "intensity than in the lowest. not supported unclear" in text(section)


def test_conclusions_that_changed_are_shown_release_by_release():
    said = text(claims_of_waves(full_index_report()))
    assert "Wave 2025-004 this release" in said
    assert "2021-2023 unclear supported" in said
    same = {"2025-004": full_index_report().claims}
    said = text(claims_of_waves(full_index_report(earlier_claims=same)))
    assert "this release" not in said
    assert "No conclusion differs from that of an earlier release." in said


def test_only_the_newest_releases_are_shown_and_older_ones_counted():
    index = full_index_report()
    many = {f"release {number}": [{**each, "verdict": "unclear"} for each in index.claims] for number in range(8)}
    said = text(claims_of_waves(full_index_report(earlier_claims=many)))
    assert "release 1 " not in said
    assert "release 7" in said
    assert "2 older releases are not shown." in said


def test_a_wave_lists_the_first_claims_that_it_does_not_support_and_folds_the_evidence():
    claim = full_wave_report().claims[1]
    claims = [{**claim, "statement": f"Statement {number}."} for number in range(FIRST + 2)]
    html = "".join(str(block) for block in claims_of_wave(full_wave_report(claims=claims)).blocks)
    shown, _, evidence = html.partition("<details>")
    assert shown.count("Statement") == FIRST
    assert "2 more below" in shown
    assert evidence.count("Statement") == len(claims)
    assert "the lower limit (1.02) fell to 1" in evidence
    assert f"0 supported, {FIRST + 2} not, 0 unclear" in shown


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
    assert "No ratio is calibrated: at least 5 controls of one role are needed" in said


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


def test_what_is_compared_stands_beside_the_answer_and_a_declared_estimate_is_marked():
    undeclared = declared_estimates(full_results(), WAVE, PROTOCOL.model_copy(update={"estimates": Estimates()}))
    plain = text(question(full_wave_report(declared=undeclared)))
    assert "A risk ratio compares people of two categories who are alike in the covariates" in plain
    assert "Primary" not in plain
    estimates = Estimates(primary=DeclaredEstimate(exposure="walking_met", category=4))
    protocol = PROTOCOL.model_copy(update={"estimates": estimates})
    declared = text(question(full_wave_report(declared=declared_estimates(full_results(), WAVE, protocol))))
    assert (declared.count("Primary estimate."), declared.count("Exploratory.")) == (1, 1)
    assert declared.index("Primary estimate.") < declared.index("walking intensity") < declared.index("Exploratory.")
