"""Each diagnostic warns and fails at its thresholds, and a failure withholds what rests on it."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from stegvis.analyses.diagnostics import diagnostic_counts, with_diagnostics
from stegvis.expectations.fitted_models import DIAGNOSTICS
from stegvis.statistics.results import ESTIMATE_COLUMNS, ResultRow, to_frame
from stegvis.study.protocol_models import Limits
from tests.stegvis.conftest import PROTOCOL


def wave(**values: float) -> pd.DataFrame:
    """A wave whose diagnostics all pass, but for what is given."""
    found = {
        "smd": 0.02,
        "smallest": 0.2,
        "ess": 900.0,
        "step": 0.3,
        "product_ess": 800.0,
        "std_error": 0.05,
        "events": 40.0,
        "above": 0.0,
        "smd_of_exposure": 0.02,
        "equipoise": 0.8,
        "least_likely": 0.05,
        "ess_of_exposure": 200.0,
        "smd_overlap": 0.02,
    } | values
    rows = [
        ResultRow(
            "W", "attrition_balance", "eligible", "adjusted", "both", "age", measure="smd_weighted",
            estimate=found["smd"],
        )
    ]  # fmt: skip
    selection = ResultRow("W", "selection_weights", "cohort", "adjusted", "both")
    for name, value in (("covariates", 0.8), ("recording", found["step"])):
        rows.append(replace(selection, term=name, measure="smallest_probabilities", estimate=value))
    rows.append(replace(selection, term="product", measure="ess", n=1000, estimate=found["product_ess"]))
    for exposure in ("walking_minutes", "walking_met"):
        weights = ResultRow("W", "attrition_weights", "all", "adjusted", exposure, n=1000)
        quality = ResultRow("W", "fit_quality", "all", "adjusted", exposure)
        ratio = {"measure": "rr", "estimate": 0.8, "ci_low": 0.7, "ci_high": 0.9, "std_error": found["std_error"]}
        rows += [
            replace(weights, term="response", measure="smallest_probabilities", estimate=found["smallest"]),
            replace(weights, term="stabilized", measure="ess", estimate=found["ess"]),
            replace(quality, measure="events_per_coefficient", estimate=found["events"]),
            replace(quality, measure="share_above_one", estimate=found["above"]),
            ResultRow("W", "main", "all", "adjusted", exposure, "c", "78-100", **ratio),
            ResultRow("W", "main", "all", "age", exposure, "c", "78-100", **ratio),
            ResultRow("W", "attrition_weighted", "all", "adjusted", exposure, "c", "78-100", **ratio),
            ResultRow("W", "doubly_robust", "all", "adjusted", exposure, "c", "78-100", **ratio),
            ResultRow("W", "overlap_weighted", "all", "adjusted", exposure, "c", "78-100", **ratio),
            *overlap_of(exposure, found),
            ResultRow("W", "selection_weighted", "all", "adjusted", exposure, "c", "78-100", **ratio),
            ResultRow("W", "selection_weighted", "all", "age", exposure, "c", "78-100", **ratio),
        ]
    return to_frame(rows)


def overlap_of(exposure: str, found: dict[str, float]) -> list[ResultRow]:
    """Rows of overlap: a second category and covariate are better than the first."""
    row = ResultRow("W", "overlap", "all", "adjusted", exposure, "c", n=250)
    weighted = {"analysis": "overlap:overlap_weights", "measure": "smd_weighted"}
    return [
        replace(row, measure="equipoise", level="78-100", estimate=found["equipoise"]),
        replace(row, measure="equipoise", level=">=125", estimate=0.9),
        replace(row, measure="smallest_probability", level="78-100", estimate=found["least_likely"]),
        replace(row, measure="smallest_probability", level=">=125", estimate=0.1),
        replace(row, measure="ess", level="78-100", estimate=found["ess_of_exposure"]),
        replace(row, measure="ess", level=">=125", estimate=240.0),
        replace(row, measure="smd_weighted", term="age", estimate=found["smd_of_exposure"]),
        replace(row, measure="smd_weighted", term="sex", estimate=0.01),
        # Before weighting categories may differ.
        replace(row, measure="smd", term="age", estimate=1.0),
        replace(row, **weighted, term="age", estimate=found["smd_overlap"]),
        # The effective sample size of overlap weights is no diagnostic.
        replace(row, analysis="overlap:overlap_weights", measure="ess", level="78-100", estimate=10.0),
    ]


def diagnosed(**values: float) -> pd.DataFrame:
    return with_diagnostics(wave(**values), PROTOCOL)


def levels(results: pd.DataFrame, name: str) -> set[str]:
    """The results of a diagnostic, but for that of the weights from the cohort."""
    rows = results[(results["analysis"] == "diagnostics") & (results["term"] == name)]
    return set(rows.loc[~rows["measure"].str.startswith("selection_"), "level"])


def test_a_sound_wave_passes_and_keeps_everything() -> None:
    results = diagnosed()
    assert diagnostic_counts(results) == {"diagnostics_warning": 0, "diagnostics_fail": 0}
    assert (results["status"] == "ok").all()
    assert (results["analysis"] == "diagnostics").sum() == 23


@pytest.mark.parametrize(
    ("name", "warns", "fails", "withheld", "kept"),
    [
        ("balance", {"smd": -0.2}, {"smd": 0.3}, "attrition_weighted", "main"),
        ("positivity", {"smallest": 0.02}, {"smallest": 0.005}, "attrition_weighted", "main"),
        ("effective_sample_size", {"ess": 400.0}, {"ess": 100.0}, "attrition_weighted", "main"),
        ("minimum_detectable_rr", {"std_error": 0.2}, {"std_error": 0.9}, "main", "fit_quality"),
        ("events_per_coefficient", {"events": 8.0}, {"events": 1.0}, "main", "fit_quality"),
        ("share_above_one", {"above": 0.01}, {"above": 0.1}, "main", "fit_quality"),
        ("exposure_balance", {"smd_of_exposure": 0.2}, {"smd_of_exposure": 0.3}, "doubly_robust", "overlap_weighted"),
        ("exposure_overlap", {"equipoise": 0.3}, {"equipoise": 0.1}, "doubly_robust", "main"),
        ("exposure_positivity", {"least_likely": 0.005}, {"least_likely": 0.00005}, "doubly_robust", "main"),
        (
            "exposure_effective_sample_size", {"ess_of_exposure": 100.0}, {"ess_of_exposure": 40.0}, "doubly_robust",
            "attrition_weighted",
        ),
        ("overlap_weighted_balance", {"smd_overlap": 0.2}, {"smd_overlap": 0.3}, "overlap_weighted", "doubly_robust"),
    ],
)  # fmt: skip
def test_a_diagnostic_warns_then_withholds(name, warns, fails, withheld, kept) -> None:
    warned = diagnosed(**warns)
    assert levels(warned, name) == {"warning"}
    assert (warned["status"] == "ok").all()
    failed = diagnosed(**fails)
    assert levels(failed, name) == {"fail"}
    assert diagnostic_counts(failed)["diagnostics_fail"] > 0
    adjusted = failed[failed["model"] == "adjusted"]
    gone = adjusted[adjusted["analysis"] == withheld]
    assert set(gone["status"]) == {"not_estimable"}
    assert gone[list(ESTIMATE_COLUMNS)].isna().all(axis=None)
    assert gone["note"].str.contains(f"withheld: {name.replace('_', ' ')} fails").all()
    assert set(adjusted.loc[adjusted["analysis"] == kept, "status"]) == {"ok"}
    # The age-adjusted model has fewer coefficients: the diagnostic of the adjusted model does not apply.
    assert set(failed.loc[(failed["analysis"] == "main") & (failed["model"] == "age"), "status"]) == {"ok"}


@pytest.mark.parametrize(
    ("name", "measure", "warns", "fails"),
    [
        ("positivity", "selection_probability", {"step": 0.04}, {"step": 0.005}),
        ("effective_sample_size", "selection_ess_share", {"product_ess": 300.0}, {"product_ess": 100.0}),
    ],
)
def test_weights_from_the_cohort_have_the_same_thresholds_and_withhold_their_own_estimates(
    name, measure, warns, fails
) -> None:
    def level(results: pd.DataFrame) -> str:
        return str(results.loc[(results["term"] == name) & (results["measure"] == measure), "level"].item())

    warned, failed = diagnosed(**warns), diagnosed(**fails)
    assert (level(warned), level(failed)) == ("warning", "fail")
    assert (warned["status"] == "ok").all()
    # Whatever the model: the weights are the same.
    assert set(failed.loc[failed["analysis"] == "selection_weighted", "status"]) == {"not_estimable"}
    assert (failed.loc[failed["analysis"] != "selection_weighted", "status"] == "ok").all()


def test_a_diagnostic_that_cannot_be_computed_warns_and_withholds_nothing() -> None:
    whole = wave()
    weights = whole["analysis"].isin(["attrition_weights", "selection_weights"])
    results = with_diagnostics(whole[~weights].reset_index(drop=True), PROTOCOL)
    row = results[(results["term"] == "positivity") & (results["analysis"] == "diagnostics")]
    assert set(row["status"]) == {"not_estimable"}
    assert set(results.loc[results["analysis"] == "attrition_weighted", "status"]) == {"ok"}


def test_the_order_of_the_thresholds_gives_their_direction() -> None:
    rising, falling = Limits(warning=0.1, fail=0.2), Limits(warning=0.2, fail=0.1)
    assert [rising.assess(value) for value in (0.1, 0.15, 0.2, 0.21)] == ["pass", "warning", "warning", "fail"]
    assert [falling.assess(value) for value in (0.2, 0.15, 0.1, 0.09)] == ["pass", "warning", "warning", "fail"]


def test_each_diagnostic_has_a_rule_of_its_own() -> None:
    assert set(diagnosed().query("analysis == 'diagnostics'")["term"]) == set(DIAGNOSTICS)


# Every analysis that prints a number of the adjusted model of one exposure, as the suite names them.
OF_THE_MODEL = (
    "main", "fixed_cuts", "trend", "mutual", "mutual_categories", "spline", "mutual_spline", "stratified",
    "sensitivity:without_first_years", "standardized_risk", "cross_estimator", "attrition_weighted", "imputed",
    "regression_dilution", "misclassification", "negative_controls", "doubly_robust", "overlap_weighted",
)  # fmt: skip


def with_every_analysis(failing: tuple[str, ...]) -> pd.DataFrame:
    """A wave with an estimate of each of them, in which the model of some exposures has fitted risks above 1."""
    found = wave()
    rows = []
    number = {"measure": "rr", "estimate": 0.8, "ci_low": 0.7, "ci_high": 0.9}
    for exposure in ("walking_minutes", "walking_met"):
        rows += [
            ResultRow("W", name, "all", model, exposure, "t", **number)
            for name in OF_THE_MODEL
            for model in ("adjusted", "age")
        ]
    rows += [ResultRow("W", name, "all", "adjusted", "both", "t", **number) for name in ("joint", "interaction")]
    rows += [
        ResultRow("W", "isotemporal", "24-hour day", model, "time_use", "t", **number) for model in ("adjusted", "age")
    ]
    above = (found["measure"] == "share_above_one") & found["exposure"].isin(failing)
    found.loc[above, "estimate"] = 0.2
    return with_diagnostics(pd.concat([found, to_frame(rows)], ignore_index=True), PROTOCOL)


def test_a_failed_model_withholds_every_estimate_that_rests_on_it() -> None:
    results = with_every_analysis(("walking_minutes",))
    shown = results[(results["status"] == "ok") & results["measure"].isin(["rr"])]
    of_model = shown[shown["model"] == "adjusted"]
    assert set(of_model["exposure"]) == {"walking_met", "time_use"}
    # Models with both exposures have the failing one in them.
    assert not of_model["analysis"].str.startswith("mutual").any()
    assert set(OF_THE_MODEL) - set(of_model["analysis"]) == {"mutual", "mutual_categories", "mutual_spline"}
    assert set(shown.loc[shown["model"] == "age", "exposure"]) == {"walking_minutes", "walking_met", "time_use"}
    for shown in ("fit_quality", "overlap", "overlap:overlap_weights"):
        assert (results.loc[results["analysis"] == shown, "status"] == "ok").all()


def test_time_use_is_withheld_when_the_models_of_all_exposures_fail() -> None:
    results = with_every_analysis(("walking_minutes", "walking_met"))
    assert set(results.loc[results["exposure"] == "time_use", "status"]) == {"not_estimable"}
    assert results.loc[results["exposure"] == "time_use", "note"].str.contains("share above one fails").all()
