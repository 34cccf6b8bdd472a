"""The protocol and the codebook, and frames for tests: reference rows, and simulated analysis sets."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.categories import add_categories
from stegvis.statistics.levels import covariate_levels
from stegvis.study.codebook import participant_levels
from stegvis.study.protocol import Protocol
from stegvis.study.protocol_estimates import DeclaredEstimate, Estimates
from tests.study import CODEBOOK, PROTOCOL

ORACLE = Path(__file__).parent / "statistics" / "oracle"
LEVELS = covariate_levels(CODEBOOK)
TABLE_ONE_LEVELS = participant_levels(CODEBOOK)


@pytest.fixture(scope="session")
def expected() -> Callable[[str], dict]:
    """Reference answers, computed with R 4.2.2 (sandwich 3.0.2, survey 4.1.1); everybody in them is simulated."""
    return lambda name: json.loads((ORACLE / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture
def cohort() -> pd.DataFrame:
    """4000 simulated people: the rows the reference answers were computed from."""
    return pd.read_csv(ORACLE / "cohort.csv")


@pytest.fixture
def breast_cancer() -> pd.DataFrame:
    """Newman's 192 women, as printed in Greenland 2004 and Spiegelman and Hertzmark 2005."""
    return pd.read_csv(ORACLE / "breastcancer.csv")


@pytest.fixture
def make_analysis_set() -> Callable[..., pd.DataFrame]:
    return analysis_set_of


