"""Report inputs for the tests: small hand-written frames of the real form. No real person is in them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from stegvis.reporting.inputs import BRIDGE_KEYS, CHARACTERISTIC_COLUMNS, RESULT_COLUMNS, IndexReport, WaveReport
from stegvis.reporting.words import Words
from tests.study import PROTOCOL, STUDY

WORDS = Words(STUDY.texts, PROTOCOL)
WAVE = "2021-2023"
LEVELS = {
    "walking_minutes": ("<78", "78-100", "101-124", ">=125"),
    "walking_met": ("<3.00", "3.00-3.11", "3.12-3.26", ">=3.27"),
}
# Estimate, lower, upper limit, E-value, E-value of the limit by level after the reference.
ADJUSTED: dict[str, tuple[tuple[float, ...], ...]] = {
    "walking_minutes": (
        (0.874, 0.771, 0.984, 1.55, 1.14),
        (0.768, 0.681, 0.872, 1.93, 1.55),
        (0.762, 0.668, 0.869, 1.95, 1.57),
    ),
    "walking_met": (
        (0.853, 0.752, 0.961, 1.62, 1.25),
        (0.917, 0.809, 1.041, 1.41, 1.0),
        (1.143, 1.021, 1.279, 1.55, 1.17),
    ),
}
COUNTS = ((2801, 488), (2797, 424), (2799, 376), (2797, 371))


def exclusion_steps(wave: str = WAVE) -> pd.DataFrame:
    steps = [
        ("baseline", "everyone at baseline", None, 56042),
        ("no_accelerometer_day", "no accelerometer day", 24747, 31295),
        ("no_valid_walking_day", "no valid walking day", 395, 30900),
        ("baseline_screen_missing", "baseline pain question not answered", 6400, 24500),
        ("baseline_low_back_pain", "chronic low back pain at baseline", 5900, 18600),
        ("followup_screen_missing", "follow-up pain question not answered", 6200, 12400),
        ("covariate_missing", "at least one covariate missing", 1206, 11194),
    ]
    frame = pd.DataFrame(steps, columns=["rule", "description", "excluded", "remaining"])
    frame.insert(0, "step", range(len(steps)))
    frame.insert(0, "wave", wave)
    return frame.astype({"excluded": "Int64", "remaining": "Int64"})


def characteristics(wave: str = WAVE) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    categories = ("all", *LEVELS["walking_minutes"])
    people = (11194, *(n for n, _ in COUNTS))

    def add(category: str, variable: str, level: str | None = None, status: str = "ok", **numbers: float) -> None:
        row = {"wave": wave, "exposure": "walking_minutes", "category": category, "variable": variable}
        rows.append({**row, "level": level, "status": status, **numbers})

    for position, (category, n) in enumerate(zip(categories, people, strict=True)):
        add(category, "people", n=n)
        add(category, "age", mean=58.3 - position, sd=15.1)
        add(category, "walking_met", mean=3.05 + position / 20, sd=0.21)
        add(category, "sex", "female", n=round(n * 0.586), percent=58.6)
        add(category, "sex", "male", n=n - round(n * 0.586), percent=41.4)
        if category == ">=125":
            add(category, "smoking", "current", status="suppressed")
        else:
            add(category, "smoking", "current", n=round(n * 0.09), percent=9.0)
        add(category, "smoking", "never", n=round(n * 0.5), percent=50.0)
        cases = (1659, *(cases for _, cases in COUNTS))[position]
        add(category, "low_back_pain", "no", n=n - cases, percent=85.2)
        add(category, "low_back_pain", "yes", n=cases, percent=14.8)
    return pd.DataFrame(rows, columns=list(CHARACTERISTIC_COLUMNS)).astype({"n": "Int64"})


def result(**values: Any) -> dict[str, Any]:
    """One row of results; everything not given is missing."""
    return {**dict.fromkeys(RESULT_COLUMNS), "wave": WAVE, "population": "all", "status": "ok", "note": "", **values}


def results(wave: str = WAVE) -> pd.DataFrame:
    rows = []
    for exposure, levels in LEVELS.items():
        for model in ("age", "adjusted"):
            shared = {"wave": wave, "exposure": exposure, "model": model, "reference": levels[0]}
            for level, (n, events), numbers in zip(
                levels, COUNTS, ((1.0, 1.0, 1.0, None, None), *ADJUSTED[exposure]), strict=True
            ):
                shift = 0.97 if model == "age" and level != levels[0] else 1.0
                estimate, low, high, e_value, e_value_ci = numbers
                rows.append(
                    result(
                        **shared,
                        analysis="main",
                        measure="rr",
                        term=f"{exposure}_category",
                        level=level,
                        n=n,
                        events=events,
                        estimate=estimate * shift,
                        ci_low=low * shift,
                        ci_high=high * shift,
                        p_value=None
                        if e_value is None
                        else 0.0004
                        if high < 0.9
                        else 0.03
                        if high < 1 or low > 1
                        else 0.2,
                        e_value=e_value,
                        e_value_ci=e_value_ci,
                    )
                )
            rows.append(result(**shared, analysis="main", measure="p_joint", p_value=0.0021))
            trend = {"analysis": "trend", "measure": "rr", "estimate": 0.93, "ci_low": 0.9, "ci_high": 0.96}
            unit = {"walking_minutes": "per 20 min/day", "walking_met": "per 0.1 MET"}[exposure]
            for term, level in {"median": unit, "ordinal": "per category"}.items():
                rows.append(result(**shared, **trend, term=f"{exposure}_{term}", level=level, p_value=0.00001))
    return pd.DataFrame(rows, columns=list(RESULT_COLUMNS))


def suppress(frame: pd.DataFrame, level: str, keep_numbers: bool = False) -> pd.DataFrame:
    """The results with one level suppressed; its numbers are removed, or kept to test that no page prints them."""
    hidden = frame["level"] == level
    changed = frame.copy()
    changed.loc[hidden, "status"] = "suppressed"
    if not keep_numbers:
        numbers = ["n", "events", "estimate", "ci_low", "ci_high", "p_value", "e_value", "e_value_ci"]
        changed.loc[hidden, numbers] = None
    return changed


def checks() -> list[dict[str, Any]]:
    def check(name: str, passed: bool, severity: str, failing: int, rule: str, meaning: str) -> dict[str, Any]:
        where = {"asset": "daily_exposures", "partition": "batch-1"}
        said = {"severity": severity, "failing": failing, "rule": rule, "meaning": meaning}
        return {**where, "check": name, "passed": passed, **said}

    return [
        check("person_filled", True, "critical", 0, "person is filled", "Every row names a person"),
        check("day_is_whole", False, "warning", 1312, "the parts of a day sum to 86,400 s", "A day has 24 hours"),
        check("speeds_add_up", False, "critical", 3, "slow + moderate + brisk = walking, within 5 s", "Speeds add up"),
    ]


def claims() -> list[dict[str, str]]:
    return [
        {
            "claim": "volume_highest",
            "source": "paper",
            "statement": "Risk is lower in the highest category of walking volume than in the lowest.",
            "verdict": "supported",
            "evidence": "Risk ratio 0.76, 95% CI 0.67 to 0.87",
            "turn": "the upper limit (0.87) rose to 1, by 15%",
        },
        {
            "claim": "intensity_highest",
            "source": "lay summary",
            "statement": "Risk is lower in the highest category of walking intensity than in the lowest.",
            "verdict": "not supported",
            "evidence": "Risk ratio 1.14, 95% CI 1.02 to 1.28",
            "turn": "the lower limit (1.02) fell to 1, by 2%",
        },
    ]


def bridge() -> list[dict[str, Any]]:
    values = (
        *(WAVE, "main", "adjusted", "walking_minutes", ">=125", "rr", "changed"),
        *(0.781, 0.69, 0.884, 2750, 0.762, 0.668, 0.869, 2797),
    )
    return [dict(zip(BRIDGE_KEYS, values, strict=True))]


def provenance() -> dict[str, Any]:
    return {
        "release": "2026-001",
        "created": "2026-03-02 10:15 UTC",
        "protocol_hash": "9f2c" * 16,
        "code_hash": "03ab" * 16,
        "mode": "as_published",
        "packages": {"statsmodels": "0.15.0", "duckdb": "2.0.0"},
        "previous_release": "2025-004",
        "published": [{"wave": WAVE, "release": "2025-004", "deliveries": "ab" * 32}],
    }


def wave_report(**changes: Any) -> WaveReport:
    report = WaveReport(
        wave=WAVE,
        synthetic=True,
        exclusion_steps=exclusion_steps(),
        characteristics=characteristics(),
        results=results(),
        checks=checks(),
        claims=claims(),
        provenance=provenance(),
        protocol=PROTOCOL,
        about=STUDY.about,
        texts=STUDY.texts,
        published=STUDY.published.numbers,
    )
    return replace(report, **changes)


def index_report(**changes: Any) -> IndexReport:
    report = IndexReport(
        waves=(WAVE,),
        synthetic=True,
        provenance=provenance(),
        results=results(),
        protocol=PROTOCOL,
        about=STUDY.about,
        texts=STUDY.texts,
        claims=[{"wave": WAVE, **each} for each in claims()],
        checks=checks(),
        excluded_waves=({"wave": "2024-2025", "reason": "Too few responses come from participants of the cohort."},),
        bridge=bridge(),
        differences=[],
    )
    return replace(report, **changes)
