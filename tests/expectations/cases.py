"""One case per asset, in the order the data flows: see ``case.py``."""

from __future__ import annotations

from dataclasses import replace

from stegvis.expectations.fitted_models import DIAGNOSTICS
from tests.expectations.case import DELIVERY, NO_ROWS, Broken, Case, beside, quarantine
from tests.study import PROTOCOL

ONCE = "each person stands once"

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
        Broken("the baseline has people", NO_ROWS),
        Broken(ONCE, {"person": "P1"}),
        Broken("every row names a person", {"person": "-"}),
        Broken("ages lie between 18 and 110", {"age": "111"}),
        *quarantine(),
    ),
    DELIVERY,
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
        Broken("each person has one set of epochs in a batch", {"person": "P1"}),
        Broken("every epoch has a known activity", {"unknown_activities": "1"}),
        Broken("no epoch stands twice", {"repeated_epochs": "1"}),
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
        Broken("each person has a day once", {"person": "P1"}),
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
        Broken("the cohort has people", NO_ROWS),
        Broken(ONCE, {"person": "P1"}),
        Broken("sex is female or male", {"sex": "1"}),
        Broken("depression is no or yes", {"depression": "7"}),
        Broken("no low-back box is ticked under a screen answered no", {"box_against_screen": "true"}),
        Broken("age is known", {"age": "-"}),
    ),
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
        Broken(ONCE, {"person": "P1"}),
        Broken("valid days lie between 0 and 31", {"valid_days": "32"}),
        Broken("walking takes between 0 and 1440 minutes a day", {"walking_minutes": "1441"}),
        Broken("whole days lie between 0 and 31", {"whole_days": "32"}),
        Broken("mean METs lie between slow and brisk", {"walking_met": "4.9"}),
    ),
)

FOLLOWUP = Case(
    "followup_questionnaire",
    """
    wave | person | pain_screen
    A    | P1     | no
    B    | P1     | yes
    A    | P2     | yes
    """,
    (
        Broken("the wave has an answer", NO_ROWS),
        Broken("each person answers once in a wave", {"person": "P1"}),
        Broken("the pain screen is answered", {"pain_screen": "-"}),
        *quarantine(),
    ),
    DELIVERY,
)

OUTCOME = Case(
    "outcome_questionnaire",
    """
    wave | person | low_back_pain | in_cohort | follow_up_years | box_against_screen
    A    | P1     | 1             | true      | 4               | false
    A    | P2     | 0             | true      | 0               | -
    A    | P3     | 0             | true      | -               | false
    A    | P4     | -             | true      | 4               | false
    A    | P5     | 0             | true      | 4               | false
    """,
    (
        Broken(
            "the wave has an answer",
            NO_ROWS,
            also=("at least 50% of the answers come from the cohort", "the risk lies between 2% and 60%"),
        ),
        Broken("each person answers once in a wave", {"person": "P1"}),
        Broken("low back pain is 0 or 1", {"low_back_pain": "2"}, also=("the risk lies between 2% and 60%",)),
        Broken("every answer comes from the cohort", {"in_cohort": "false"}),
        Broken("nobody answers before the baseline", {"follow_up_years": "-0.1"}),
        Broken("no low-back box is ticked under a screen answered no", {"box_against_screen": "true"}),
    ),
)

STEPS = ("no_accelerometer_day", "no_valid_walking_day", "baseline_screen_missing", "baseline_low_back_pain",
         "followup_screen_missing", "covariate_missing")  # fmt: skip
EXCLUSIONS = Case(
    "exclusions",
    "wave | person | reason\n" + "\n".join(f"A | P{i} | {reason}" for i, reason in enumerate((*STEPS, "-"))),
    (
        Broken("the cohort has people", NO_ROWS),
        Broken("each person stands once in a wave", {"person": "P1"}),
        Broken("every reason is one of the protocol's", {"reason": "did not feel like it"}),
    ),
)

