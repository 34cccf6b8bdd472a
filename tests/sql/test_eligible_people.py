"""eligible_people.sql: exposed and free of the outcome at baseline, with what is known of them."""

from __future__ import annotations

from tests.sql.tables import WAVE, Drawn, answer, drawn

COHORT = """
    person | sex    | age | older | education | income | employment | smoking | depression | pain_screen | bmi | low_back_pain
    P1     | female | 50  | false | primary   | low    | employed   | never   | no         | no          | 25  | no
    P2     | male   | 70  | true  | primary   | low    | employed   | former  | no         | no          | -   | no
    P3     | male   | 60  | false | primary   | low    | employed   | never   | no         | no          | -   | no
    P4     | male   | 60  | false | -         | low    | employed   | never   | no         | no          | -   | no
    P5     | male   | 60  | false | primary   | low    | employed   | never   | no         | yes         | -   | yes
    """
EXPOSURES = """
    person | recorded_days | valid_days | walking_minutes | walking_met | running_cycling_minutes_strict
    P1     | 6             | 5          | 100             | 3.1         | 4
    P2     | 7             | 7          | 80              | 3.0         | -
    P3     | 7             | 7          | 90              | 3.2         | 0
    P4     | 7             | 7          | 90              | 3.2         | 0
    P5     | 7             | 7          | 90              | 3.2         | 0
    """
OUTCOME = f"""
    wave    | person | low_back_pain | severe_low_back_pain_as_published | severe_low_back_pain_strict | follow_up_years
    {WAVE}  | P1     | 1             | 0                                 | -                           | 4.2
    another | P1     | 0             | 0                                 | 0                           | 6.2
    {WAVE}  | P2     | 0             | 0                                 | 0                           | 4.1
    another | P3     | 0             | 0                                 | 0                           | 4.1
    {WAVE}  | P4     | 0             | 0                                 | 0                           | 4.1
    {WAVE}  | P5     | 1             | 1                                 | 1                           | 4.1
    """
EXCLUSIONS = f"""
    wave    | person | reason
    {WAVE}  | P1     | -
    {WAVE}  | P2     | -
    {WAVE}  | P3     | followup_screen_missing
    {WAVE}  | P4     | covariate_missing
    {WAVE}  | P5     | baseline_low_back_pain
    another | P3     | -
    """
NOBODY = "person | date | event"
TABLES = {
    "cohort": COHORT,
    "walking_exposures": EXPOSURES,
    "outcome_questionnaire": OUTCOME,
    "exclusions": EXCLUSIONS,
    "vital_status": NOBODY,
}


def test_everyone_exposed_and_free_of_pain_at_baseline_is_eligible_answered_or_not() -> None:
    expected = f"""
        wave   | person | reason                  | answered | low_back_pain
        {WAVE} | P1     | -                       | true     | 1
        {WAVE} | P2     | -                       | true     | 0
        {WAVE} | P3     | followup_screen_missing | false    | -
        {WAVE} | P4     | covariate_missing       | true     | 0
        """
    assert answer("eligible_people", expected, **TABLES) == drawn(expected)


def test_each_brings_exposures_covariates_and_the_outcome_of_this_wave() -> None:
    expected = """
        person | sex    | age | smoking | bmi | baseline_pain_screen | valid_days | walking_minutes | walking_met | running_cycling_minutes_strict | low_back_pain | severe_low_back_pain_as_published | severe_low_back_pain_strict | follow_up_years
        P1     | female | 50  | never   | 25  | no                   | 5          | 100             | 3.1         | 4                       | 1             | 0                                 | -                           | 4.2
        P2     | male   | 70  | former  | -   | no                   | 7          | 80              | 3.0         | -                       | 0             | 0                                 | 0                           | 4.1
        P3     | male   | 60  | never   | -   | no                   | 7          | 90              | 3.2         | 0                       | -             | -                                 | -                           | -
        P4     | male   | 60  | never   | -   | no                   | 7          | 90              | 3.2         | 0                       | 0             | 0                                 | 0                           | 4.1
        """
    assert answer("eligible_people", expected, **TABLES) == drawn(expected)


