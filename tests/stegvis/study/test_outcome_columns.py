"""Each kind of question makes one outcome: yes, no, or not known."""

from __future__ import annotations

import duckdb
import pytest

from stegvis.study.codebook import Codebook
from stegvis.study.covariates import with_follow_up_columns
from stegvis.study.outcome_columns import number, with_answers
from stegvis.study.outcomes import Outcome
from tests.study import CODEBOOK

NAMED = {"label": "Outcome", "label_nb": "Utfall"}
SCREEN = Outcome(**NAMED, kind="screen", source="screen", box="box", primary=True)
QUESTION = Outcome(**NAMED, kind="question", source="often", levels=("often", "isn't rare"), primary=True)
SCORE = Outcome(**NAMED, kind="score", source="score", at_least=10, primary=True)
TICK = Outcome(**NAMED, kind="tick", source="box", primary=True)
ANSWERS = "select * from (values {}) t(wave, person, screen, box, often, score)"


def of(outcome: Outcome, **others: Outcome) -> Codebook:
    return CODEBOOK.model_copy(update={"outcomes": {"main": outcome, **others}})


@pytest.mark.parametrize(
    ("outcome", "row", "expected"),
    [
        (SCREEN, "'yes', true, null, null", 1),
        (SCREEN, "'yes', false, null, null", 0),
        (SCREEN, "null, true, null, null", None),
        (QUESTION, "null, null, 'isn''t rare', null", 1),
        (QUESTION, "null, null, 'never', null", 0),
        (QUESTION, "null, null, null, null", None),
        (SCORE, "null, null, null, 10", 1),
        (SCORE, "null, null, null, 9.5", 0),
        (SCORE, "null, null, null, null::double", None),
        (TICK, "null, true, null, null", 1),
        (TICK, "null, false, null, null", 0),
    ],
)
def test_an_answer_is_yes_no_or_not_known(outcome: Outcome, row: str, expected: int | None) -> None:
    with duckdb.connect() as connection:
        given = ANSWERS.format(f"('A', 'p', {row})")
        connection.execute(f"create table followup_questionnaire as {given}")
        select = "select wave, person, outcome_screen, outcome_box from outcome_answers"
        made = with_follow_up_columns(select, of(outcome, other=outcome.model_copy(update={"primary": False})))
        ((_, _, screen, box, other),) = connection.execute(made).fetchall()
    assert other == expected
    assert screen == (None if expected is None else "yes" if outcome.kind == "screen" or expected else "no")
    assert expected is None or bool(box) == bool(expected)


def test_other_outcomes_belong_to_the_wave_they_were_asked_in() -> None:
    with duckdb.connect() as connection:
        rows = "('A', 'p', 'yes', true, null, null), ('B', 'p', 'yes', false, null, null)"
        connection.execute(f"create table followup_questionnaire as {ANSWERS.format(rows)}")
        select = "select wave, person from outcome_answers where wave = 'B'"
        made = with_follow_up_columns(select, of(TICK, other=SCREEN.model_copy(update={"primary": False})))
        assert connection.execute(made).fetchall() == [("B", "p", 0)]


def test_severity_is_asked_at_follow_up_only() -> None:
    limited = SCREEN.model_copy(update={"limited": "often"})
    assert "outcome_limited_asked" in with_answers("select 1", "followup_questionnaire", of(limited))
    assert 'source."often" as outcome_limited' not in with_answers("select 1", "baseline_questionnaire", of(limited))
    assert number(TICK).startswith("case when")
