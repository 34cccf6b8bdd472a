"""One case per asset, in the order the data flows: see ``case.py``."""

from __future__ import annotations

from dataclasses import replace

from stegvis.expectations.fitted_models import DIAGNOSTICS
from tests.expectations.case import DELIVERY, NO_ROWS, Broken, Case, beside, quarantine
from tests.expectations.published_cases import (
    DISCLOSURE,
    GROUPS_PEOPLE,
    HISTOGRAM,
    PUBLISHED_ATTRITION,
    PUBLISHED_CHARACTERISTICS,
    PUBLISHED_HISTOGRAM,
    PUBLISHED_ORIGINS,
    PUBLISHED_RESULTS,
    RELEASE,
    RELEASED_PEOPLE,
)
from tests.study import PROTOCOL

UNIQUE = "participants are unique"

WITHDRAWALS = Case(
    "withdrawals",
    "delivery | source_row\njune | 2\njune | 3",
    (Broken("every withdrawal has its row in a delivery", {"source_row": "-"}), *quarantine()),
    DELIVERY,
)

BASELINE = Case(
    "baseline_questionnaire",
    "person | age\nP1 | 18\nP2 | 110\nP3 | -",
    (
        Broken("the baseline has participants", NO_ROWS),
        Broken(UNIQUE, {"person": "P1"}),
        Broken("every row names a person", {"person": "-"}),
        Broken("ages lie between 18 and 110", {"age": "111"}),
        *quarantine(),
    ),
    DELIVERY,
)

VITAL_STATUS = Case(
    "vital_status",
    """
    person | date       | event     | in_cohort
    P1     | 2020-02-01 | died      | true
    P2     | 2021-02-01 | emigrated | true
    P3     | 2021-02-01 | died      | true
    """,
    (
        Broken("people with an event are unique", {"person": "P1"}),
        Broken("the date of each event is known", {"date": "-"}),
        Broken("each event is a death or an emigration", {"event": "moved"}),
        Broken("everyone with an event comes from the cohort", {"in_cohort": "false"}),
        Broken("at least 50% of the people come from the cohort", summary={"unlinked_share": 0.51}),
        *quarantine(),
    ),
    DELIVERY | {"unlinked_share": 0.0},
)

RECORDINGS = Case(
    "recordings",
    """
    batch | person | level  | status   | problems
    north | P1     | days   | accepted | -
    north | P1     | signal | accepted | -
    south | P1     | days   | accepted | -
    north | P2     | raw    | accepted | -
    north | P2     | epochs | accepted | -
    """,
    (
        Broken("the batch has a recording", NO_ROWS),
        Broken("each person has one recording of a level in a batch", {"level": "raw"}),
        Broken("the level of each recording is known", {"level": "dreams"}),
        Broken("every recording is accepted", {"status": "refused"}),
        Broken("no raw recording has a problem", {"problems": "damaged"}),
        Broken("at least one recording of the batch is usable", summary={"recordings_accepted": 0}),
        *quarantine(),
    ),
    DELIVERY,
)

EPOCHS = Case(
    "epoch_classification",
    """
    batch | person | epochs | unknown_activities | repeated_epochs | speeds_without_walking
    north | P1     | 17280  | 0                  | 0               | 0
    north | P2     | 17280  | 0                  | 0               | 0
    """,
    (
        Broken("participants are unique within a batch", {"person": "P1"}),
        Broken("every epoch has a known activity", {"unknown_activities": "1"}),
        Broken("there are no duplicate epochs", {"repeated_epochs": "1"}),
        Broken("only walking has a walking speed", {"speeds_without_walking": "1"}),
        Broken("every recording has epochs", {"epochs": "0"}),
    ),
)

ACTIVITIES = ("lying", "sitting", "standing", "walking", "running", "cycling")
DAILY = Case(
    "daily_exposures",
    """
    batch | person | day | lying | sitting | standing | walking | running | cycling | speeds_sum_to_walking | whole_day
    north | P1     | 1   | 86400 | 0       | 0        | 0       | 0       | 0       | true                  | true
    north | P1     | 2   | -     | -       | -        | -       | -       | -       | -                     | -
    north | P2     | 1   | 43200 | 43200   | 0        | 0       | 0       | 0       | true                  | true
    """,
    (
        Broken("the days of a participant are unique", {"person": "P1"}),
        *(Broken(f"{name} takes between 0 and 86400 seconds of a day", {name: "86401"}) for name in ACTIVITIES),
        Broken("slow, moderate and brisk walking sum to total walking", {"speeds_sum_to_walking": "false"}),
        Broken("a recorded day has 86400 seconds", {"whole_day": "false"}),
    ),
)

