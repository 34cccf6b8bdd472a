"""pain_histories.sql: everyone with an exposure who responded to a wave, with their pain at the two times before it."""

from __future__ import annotations

from stegvis.sql import sql_text
from tests.sql.tables import _spelled, database, drawn

COHORT = """
    person | sex    | age | education | income | employment | smoking | depression | low_back_pain
    P1     | female | 50  | primary   | low    | employed   | never   | no         | no
    P2     | male   | 60  | primary   | low    | employed   | never   | no         | yes
    P3     | male   | 70  | primary   | low    | employed   | never   | no         | -
    P4     | male   | 40  | primary   | low    | employed   | never   | no         | no
    """
EXPOSURES = """
    person | valid_days | walking_minutes | walking_met
    P1     | 6          | 100             | 3.1
    P2     | 6          | 80              | 3.0
    P3     | 6          | 90              | 3.2
    P4     | 0          | -               | -
    """
ANSWERS = """
    wave      | person | low_back_pain
    2021-2023 | P1     | 1
    2021-2023 | P2     | 0
    2021-2023 | P3     | 1
    2021-2023 | P4     | 1
    2024-2026 | P1     | 0
    2024-2026 | P2     | -
    2027-2029 | P1     | 1
    2027-2029 | P2     | 1
    2027-2029 | P9     | 1
    """


def test_the_wave_before_is_the_one_delivered_before_and_the_baseline_for_the_first() -> None:
    expected = """
        wave      | person | low_back_pain | previous_low_back_pain | earlier_low_back_pain
        2021-2023 | P1     | 1             | 0                      | -
        2021-2023 | P2     | 0             | 1                      | -
        2021-2023 | P3     | 1             | -                      | -
        2024-2026 | P1     | 0             | 1                      | 0
        2027-2029 | P1     | 1             | 0                      | 1
        2027-2029 | P2     | 1             | -                      | 0
        """
    assert answered("wave, person, low_back_pain, previous_low_back_pain, earlier_low_back_pain") == drawn(expected)


def test_each_answer_brings_exposures_and_covariates() -> None:
    expected = """
        person | walking_minutes | walking_met | sex    | age
        P1     | 100             | 3.1         | female | 50
        P1     | 100             | 3.1         | female | 50
        P1     | 100             | 3.1         | female | 50
        P2     | 80              | 3.0         | male   | 60
        P2     | 80              | 3.0         | male   | 60
        P3     | 90              | 3.2         | male   | 70
        """
    assert answered("person, walking_minutes, walking_met, sex, age") == drawn(expected)


def answered(columns: str) -> list[tuple[str, ...]]:
    tables = {"cohort": COHORT, "walking_exposures": EXPOSURES, "outcome_questionnaire": ANSWERS}
    with database("pain_histories", **tables) as connection:
        rows = connection.execute(f"select {columns} from ({sql_text('pain_histories')})").fetchall()
    return sorted(tuple(_spelled(cell) for cell in row) for row in rows)