ATTRITION = Case(
    "attrition",
    "step | rule | remaining\n"
    + "\n".join(f"{i} | {rule} | {max(10 - 3 * i, 1)}" for i, rule in enumerate(("cohort", *STEPS))),
    (
        Broken("every step of the protocol stands once", NO_ROWS),
        Broken("no step adds people", {"remaining": "2"}),
        Broken("no step takes more people than there are", {"remaining": "-1"}, also=("somebody is left to analyze",)),
        Broken("somebody is left to analyze", {"remaining": "0"}),
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
        Broken("the wave has people to analyze", NO_ROWS),
        Broken(ONCE, {"person": "P1"}),
        Broken("low back pain is 0 or 1", {"low_back_pain": "2"}),
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
    wave | person | answered | walking_minutes | low_back_pain
    A    | P1     | true     | 100             | 1
    B    | P1     | true     | 100             | 0
    A    | P2     | false    | 100             | -
    """,
    (
        Broken("the wave has people it could be about", NO_ROWS),
        Broken(ONCE, {"person": "P1"}),
        Broken("walking minutes are known for everyone eligible", {"walking_minutes": "-"}),
        Broken("it is known of everyone whether they answered", {"answered": "-"}),
        Broken("low back pain is 0 or 1", {"low_back_pain": "2"}),
    ),
)

ESTIMATES = """
    wave | analysis | population | model | exposure    | term | level  | measure | status | p_value | ci_low | ci_high
    A    | main     | all        | age   | walking_met | t    | <3.00  | rr      | ok     | -       | -      | -
    A    | main     | all        | age   | walking_met | t    | >=3.27 | rr      | ok     | 0       | 0.7    | 0.9
    A    | main     | all        | age   | walking_met | t    |        | p_joint | ok     | 1       | 0.7    | 0.7
    """


def estimates(asset: str, *expected: str) -> Case:
    """The rules every table of estimates shares, with the analyses that any wave allows."""
    could = f"every estimate of {' and '.join(expected)} could be made"
    rules = (
        Broken("each estimate stands once", {"measure": "rr", "level": ">=3.27"}),
        Broken("the status of each estimate is known", {"status": "fine"}, also=(could,)),
        Broken(could, {"status": "not_estimable"}),
        Broken("p values lie between 0 and 1", {"p_value": "1.01"}),
        Broken("no interval is upside down", {"ci_low": "0.8"}),
    )
    return Case(asset, ESTIMATES.replace("main", expected[0]), rules)


RISK_RATIOS = estimates("risk_ratios", "main", "trend", "mutual")
ABSOLUTE_RISKS = estimates("absolute_risks", "standardized_risk")
BIAS_MODELS = estimates("bias_models", "attrition_weighted", "imputed")
DOSE_RESPONSE = estimates("dose_response", "spline")
SENSITIVITY = estimates("sensitivity_models", "sensitivity:bmi", "sensitivity:running_cycling")
TIME_USE = estimates("time_use_models", "isotemporal")
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

DISCLOSURE = Case(
    "disclosure",
    "cell | rule\nmain / rr | few\nmain / rd | close",
    (
        Broken("every suppressed number is named", {"cell": "-"}),
        Broken("every suppressed number has a rule", {"rule": "-"}),
        Broken("no suppressed count can be worked out", summary={"exposed": 1}),
    ),
    summary={"exposed": 0},
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
        Broken("every verdict is one of three", {"verdict": "perhaps"}),
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
    "response_difference": ("the share of those eligible who answered", "0.15"),
    "prevalence_difference": ("the share of those who answered with low back pain", "0.05"),
    "screen_missing_difference": ("the share of answers without a pain screen", "0.05"),
    "women_difference": ("the share of women among those who answered", "0.05"),
    "mean_age_difference": ("the mean age (years at baseline) of those who answered", "3"),
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
        Broken("each wave stands once", {"wave": "A"}),
        Broken("a wave has 0.5 to 2 times as many answers as earlier ones", {"answers_ratio": "0.4"}),
        Broken("a wave is answered later than the earlier ones", {"follow_up_years_difference": "-0.1"}),
        Broken(
            "at most 15% of those who answered are in another age group than earlier",
            {"age_distance": "0.2"},
        ),
        Broken(
            "at most 15% of those who answered are in another walking group than earlier",
            {"walking_distance": "0.2"},
        ),
    ),
)

RELEASE = Case(
    "release",
    "release | file | sha256\n2026 | results.csv | ab\n2026 | manifest.json | cd",
    (
        Broken("the release has a name", {"release": "-"}),
        Broken("every file of the release is hashed", {"sha256": "-"}),
        Broken("each file stands once", {"file": "results.csv"}),
        Broken("no suppressed count can be worked out", summary={"exposed": 1}),
    ),
    summary={"exposed": 0},
)

DAYS_DELIVERED = Case(
    "delivered_days",
    "batch | person | day\nnorth | P1 | 1\nnorth | P1 | 2\nsouth | P1 | 1",
    (Broken("each person has each day once in a batch", {"batch": "north"}),),
)


def bins(table: str, verb: str) -> Case:
    """A histogram of two exposures."""
    good = "wave | exposure | low\nA | walking_minutes | 0\nA | walking_minutes | 10\nA | walking_met | 10"
    return Case(table, good, (Broken(f"each bin is {verb} once", {"exposure": "walking_minutes"}),))


HISTOGRAM, PUBLISHED_HISTOGRAM = bins("exposure_histogram", "counted"), bins("published_histogram", "published")
PUBLISHED_RESULTS = Case(
    "published_results",
    beside(
        "wave | term\nA | one\nA | two",
        dict.fromkeys(["analysis", "population", "model", "exposure", "level", "measure"], "x"),
    ),
    (Broken("each estimate is published once", {"term": "one"}),),
)
PUBLISHED_ATTRITION = Case(
    "published_attrition",
    "wave | step\nA | 0\nA | 1",
    (Broken("each exclusion step is published once", {"step": "0"}),),
)
PUBLISHED_CHARACTERISTICS = Case(
    "published_characteristics",
    beside("wave | level\nA | low\nA | high", dict.fromkeys(["exposure", "category", "variable"], "x")),
    (Broken("each cell is published once", {"level": "low"}),),
)
RELEASED_PEOPLE = Case(
    "released_people",
    "wave | person\nA | P1\nB | P1",
    (Broken("each person is there once in a wave", {"wave": "A"}),),
)

CASES = (
    WITHDRAWALS, BASELINE, RECORDINGS, EPOCHS, DAILY, COHORT, WALKING, FOLLOWUP, OUTCOME, EXCLUSIONS, ATTRITION,
    ELIGIBLE, ANALYSIS, RISK_RATIOS, ABSOLUTE_RISKS, BIAS_MODELS, DOSE_RESPONSE, SENSITIVITY, TIME_USE, FITTED,
    CHARACTERISTICS, DISCLOSURE, CLAIMS, REPORT, DRIFT, POOLED, RELEASE, DAYS_DELIVERED,
    HISTOGRAM, PUBLISHED_HISTOGRAM, PUBLISHED_RESULTS, PUBLISHED_ATTRITION, PUBLISHED_CHARACTERISTICS, RELEASED_PEOPLE,
)  # fmt: skip