COHORT = Case(
    "cohort",
    """
    person | sex    | age | depression | box_against_screen
    P1     | female | 50  | no         | false
    P2     | male   | 60  | yes        | false
    P3     | -      | 70  | -          | -
    """,
    (
        Broken("the cohort has participants", NO_ROWS),
        Broken(UNIQUE, {"person": "P1"}),
        Broken("sex is female or male", {"sex": "1"}),
        Broken("depression is no or yes", {"depression": "7"}),
        Broken("no box of the outcome is ticked under a screen answered no", {"box_against_screen": "true"}),
        Broken("age is known", {"age": "-"}),
        Broken(
            "at least 50% of the people of each batch of recordings are in a baseline questionnaire",
            summary={"least_linked_share": 0.4},
        ),
        Broken("everybody with a recording is in a baseline questionnaire", summary={"unlinked_people": 3}),
    ),
    {"least_linked_share": 1.0, "unlinked_people": 0},
)

WALKING = Case(
    "walking_exposures",
    """
    person | valid_days | walking_minutes | walking_met | whole_days
    P1     | 0          | -               | -           | 0
    P2     | 7          | 100             | 2.8         | 7
    P3     | 7          | 100             | 4.8         | 0
    """,
    (
        Broken(UNIQUE, {"person": "P1"}),
        Broken("valid days lie between 0 and 31", {"valid_days": "32"}),
        Broken("walking takes between 0 and 1440 minutes a day", {"walking_minutes": "1441"}),
        Broken("24-hour days lie between 0 and 31", {"whole_days": "32"}),
        Broken("mean METs lie between slow and brisk", {"walking_met": "4.9"}),
    ),
)

FOLLOWUP = Case(
    "followup_questionnaire",
    """
    wave | person
    A    | P1
    B    | P1
    A    | P2
    """,
    (
        Broken("the wave has responses", NO_ROWS),
        Broken("respondents are unique within a wave", {"person": "P1"}),
        *quarantine(),
    ),
    DELIVERY,
)

OUTCOME = Case(
    "outcome_questionnaire",
    """
    wave | person | pain_screen | low_back_pain | in_cohort | follow_up_years | box_against_screen
    A    | P1     | yes         | 1             | true      | 4               | false
    A    | P2     | no          | 0             | true      | 0               | -
    A    | P3     | no          | 0             | true      | -               | false
    A    | P4     | yes         | -             | true      | 4               | false
    A    | P5     | no          | 0             | true      | 4               | false
    """,
    (
        Broken(
            "the wave has responses",
            NO_ROWS,
            also=("at least 50% of the responses come from the cohort", "the risk lies between 2% and 60%"),
        ),
        Broken("respondents are unique within a wave", {"person": "P1"}),
        Broken("the question on the outcome is answered", {"pain_screen": "-"}),
        Broken("the outcome is 0 or 1", {"low_back_pain": "2"}, also=("the risk lies between 2% and 60%",)),
        Broken("every response comes from the cohort", {"in_cohort": "false"}),
        Broken("no response is earlier than the baseline", {"follow_up_years": "-0.1"}),
        Broken("no box of the outcome is ticked under a screen answered no", {"box_against_screen": "true"}),
    ),
)

STEPS = ("no_accelerometer_day", "no_valid_walking_day", "baseline_screen_missing", "baseline_low_back_pain",
         "followup_screen_missing", "covariate_missing")  # fmt: skip
EXCLUSIONS = Case(
    "exclusions",
    "wave | person | reason\n" + "\n".join(f"A | P{i} | {reason}" for i, reason in enumerate((*STEPS, "-"))),
    (
        Broken("the cohort has participants", NO_ROWS),
        Broken("participants are unique within a wave", {"person": "P1"}),
        Broken("every reason is one of the protocol's", {"reason": "did not feel like it"}),
    ),
)

ATTRITION = Case(
    "attrition",
    "step | rule | remaining\n"
    + "\n".join(f"{i} | {rule} | {max(10 - 3 * i, 1)}" for i, rule in enumerate(("cohort", *STEPS))),
    (
        Broken("the table has each step of the protocol", NO_ROWS),
        Broken("no step adds participants", {"remaining": "2"}),
        Broken(
            "no step excludes more participants than there are",
            {"remaining": "-1"},
            also=("participants remain to be analyzed",),
        ),
        Broken("participants remain to be analyzed", {"remaining": "0"}),
    ),
)