def test_each_brings_how_the_day_is_spent() -> None:
    parts = ["lying", "sitting", "standing", "walking", "running", "cycling"]
    names = ["whole_days", *(f"whole_day_{part}_minutes" for part in parts)]
    numbers = ["6", "480", "600", "240", "100", "5", "15"]
    exposures = "\n".join([" | ".join(["person", *names]), " | ".join(["P1", *numbers])])
    expected = exposures
    assert answer("eligible_people", expected, **TABLES | {"walking_exposures": exposures}) == drawn(expected)


# --- who is silent, dead or abroad ------------------------------------------------------------------------------------

FOLLOWED = """
    person | baseline_date | low_back_pain
    P1     | 2018-01-01    | no
    P2     | 2018-01-01    | no
    P3     | 2018-01-01    | no
    P4     | 2018-01-01    | no
    P5     | 2018-01-01    | no
    P6     | 2018-01-01    | no
    """
SILENT = f"""
    wave   | person | reason
    {WAVE} | P1     | -
    {WAVE} | P2     | followup_screen_missing
    {WAVE} | P3     | followup_screen_missing
    {WAVE} | P4     | followup_screen_missing
    {WAVE} | P5     | followup_screen_missing
    {WAVE} | P6     | followup_screen_missing
    """
EVERYONE = "person | valid_days\n" + "\n".join(f"P{number} | 5" for number in range(1, 7))
REGISTRY = """
    person | date       | event
    P1     | 2022-05-01 | died
    P3     | 2021-01-01 | died
    P4     | 2022-04-02 | emigrated
    P5     | 2022-04-03 | died
    """


def _of_registry(expected: str, last_answer: str, registry: str = REGISTRY) -> Drawn:
    outcome = f"""
        wave   | person | low_back_pain | answer_date
        {WAVE} | P1     | 1             | 2021-05-01
        {WAVE} | P9     | 0             | {last_answer}
        """
    tables = {"cohort": FOLLOWED, "walking_exposures": EVERYONE, "outcome_questionnaire": outcome}
    return answer("eligible_people", expected, **tables, exclusions=SILENT, vital_status=registry)


def test_who_died_or_emigrated_by_the_last_response_is_not_silent() -> None:
    expected = """
        person | state     | vital_status_known | vital_event
        P1     | answered  | true               | -
        P2     | silent    | true               | -
        P3     | dead      | true               | died
        P4     | emigrated | true               | emigrated
        P5     | silent    | true               | -
        P6     | silent    | true               | -
        """
    assert _of_registry(expected, "2022-04-02") == drawn(expected)


def test_the_wave_ends_with_its_years_whatever_the_last_response() -> None:
    late = REGISTRY.rstrip() + "\n    P6     | 2024-01-01 | died"
    expected = """
        person | state     | vital_event
        P1     | answered  | died
        P2     | silent    | -
        P3     | dead      | died
        P4     | emigrated | emigrated
        P5     | dead      | died
        P6     | silent    | -
        """
    assert _of_registry(expected, "2029-04-02", late) == drawn(expected)


def test_a_response_dated_after_the_recorded_death_is_marked() -> None:
    before = REGISTRY.replace("2022-05-01 | died", "2021-04-30 | died")
    expected = """
        person | state    | responded_after_death
        P1     | answered | true
        P2     | silent   | false
        P3     | dead     | false
        """
    found = _of_registry(expected, "2022-04-02", before)
    assert found[:3] == drawn(expected)
    on_that_day = REGISTRY.replace("2022-05-01 | died", "2021-05-01 | died")
    assert not any("true" in row for row in _of_registry("responded_after_death", "2022-04-02", on_that_day))


def test_years_run_from_the_baseline_to_the_event_or_to_the_end() -> None:
    query = "(vital_years * 365.25)::integer"
    expected = f"""
        person | {query}
        P1     | 1552
        P2     | 1552
        P3     | 1096
        P4     | 1552
        P5     | 1552
        P6     | 1552
        """
    assert _of_registry(expected, "2022-04-02") == drawn(expected)


def test_without_a_registry_nothing_is_known_of_the_silent() -> None:
    expected = """
        person | state    | vital_status_known | vital_event | vital_years
        P1     | answered | false              | -           | -
        P2     | -        | false              | -           | -
        P3     | -        | false              | -           | -
        P4     | -        | false              | -           | -
        P5     | -        | false              | -           | -
        P6     | -        | false              | -           | -
        """
    assert _of_registry(expected, "2022-04-02", NOBODY) == drawn(expected)