def analysis_set_of(people: int = 1500, seed: int = 1, wave: str = "2021-2023", of: Protocol | None = None):
    """An analysis set of simulated people whose risk falls with walking."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "person": [f"p{number:05d}" for number in range(people)],
            "wave": wave,
            "age": random.normal(55, 12, people).round(1),
            **{name: random.choice(levels, people) for name, levels in LEVELS.items()},
            "walking_minutes": random.gamma(8.6, 12, people),
            "walking_met": 2.8 + random.normal(0.56, 0.18, people) ** 2,
            "valid_days": random.integers(3, 8, people),
        }
    )
    risk = 0.25 * np.exp(-0.004 * (frame["walking_minutes"] - 100))
    frame["low_back_pain"] = (random.random(people) < risk).astype("int64")
    frame = frame.assign(**full_days_of(people, random, frame["walking_minutes"]))
    return add_categories(frame.assign(**sensitivity_columns_of(frame)), of or PROTOCOL)


def sensitivity_columns_of(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """Columns of the sensitivity analyses: some values missing, a third of the pain severe."""
    random = np.random.default_rng(len(frame))

    def drawn(levels: tuple[str, ...], missing: float = 0.05) -> pd.Series:
        values = pd.Series(random.choice(levels, len(frame)), frame.index, "str")
        return values.mask(random.random(len(frame)) < missing)

    pain = frame["low_back_pain"]
    severe = pain.where(random.random(len(frame)) < 0.33, 0)
    running = pd.Series(random.exponential(6, len(frame)), frame.index)
    return {
        "older": frame["age"] >= 65,
        "bmi": pd.Series(random.normal(27, 4, len(frame)), frame.index).mask(random.random(len(frame)) < 0.03),
        "running_cycling_minutes_as_published": running,
        "running_cycling_minutes_strict": running + random.exponential(1, len(frame)),
        "baseline_pain_screen": drawn(("no", "yes"), 0),
        "pain_last_4_weeks": drawn(("no", "very mild", "mild", "moderate", "strong", "very strong")),
        "self_rated_health": drawn(("poor", "not so good", "good", "very good")),
        "other_disease": drawn(("no", "yes")),
        "low_back_pain_as_published": pain.astype("Int64"),
        "low_back_pain_strict": pain.where(random.random(len(frame)) >= 0.03, 0).astype("Int64"),
        "severe_low_back_pain_as_published": severe.astype("Int64"),
        "severe_low_back_pain_strict": severe.where((pain == 0) | (severe == 1)).astype("Int64"),
    }


def full_days_of(people: int, random: np.random.Generator, walking: pd.Series) -> dict[str, object]:
    """Simulated time use in 24-hour days; a third never run or cycle, a few have no 24-hour day."""
    active = np.where(random.random(people) < 0.33, 0.0, random.lognormal(1.5, 1.0, people))
    shares = random.dirichlet([30, 33, 15], people)
    rest = 1440 - walking - active
    minutes = {name: shares[:, column] * rest for column, name in enumerate(("lying", "sitting", "standing"))}
    minutes |= {"walking": walking, "running": active * 0.2, "cycling": active * 0.8}
    days = random.integers(0, 7, people)
    return {"whole_days": days} | {f"whole_day_{n}_minutes": pd.Series(m).where(days > 0) for n, m in minutes.items()}


@pytest.fixture
def analysis_set() -> pd.DataFrame:
    return analysis_set_of()


def wave_data_of(people: pd.DataFrame, used: Protocol | None = None, **frames: pd.DataFrame) -> WaveData:
    """A wave of these people; by default everyone eligible responded, and no days are known."""
    people = people.sort_values("person", kind="stable", ignore_index=True)
    eligible = people.assign(answered=True)
    days = pd.DataFrame(
        {
            "person": pd.Series(dtype="str"),
            "day": pd.Series(dtype="int64"),
            "weekend": pd.Series(dtype="boolean"),
            "walking_minutes": pd.Series(dtype="float64"),
            "walking_met": pd.Series(dtype="float64"),
        }
    )
    given = {"eligible": eligible, "days": days} | frames
    given = {"cohort": cohort_of(given["eligible"], used or PROTOCOL)} | given
    return WaveData(people=people, protocol=used or PROTOCOL, levels=LEVELS, **given)


def cohort_of(eligible: pd.DataFrame, used: Protocol = PROTOCOL) -> pd.DataFrame:
    """A cohort in which everyone was eligible."""
    names = dict.fromkeys([*used.models.adjusted, *used.exclusions.complete_case, *used.exposures.names])
    steps = {"baseline_answered": True, "had_outcome": False, "recorded": True}
    return eligible[["person", *names, "answered"]].assign(**steps)


def selected_wave_of(
    members: int = 6000,
    seed: int = 1,
    used: Protocol | None = None,
    made: pd.DataFrame | None = None,
    strength: float = 0.5,
) -> WaveData:
    """A wave of a simulated cohort whose members fall out at every step, the younger and less educated more often.

    Args:
        members: of the cohort.
        seed: of the draws.
        used: the protocol, if not the usual one.
        made: the members with their outcomes, if not those of ``analysis_set_of``.
        strength: of selection by age, on the logit scale.
    """
    random = np.random.default_rng([seed, members])
    if made is None:
        made = analysis_set_of(members, seed=seed, of=used)
    cohort = made[[name for name in made if not str(name).endswith(("_category", "_level"))]].copy()
    slope = strength * np.tanh((cohort["age"] - 55) / 20) - 0.3 * (cohort["education"] == LEVELS["education"][0])

    def passing(share: float) -> pd.Series:
        return random.random(members) < 1 / (1 + np.exp(-(np.log(share / (1 - share)) + slope)))

    for name in LEVELS:
        cohort[name] = cohort[name].where(random.random(members) >= 0.015)
    cohort["baseline_answered"], cohort["recorded"] = passing(0.85), passing(0.6)
    had = pd.Series(random.random(members) < 0.2, dtype="boolean")
    cohort["had_outcome"] = had.where(cohort["baseline_answered"])
    exposures = ["walking_minutes", "walking_met"]
    cohort[exposures] = cohort[exposures].where(cohort["recorded"])
    cohort["answered"] = passing(0.7)
    free = cohort["recorded"] & cohort["baseline_answered"] & ~cohort["had_outcome"].fillna(True).astype(bool)
    eligible = cohort[free].copy()
    eligible["low_back_pain"] = eligible["low_back_pain"].astype("float64").where(eligible["answered"])
    analyzed = eligible[eligible["answered"] & eligible[list(LEVELS)].notna().all(axis=1)]
    analyzed = analyzed.drop(columns="answered").astype({"low_back_pain": "int64"}).reset_index(drop=True)
    protocol = used or PROTOCOL
    whole = cohort_of(cohort, protocol).assign(
        **{name: cohort[name] for name in ("baseline_answered", "had_outcome", "recorded")}
    )
    return wave_data_of(
        add_categories(analyzed, protocol), used, eligible=eligible.reset_index(drop=True), cohort=whole
    )


@pytest.fixture
def make_wave_data() -> Callable[..., WaveData]:
    return wave_data_of


@pytest.fixture
def oracle_rows() -> Callable[[str], pd.DataFrame]:
    """Rows reference answers were computed from, by the name of their file; everybody in them is simulated."""
    return lambda name: pd.read_csv(ORACLE / f"{name}.csv")


def lossy_wave_of(
    people: int = 2500,
    *,
    lost: float = 0.4,
    missing: float = 0.02,
    days: bool = True,
    dated: bool = True,
    seed: int = 1,
    used: Protocol | None = None,
) -> WaveData:
    """A simulated wave with loss to follow-up (more among the younger) and missing covariates.

    Loss does not depend on walking; days vary around the person's mean.
    """
    random = np.random.default_rng([seed, people])
    made = analysis_set_of(people, seed=seed, of=used)
    eligible = made[[name for name in made if not str(name).endswith(("_category", "_level"))]].copy()
    for name in LEVELS:
        eligible[name] = eligible[name].where(random.random(people) >= missing)
    chance = np.clip(1 - lost + 0.2 * np.tanh((eligible["age"] - 55) / 20) * (0 < lost < 1), 0, 1)
    eligible["answered"] = random.random(people) < chance
    eligible["low_back_pain"] = eligible["low_back_pain"].astype("float64").where(eligible["answered"])
    complete = eligible[eligible["answered"] & eligible[list(LEVELS)].notna().all(axis=1)]
    analyzed = complete.drop(columns="answered").astype({"low_back_pain": "int64"}).reset_index(drop=True)
    analyzed = add_categories(analyzed, used or PROTOCOL)
    at = np.repeat(np.arange(len(analyzed)), analyzed["valid_days"] if days else 0)
    weekend = pd.Series(random.random(len(at)) < 2 / 7, dtype="boolean")
    day_table = pd.DataFrame(
        {
            "person": analyzed["person"].to_numpy()[at],
            "day": pd.Series(at).groupby(at).cumcount() + 1,
            "weekend": weekend if dated else weekend.where(weekend.isna()),
            "walking_minutes": analyzed["walking_minutes"].to_numpy()[at] + random.normal(0, 40, len(at)),
            "walking_met": analyzed["walking_met"].to_numpy()[at] + random.normal(0, 0.2, len(at)),
        }
    )
    return wave_data_of(analyzed, used, eligible=eligible, days=day_table)


def with_registry(data: WaveData, died: float = 0.25, emigrated: float = 0.1) -> WaveData:
    """The wave after a register: some of the silent have died or emigrated, those who walk little more often."""
    random = np.random.default_rng(4)
    eligible = data.eligible.copy()
    chance = random.random(len(eligible)) * np.where(eligible["walking_minutes"] < 100, 0.7, 1.3)
    event = np.where(chance < died, "died", np.where(chance < died + emigrated, "emigrated", None))
    event = pd.Series(event, eligible.index, dtype="str").where(~eligible["answered"].astype(bool))
    state = event.map({"died": "dead", "emigrated": "emigrated"}).fillna("silent")
    years = random.uniform(4, 5.5, len(eligible))
    return replace(
        data,
        eligible=eligible.assign(
            state=state.where(~eligible["answered"].astype(bool), "answered"),
            vital_status_known=True,
            vital_event=event,
            vital_years=np.where(event.isna(), years, random.uniform(0.1, 4, len(eligible))),
        ),
    )


@pytest.fixture
def make_lossy_wave() -> Callable[..., WaveData]:
    return lossy_wave_of


@pytest.fixture(scope="session")
def lossy_wave() -> WaveData:
    return lossy_wave_of()


def protocol_of(
    volume: int, intensity: int | None, rule: str = "sample_quantiles", of: Protocol = PROTOCOL
) -> Protocol:
    """A protocol with so many categories of volume and of intensity; None: a study of volume alone.

    Args:
        volume: 2 to 6.
        intensity: 2 to 6, or None.
        rule: ``sample_quantiles`` without published bounds, or ``fixed_published``.
        of: the protocol to change.
    """
    fixed = rule == "fixed_published"
    bounds = {"walking_minutes": (70, 85, 100, 115, 130), "walking_met": (2.95, 3.05, 3.1, 3.2, 3.3)}
    numbers = {"walking_minutes": volume, "walking_met": intensity}
    scales = {
        name: None
        if number is None
        else of.exposures.scale(name).model_copy(
            update={"groups": number, "published_lower_bounds": bounds[name][: number - 1] if fixed else ()}
        )
        for name, number in numbers.items()
    }
    absent = {} if intensity else dict.fromkeys(("met_slow", "met_moderate", "met_brisk"))
    update = {"exposures": of.exposures.model_copy(update={"categories": rule} | scales | absent)}
    update["estimates"] = Estimates(primary=DeclaredEstimate(exposure="walking_minutes", category=volume))
    if intensity is None:
        update |= {name: getattr(of, name).model_copy(update={"walking_met": None}) for name in ("spline", "histogram")}
    return of.model_copy(update=update)