COVARIATES = ("sex", "age", "education", "income", "employment", "smoking", "depression")
ANALYZED = """
    wave | person | low_back_pain | walking_minutes | walking_met | walking_minutes_category | walking_met_category
    A    | P1     | 1             | 100             | 3.1         | 1                        | 4
    B    | P1     | 0             | 100             | 3.1         | 2                        | 3
    A    | P2     | 0             | 100             | 3.1         | 4                        | 1
    """
ANALYSIS = Case(
    "analysis_set",
    beside(ANALYZED, dict.fromkeys(COVARIATES, "known") | {"age": "50"}),
    (
        Broken("the wave has participants to analyze", NO_ROWS),
        Broken(UNIQUE, {"person": "P1"}),
        Broken("the outcome is 0 or 1", {"low_back_pain": "2"}),
        Broken("the outcome is known for everyone analyzed", {"low_back_pain": "-"}),
        Broken("walking minutes are known for everyone analyzed", {"walking_minutes": "-"}),
        Broken("mean walking METs are known for everyone analyzed", {"walking_met": "-"}),
        *(Broken(f"{name} is known for everyone analyzed", {name: "-"}) for name in COVARIATES),
        Broken("volume categories run from 1 to 4", {"walking_minutes_category": "5"}),
        Broken("intensity categories run from 1 to 4", {"walking_met_category": "0"}),
    ),
)

ELIGIBLE = Case(
    "eligible_people",
    """
    wave | person | answered | walking_minutes | low_back_pain | responded_after_death
    A    | P1     | true     | 100             | 1             | false
    A    | P2     | false    | 100             | -             | false
    """,
    (
        Broken("the wave has eligible participants", NO_ROWS),
        Broken(UNIQUE, {"person": "P1"}),
        Broken("walking minutes are known for everyone eligible", {"walking_minutes": "-"}),
        Broken("it is known whether each participant responded", {"answered": "-"}),
        Broken("the outcome is 0 or 1", {"low_back_pain": "2"}),
        Broken("nobody responded after their recorded death", {"responded_after_death": "true"}),
    ),
)

ESTIMATES = """
    wave | analysis | population | model | exposure    | term | level  | measure | status | p_value | ci_low | ci_high
    A    | main     | all        | age   | walking_met | t    | <3.00  | rr      | ok     | -       | -      | -
    A    | main     | all        | age   | walking_met | t    | >=3.27 | rr      | ok     | 0       | 0.7    | 0.9
    A    | main     | all        | age   | walking_met | t    |        | p_joint | ok     | 1       | 0.7    | 0.7
    """


def estimates(asset: str, *expected: str) -> Case:
    """The expectations every table of estimates shares, with the analyses that any wave allows."""
    could = (f"every estimate of {' and '.join(expected)} could be made",) if expected else ()
    broken = (
        Broken("estimates are unique", {"measure": "rr", "level": ">=3.27"}),
        Broken("the status of each estimate is known", {"status": "fine"}, also=could),
        *(Broken(meaning, {"status": "not_estimable"}) for meaning in could),
        Broken("p values lie between 0 and 1", {"p_value": "1.01"}),
        Broken("lower limits do not exceed upper limits", {"ci_low": "0.8"}),
    )
    return Case(asset, ESTIMATES.replace("main", next(iter(expected), "isotemporal")), broken)


RISK_RATIOS = estimates("risk_ratios", "main", "trend", "mutual")
ABSOLUTE_RISKS = estimates("absolute_risks", "standardized_risk")
BIAS_MODELS = estimates("bias_models", "attrition_weighted", "imputed")
DOSE_RESPONSE = estimates("dose_response", "spline")
SENSITIVITY = estimates("sensitivity_models", "sensitivity:bmi", "sensitivity:running_cycling")
TIME_USE = estimates("time_use_models")
POOLED = estimates("pooled_models", "pooled")
_FITTED = estimates("fitted_models", "main")
FITTED = replace(
    _FITTED,
    broken=(
        *_FITTED.broken,
        Broken("no diagnostic fails and withholds estimates", summary={"diagnostics_fail": 1}),
        *(
            Broken(
                f"{meaning} ({name.replace('_', ' ')} {getattr(PROTOCOL.diagnostics, name).words()})",
                {"analysis": "diagnostics", "term": name, "level": result, "measure": name},
            )
            for name, meaning in DIAGNOSTICS.items()
            for result in ("warning", "fail")
        ),
    ),
    summary={"diagnostics_fail": 0},
)

