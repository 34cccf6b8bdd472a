"""A report with rows of every analysis on the pages. No real person is in it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

import pandas as pd

from stegvis.analyses.declared import declared_estimates
from stegvis.reporting.inputs import COMMAND_COLUMNS, HISTOGRAM_COLUMNS, RESULT_COLUMNS, IndexReport, WaveReport
from tests.stegvis.reporting.sample_report import (
    COUNTS,
    LEVELS,
    PROTOCOL,
    WAVE,
    characteristics,
    index_report,
    result,
    results,
    wave_report,
)

SENSITIVITY = ("bmi", "running_cycling", "valid_days", "no_pain", "good_health", "good_health_strict", "severe_pain")
CURVES = {"walking_minutes": (40, 62, 80, 100, 120, 151, 180), "walking_met": (2.84, 2.91, 3.0, 3.12, 3.2, 3.42, 3.6)}


def full_results(wave: str = WAVE, ratio: float = 0.8) -> pd.DataFrame:
    """Rows of every analysis of a wave, for the caller to change."""
    return _full_results(wave, ratio).copy()


@cache
def _full_results(wave: str, ratio: float) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for exposure, models in product(LEVELS, [("age", "adjusted")]):
        for analysis in ("mutual", "mutual_categories", "fixed_cuts", "imputed", "misclassification_probabilistic"):
            rows += categories(exposure, models, ratio, analysis=analysis)
        for name in SENSITIVITY:
            rows += categories(exposure, models, ratio, analysis=f"sensitivity:{name}", population=name)
        for population in ("age<65", "age>=65", "women", "men"):
            rows += categories(exposure, models, ratio, analysis="stratified", population=population)
        for variant in ("", ":estimated_weights", ":truncated_1_99"):
            rows += categories(exposure, models, ratio, analysis=f"attrition_weighted{variant}")
            rows += categories(exposure, models, ratio, analysis=f"selection_weighted{variant}")
        for bias in ("none", "selection", "all"):
            rows += categories(exposure, ("adjusted",), 0.77, analysis="combined_bias", term=bias)[-1:]
        for estimator in ("log_binomial", "logistic_standardization", "cox"):
            rows += categories(exposure, models, ratio, analysis="cross_estimator", term=estimator)
        for measure, value in (("risk", 0.15), ("rd", -0.03), ("nnt", 33.0)):
            rows += categories(exposure, models, value, analysis="standardized_risk", measure=measure, first=value)
        rows += overlap(exposure, ratio)
        for measure, value in (("rr", 0.88), ("rd", -0.02)):
            (row, *_) = categories(exposure, ("adjusted",), value, analysis="shifted", measure=measure, first=value)
            rows.append(row | {"level": "+30", "reference": "as observed"})
        for measure in ("tipping_point", "tipping_point_limit"):
            rows += categories(exposure, ("adjusted",), 1.6, analysis="tipping_point", measure=measure)[1:]
        rows += (
            curve(exposure, "spline")
            + curve(exposure, "mutual_spline")
            + curve(exposure, "spline_fixed_knots")
            + interaction(exposure)
        )
        rows += reliability(exposure) + weights(exposure) + fit_quality(exposure)
    rows += within("within_intensity", "walking_minutes", "walking_met", ratio)
    rows += within("within_volume", "walking_met", "walking_minutes", ratio)
    rows += joint(ratio) + balance() + day() + diagnostics() + selection()
    frame = pd.DataFrame([*rows], columns=list(RESULT_COLUMNS))
    return pd.concat([results(wave), frame.assign(wave=wave)], ignore_index=True)


def categories(
    exposure: str, models: tuple[str, ...], value: float, first: float = 1.0, **more: Any
) -> list[dict[str, Any]]:
    levels, rows = LEVELS[exposure], []
    for model in models:
        shared = {"exposure": exposure, "model": model, "reference": levels[0], "measure": "rr"}
        shared |= {"term": f"{exposure}_category", "analysis": "main"} | more
        for level, (n, events) in zip(levels, COUNTS, strict=True):
            numbers: dict[str, Any] = {"estimate": first}
            if level != levels[0] or first != 1.0:
                spread = 0.1 * abs(value)
                numbers = {"estimate": value, "ci_low": value - spread, "ci_high": value + spread, "p_value": 0.02}
            rows.append(result(**shared, level=level, n=n, events=events, **numbers))
    return rows


def curve(exposure: str, analysis: str) -> list[dict[str, Any]]:
    values = CURVES[exposure]
    knots = (values[1], values[3], values[5])
    shared = {"analysis": analysis, "exposure": exposure, "model": "adjusted", "reference": f"{values[1]}"}
    rows = [result(**shared, measure="knot", level=str(k), estimate=v) for k, v in enumerate(knots, start=1)]
    for place, value in enumerate(values):
        ratio = 1.0 - 0.06 * (place - 1) + 0.01 * (place - 1) ** 2
        limits = {} if place == 1 else {"ci_low": ratio - 0.08, "ci_high": ratio + 0.08}
        rows.append(result(**shared, measure="rr", level=f"{value:g}", estimate=ratio, **limits))
    for measure in ("p_overall", "p_nonlinearity"):
        rows.append(result(**shared, measure=measure, estimate=0.01, p_value=0.01))
    return rows


def interaction(exposure: str) -> list[dict[str, Any]]:
    rows = []
    for modifier in ("older", "sex"):
        term = {"analysis": "interaction", "term": f"{exposure}_category x {modifier}"}
        rows += categories(exposure, ("adjusted",), 0.9, measure="ratio_of_rr", **term)
        for measure in ("p_likelihood_ratio", "p_interaction"):
            rows.append(result(**term, exposure=exposure, model="adjusted", measure=measure, p_value=0.4))
    return rows


def within(analysis: str, exposure: str, other: str, ratio: float) -> list[dict[str, Any]]:
    return [
        row
        for level in LEVELS[other]
        for row in categories(exposure, ("age", "adjusted"), ratio, analysis=analysis, population=f"{other} {level}")
    ]


def joint(ratio: float) -> list[dict[str, Any]]:
    cells = [f"{volume} & {intensity}" for volume, intensity in product(*LEVELS.values())]
    rows = []
    for model, (number, cell) in product(("age", "adjusted"), enumerate(cells)):
        shared = {"analysis": "joint", "exposure": "walking_minutes", "model": model, "reference": cells[0]}
        numbers: dict[str, Any] = {"estimate": 1.0} if number == 0 else {"estimate": ratio - number / 100}
        if number:
            numbers |= {"ci_low": numbers["estimate"] - 0.1, "ci_high": numbers["estimate"] + 0.2}
        rows.append(result(**shared, measure="rr", level=cell, n=700, events=100, **numbers))
        if number == 0:
            rows += [result(**shared, measure=name, p_value=0.03) for name in ("p_joint", "p_interaction")]
    added = {"analysis": "additive_interaction", "exposure": "walking_minutes", "model": "adjusted"}
    rows += [
        result(**added, measure=name, estimate=0.3, ci_low=0.1, ci_high=0.5)
        for name in ("reri_mover", "ap", "synergy_index", "ratio_of_rr")
    ]
    return rows


def balance() -> list[dict[str, Any]]:
    shared = {"analysis": "attrition_balance", "exposure": "both", "model": "adjusted"}
    return [
        result(**shared, term=term, level=level, measure=measure, estimate=value)
        for term, level in (("age", None), ("sex", "female"), ("sex", "male"))
        for measure, value in (("smd", -0.12), ("smd_weighted", 0.004))
    ]


def weights(exposure: str) -> list[dict[str, Any]]:
    shared = {"analysis": "attrition_weights", "exposure": exposure, "model": "adjusted", "term": "stabilized"}
    values = {"ess": 10943.7, "mean_weight": 1.0, "largest_weights": 2.26}
    return [result(**shared, measure=measure, estimate=value) for measure, value in values.items()]


def selection() -> list[dict[str, Any]]:
    shared = {"analysis": "selection_weights", "exposure": "both", "model": "adjusted"}
    values = {"ess": 9500.2, "mean_weight": 3.87, "largest_weights": 14.31}
    rows = [result(**shared, term="product", measure=name, estimate=value) for name, value in values.items()]
    small = shared | {"measure": "smallest_probabilities", "population": "cohort"}
    rows.append(result(**small, term="recording", estimate=0.1234))
    response = small | {"analysis": "attrition_weights", "population": "eligible", "exposure": "walking_minutes"}
    return [*rows, result(**response, term="response", estimate=0.2414)]


def overlap(exposure: str, ratio: float) -> list[dict[str, Any]]:
    """Ratios by three estimators, which agree, and the numbers that describe overlap."""
    rows = categories(exposure, ("adjusted",), ratio, analysis="standardized_risk")
    for row in rows[1:]:
        row["std_error"] = 0.06
    for analysis in ("doubly_robust", "overlap_weighted"):
        rows += categories(exposure, ("adjusted",), ratio + 0.01, analysis=analysis)
        rows += categories(exposure, ("adjusted",), 1.01, analysis=analysis, measure="ratio_of_rr")
    for name, value in (("smallest_probability", 0.021), ("equipoise", 0.42), ("ess", 1753.3)):
        rows += categories(exposure, ("adjusted",), value, analysis="overlap", measure=name, first=value)
    rows += categories(exposure, ("adjusted",), 1926.4, analysis="overlap:overlap_weights", measure="ess", first=1926.4)
    shared = {"exposure": exposure, "model": "adjusted", "term": "age"}
    rows += [
        result(**shared, analysis="overlap", measure="smd", estimate=1.06),
        result(**shared, analysis="overlap", measure="smd_weighted", estimate=0.14),
        result(**shared, analysis="overlap:overlap_weights", measure="smd_weighted", estimate=0.03),
        result(
            **shared | {"term": "exposure_overlap"},
            analysis="diagnostics",
            measure="equipoise",
            estimate=0.42,
            level="warning",
        ),
    ]
    return rows


def reliability(exposure: str) -> list[dict[str, Any]]:
    shared = {"analysis": "regression_dilution", "exposure": exposure, "model": "adjusted"}
    limits = {"ci_low": 0.6, "ci_high": 0.8}
    rows = [result(**shared, measure=name, estimate=0.7, **limits) for name in ("icc", "reliability")]
    return [*rows, result(**shared, measure="rr", level="per unit", estimate=0.7, **limits)]


def fit_quality(exposure: str) -> list[dict[str, Any]]:
    shared = {"analysis": "fit_quality", "exposure": exposure, "term": f"{exposure}_category"}
    values = {"events_per_coefficient": 92.2, "share_above_one": 0.0123}
    return [
        result(**shared, model=model, measure=measure, estimate=value)
        for model, (measure, value) in product(("age", "adjusted"), values.items())
    ]


def day() -> list[dict[str, Any]]:
    rows = []
    for analysis, part in product(("isotemporal", "composition"), ("lying", "sitting", "running and cycling")):
        for swap in (f"30 min {part} -> walking", f"30 min walking -> {part}"):
            shared = {"analysis": analysis, "exposure": "time_use", "model": "adjusted", "measure": "rr"}
            rows.append(result(**shared, level=swap, reference=part, estimate=0.9, ci_low=0.8, ci_high=1.1))
    for part in ("lying", "sitting"):
        shared = {"analysis": "composition", "exposure": "time_use", "model": "adjusted", "measure": "rr"}
        doubled = {"term": part, "level": "doubled relative to the other parts", "reference": "mean day"}
        rows.append(result(**shared, **doubled, estimate=1.1, ci_low=1.0, ci_high=1.2))
    return rows


def diagnostics() -> list[dict[str, Any]]:
    shared = {"analysis": "diagnostics", "model": "adjusted", "measure": "ess_share", "estimate": 0.9}
    return [result(**shared, exposure="walking_minutes", level="pass"), result(**shared, exposure="both", level="fail")]


def pooled_results() -> pd.DataFrame:
    """Rows across waves."""
    rows = []
    for exposure in LEVELS:
        for analysis in ("pooled", "incidence", "persistence", "recurrence"):
            rows += categories(exposure, ("age", "adjusted"), 0.8, analysis=analysis)
        rows += categories(exposure, ("adjusted",), 0.8, analysis="projection", measure="projected_rr")
        for measure in ("detectable_rr", "waves_needed"):
            rows += categories(exposure, ("adjusted",), 2.0, analysis="projection", measure=measure)
        test = {"analysis": "wave_interaction", "exposure": exposure, "model": "adjusted"}
        rows.append(result(**test, measure="p_interaction", p_value=0.5))
    return pd.DataFrame(rows, columns=list(RESULT_COLUMNS)).assign(wave="all")


def pooled_curve() -> pd.DataFrame:
    """The curve of all waves together."""
    rows = [row for exposure in LEVELS for row in curve(exposure, "pooled_spline")]
    return pd.DataFrame(rows, columns=list(RESULT_COLUMNS)).assign(wave="all")


def histogram() -> pd.DataFrame:
    rows = []
    for exposure, edges in (("walking_minutes", [20, 60, 100, 140, 180]), ("walking_met", [2.8, 3.0, 3.2, 3.4, 3.6])):
        lows, highs = [None, *edges], [*edges, None]
        for place, (low, high) in enumerate(zip(lows, highs, strict=True)):
            hidden = place == 0
            count = None if hidden else 1000 * place
            rows.append((WAVE, exposure, low, high, count, "suppressed" if hidden else "ok"))
    return pd.DataFrame(rows, columns=list(HISTOGRAM_COLUMNS)).astype({"n": "Int64", "low": float, "high": float})


def commands() -> pd.DataFrame:
    rows = [
        (WAVE, "main", "all", model, exposure, f"{exposure}_category", levels[-1], "rr", "rr(y ~ x)", "poisson y x")
        for exposure, levels in LEVELS.items()
        for model in ("age", "adjusted")
    ]
    return pd.DataFrame(rows, columns=list(COMMAND_COLUMNS))


def full_characteristics() -> pd.DataFrame:
    frame = characteristics()
    people = frame[frame["variable"] == "people"]
    added = [
        people.assign(variable="bmi", n=None, mean=26.9, sd=4.2),
        people.assign(variable="work_type", level="none"),
    ]
    years = people.assign(variable="follow_up_years", n=None, mean=4.2, sd=0.7)
    return pd.concat([frame, years, *added], ignore_index=True).astype({"n": "Int64"})


def full_wave_report(**changes: Any) -> WaveReport:
    """A wave's report with every analysis in it."""
    report = wave_report(
        results=full_results(), histogram=histogram(), commands=commands(), characteristics=full_characteristics(),
        declared=declared_estimates(full_results(), WAVE, PROTOCOL),
    )  # fmt: skip
    return replace(report, **changes)


def full_index_report(**changes: Any) -> IndexReport:
    """The index with results across waves and the claims of an earlier release."""
    report = index_report(results=pd.concat([full_results(), pooled_results()], ignore_index=True))
    earlier = {"2025-004": [{**each, "verdict": "unclear"} for each in report.claims]}
    steps = [
        {
            "wave": WAVE, "model": "adjusted", "exposure": "walking_minutes", "level": ">=125", "before": 0.781,
            "now": 0.762, "change": -0.025, "std_error": 0.01, "flagged": True, "note": "",
            "steps": [
                {"step": "corrected_rows", "people": 12, "change": -0.005, "std_error": 0.001, "note": ""},
                {"step": "new_people", "people": 320, "change": -0.02, "std_error": 0.009, "note": ""},
            ],
        }
    ]  # fmt: skip
    registration = [
        {
            "wave": WAVE, "registered": "2020-05-04", "late": False, "changed": ["models"], "files": ["claims.toml"],
            "declared": True,
            "amendments": [{"registered": "2022-01-30", "late": True, "changed": ["estimates"], "files": []}],
        }
    ]  # fmt: skip
    return replace(report, **{"earlier_claims": earlier, "steps": steps, "registration": registration, **changes})
