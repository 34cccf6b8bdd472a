"""Rare levels of covariates are joined with their neighbor, and constant covariates left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stegvis.statistics.contract import Design, NotEstimable, prepare
from stegvis.statistics.rare_levels import joined_levels
from stegvis.statistics.terms import Categorical, Linear, Term
from tests.study import PROTOCOL

MODELS = PROTOCOL.models
EXPOSURE = Categorical("exposure", (1, 2), required=True)
SCHOOL = Categorical("school", ("primary", "upper secondary", "university"), covariate=True)
AGE = Linear("age", covariate=True)


def people(n: int = 400) -> pd.DataFrame:
    random = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "exposure": random.integers(1, 3, n),
            "school": random.choice(SCHOOL.levels, n),
            "age": random.uniform(20, 80, n),
            "low_back_pain": (random.random(n) < 0.3).astype("int64"),
        }
    )


def few(frame: pd.DataFrame, level: str, kept: int = 3) -> pd.DataFrame:
    """All but the first few of a level are in another one."""
    others = frame.index[frame["school"] == level][kept:]
    return frame.assign(school=frame["school"].mask(frame.index.isin(others), "university"))


def design(frame: pd.DataFrame, *covariates: Term) -> Design:
    made = prepare(frame, [EXPOSURE, *covariates], MODELS)
    assert isinstance(made, Design), made
    return made


def test_levels_with_enough_events_stay() -> None:
    made = design(people(), SCHOOL, AGE)
    assert list(made.X)[2:] == ["school[upper secondary]", "school[university]", "age"]
    assert made.simplified == ()


@pytest.mark.parametrize(
    ("level", "column", "joined"),
    [
        ("primary", "school[university]", "primary and upper secondary"),
        ("upper secondary", "school[university]", "primary and upper secondary"),
    ],
)
def test_a_rare_level_joins_its_neighbor(level: str, column: str, joined: str) -> None:
    made = design(few(people(), level), SCHOOL)
    assert list(made.X)[2:] == [column]
    assert made.simplified == (f"levels of school with too few events taken together: {joined}",)


def test_the_design_is_that_of_levels_joined_by_hand() -> None:
    frame = few(people(), "upper secondary")
    by_hand = frame.assign(school=frame["school"].replace("upper secondary", "primary"))
    np.testing.assert_array_equal(design(frame, SCHOOL).X, design(by_hand, SCHOOL).X)


def test_a_covariate_with_one_level_left_is_left_out() -> None:
    frame = few(few(people(), "primary"), "upper secondary")
    made = design(frame, SCHOOL)
    assert list(made.X) == ["intercept", "exposure[2]"]
    assert made.simplified == ("school has too few events and is left out",)


@pytest.mark.parametrize("covariate", [SCHOOL, AGE])
def test_a_constant_covariate_is_left_out(covariate: Term) -> None:
    made = design(people().assign(school="primary", age=50.0), covariate)
    assert list(made.X) == ["intercept", "exposure[2]"]
    assert made.simplified == (f"{covariate.column} is the same for everybody and is left out",)


@pytest.mark.parametrize("term", [Linear("age"), Categorical("school", SCHOOL.levels)])
def test_what_is_no_covariate_is_refused_as_before(term: Term) -> None:
    frame = few(people(), "primary").assign(age=50.0)
    assert isinstance(prepare(frame, [EXPOSURE, term], MODELS), NotEstimable)


@given(counts=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=7))
def test_every_group_has_enough_or_all_are_one(counts: list[tuple[int, int]]) -> None:
    y = np.concatenate([np.repeat([1.0, 0.0], pair) for pair in counts])
    level = np.repeat(np.arange(len(counts)), [sum(pair) for pair in counts])
    having = {place: level == place for place in range(len(counts)) if sum(counts[place])}
    if not having:
        return
    groups = joined_levels(having, y, 5)
    # Neighbors only, in order, and everybody once.
    assert [each for group in groups for each in group] == list(having)
    assert (sum(map(np.asarray, groups.values())) == 1).all()
    if len(groups) > 1:
        assert all(min(y[who].sum(), (1 - y[who]).sum()) >= 5 for who in groups.values())