CHARACTERISTICS = Case(
    "characteristics",
    "status | n | percent\nok | 0 | 0\nsuppressed | - | -\nok | 7 | 100",
    (
        Broken("every cell is shown or suppressed", {"status": "hidden"}),
        Broken("percentages lie between 0 and 100", {"percent": "100.1"}),
        Broken("counts are not negative", {"n": "-1"}),
    ),
)

CLAIMS = Case(
    "claims",
    """
    wave | claim | verdict       | evidence | turn
    A    | one   | supported     | RR 0.8   | rise
    B    | one   | not supported | RR 1.2   | fall
    A    | two   | unclear       | RR 1.0   | fall
    """,
    (
        Broken("each claim is evaluated once in a wave", {"claim": "one"}),
        Broken("every verdict is one of five", {"verdict": "perhaps"}),
        Broken("every verdict shows its evidence", {"evidence": "-"}),
        Broken("every verdict says what would change it", {"turn": "-"}),
    ),
)

REPORT = Case(
    "report",
    "wave | file | html | bytes\nA | a | page | 1\nB | a | page | 1500000",
    (
        Broken("a wave has each page once", {"wave": "A"}),
        Broken("every page was written", {"html": "-"}),
        Broken("a page is at most 1.5 MB", {"bytes": "1500001"}),
    ),
)

DIFFERENCES = {
    "response_difference": ("the share of eligible participants who responded", "0.15"),
    "prevalence_difference": ("the share of respondents with the outcome", "0.05"),
    "screen_missing_difference": ("the share of responses without the outcome", "0.05"),
    "women_difference": ("the share of women among respondents", "0.05"),
    "mean_age_difference": ("the mean age (years at baseline) of respondents", "3"),
}
DRIFT = Case(
    "wave_drift",
    beside(
        """
        wave | answers_ratio | follow_up_years_difference | age_distance | walking_distance
        A    | -             | -                          | -            | -
        B    | 1.1           | 3                          | 0.01         | 0.02
        """,
        dict.fromkeys(DIFFERENCES, "0.01"),
    ),
    (
        *(
            Broken(f"{what} differs from the earlier waves by at most {limit}", {column: f"-{2 * float(limit)}"})
            for column, (what, limit) in DIFFERENCES.items()
        ),
        Broken("waves are unique", {"wave": "A"}),
        Broken("a wave has 0.5 to 2 times as many responses as earlier ones", {"answers_ratio": "0.4"}),
        Broken("follow-up is later than in the earlier waves", {"follow_up_years_difference": "-0.1"}),
        Broken(
            "at most 15% of respondents are in another age group than earlier",
            {"age_distance": "0.2"},
        ),
        Broken(
            "at most 15% of respondents are in another walking group than earlier",
            {"walking_distance": "0.2"},
        ),
    ),
)

DAYS_DELIVERED = Case(
    "delivered_days",
    "batch | person | day\nnorth | P1 | 1\nnorth | P1 | 2\nsouth | P1 | 1",
    (Broken("the days of a participant are unique within a batch", {"batch": "north"}),),
)


CASES = (
    WITHDRAWALS, BASELINE, VITAL_STATUS, RECORDINGS, EPOCHS, DAILY, COHORT, WALKING, FOLLOWUP, OUTCOME, EXCLUSIONS,
    ATTRITION, ELIGIBLE, ANALYSIS, RISK_RATIOS, ABSOLUTE_RISKS, BIAS_MODELS, DOSE_RESPONSE, SENSITIVITY, TIME_USE,
    FITTED, CHARACTERISTICS, DISCLOSURE, CLAIMS, REPORT, DRIFT, POOLED, RELEASE, DAYS_DELIVERED,
    HISTOGRAM, PUBLISHED_HISTOGRAM, PUBLISHED_RESULTS, PUBLISHED_ATTRITION, PUBLISHED_CHARACTERISTICS, RELEASED_PEOPLE,
    PUBLISHED_ORIGINS, *GROUPS_PEOPLE,
)  # fmt: skip
