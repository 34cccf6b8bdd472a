"""The section of absolute risks: numbers needed, other estimators, and the risk with more of an exposure."""

from __future__ import annotations

from dataclasses import replace

from stegvis.reporting.absolute import absolute
from tests.stegvis.reporting.full_report import full_results, full_wave_report
from tests.stegvis.reporting.test_sections import text


def test_risks_differences_and_numbers_needed():
    said = text(absolute(full_wave_report()))
    assert "78–100 15.0 (13.5 to 16.5) −3.0 (−3.3 to −2.7) 33 (30 to 36)" in said


def test_other_estimators_agree_or_not_by_the_stated_rule():
    said = text(absolute(full_wave_report()))
    assert "Doubly robust 0.81 (0.73 to 0.89)" in said
    assert "The doubly robust ratios agree with the standardized ones. The overlap-weighted ratios agree" in said
    assert "Overlap of the categories is limited: equipoise (warning)." in said
    assert "≥125 0.021 0.42 1,753 1,926" in said
    assert "Age, years 1.06 0.14 0.03" in said

    def changed(estimate: float, low: float, high: float) -> str:
        results = full_results()
        apart = (results["analysis"] == "doubly_robust") & (results["measure"] == "ratio_of_rr")
        apart &= results["level"] == ">=125"
        results.loc[apart, ["estimate", "ci_low", "ci_high"]] = estimate, low, high
        return text(absolute(full_wave_report(results=results)))

    # The standard error of the standardized ratio is 0.06: a ratio of 1.06 is within it, 1.07 beyond it.
    assert "The doubly robust ratios agree with" in changed(1.06, 1.01, 1.10)
    differs = changed(1.07, 0.95, 1.20)
    assert "differ from the standardized ones by more than one standard error, which chance may explain" in differs
    assert "(≥125: 0.81 against 0.80)" in differs
    assert "The other doubly robust ratios agree" in differs
    assert "The doubly robust ratios disagree with the standardized ones (≥125: 0.81 against 0.80)" in changed(
        0.93, 0.88, 0.98
    )


def test_withheld_doubly_robust_ratios_say_why():
    results = full_results()
    gone = results["analysis"] == "doubly_robust"
    results.loc[gone, ["estimate", "ci_low", "ci_high"]] = None
    results.loc[gone, "status"] = "not_estimable"
    results.loc[gone, "note"] = "hc0; withheld: exposure balance fails (warns above 0.1, fails above 0.25)"
    said = text(absolute(full_wave_report(results=results)))
    assert (
        "The doubly robust ratios cannot be compared with the standardized ones (withheld: exposure balance fails "
        "(warns above 0.1, fails above 0.25))." in said
    )
    assert "The overlap-weighted ratios agree" in said


def test_a_release_without_these_estimators_has_the_risks_alone():
    results = full_results()
    older = results[~results["analysis"].str.startswith(("doubly_robust", "overlap"))]
    said = text(absolute(full_wave_report(results=older)))
    assert "Standardized risks, fully adjusted" in said
    assert "robust" not in said


def test_a_number_needed_without_interval_says_so():
    results = full_results()
    results.loc[results["measure"] == "nnt", ["ci_low", "ci_high"]] = None
    assert "33 (no interval)" in text(absolute(full_wave_report(results=results)))


def test_the_risk_with_more_of_an_exposure_is_in_a_sentence_if_it_is_estimated():
    report = full_wave_report()
    said = text(absolute(report))
    assert "Walking volume 30 min/day higher: the risk would be 0.88 times (95% CI 0.79 to 0.97) what it is" in said
    assert "a difference of −2.0 (−2.2 to −1.8) percentage points" in said
    gone = report.own_results["analysis"] == "shifted"
    withheld = report.own_results.assign(status=report.own_results["status"].mask(gone, "not_estimable"))
    assert "higher: the risk would be" not in text(absolute(replace(report, results=withheld)))
