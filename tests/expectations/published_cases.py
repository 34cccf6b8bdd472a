"""The cases of what is published, of the release and of the histogram: see ``case.py``."""

from __future__ import annotations

from stegvis.statistics.results import GROUPS
from tests.expectations.case import Broken, Case, beside

DISCLOSURE = Case(
    "disclosure",
    "cell | rule\nmain / rr | few\nmain / rd | close",
    (
        Broken("every suppressed number is named", {"cell": "-"}),
        Broken("every suppressed number has a rule", {"rule": "-"}),
        Broken("no suppressed count can be calculated", summary={"unprotected": 1}),
    ),
    summary={"unprotected": 0},
)

RELEASE = Case(
    "release",
    "release | file | sha256\n2026 | results.csv | ab\n2026 | manifest.json | cd",
    (
        Broken("the release has a name", {"release": "-"}),
        Broken("every file of the release is hashed", {"sha256": "-"}),
        Broken("files are unique", {"file": "results.csv"}),
        Broken("no suppressed count can be calculated", summary={"unprotected": 1}),
    ),
    summary={"unprotected": 0},
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
    (Broken("participants are unique within a wave", {"wave": "A"}),),
)

GROUPS_PEOPLE = tuple(
    Case(
        f"{name}_people",
        "wave | person\nA | P1\nB | P1",
        (Broken("each person is there once in a wave", {"wave": "A"}),),
    )
    for name in (*GROUPS, "characteristics", "pooled_models")
)

PUBLISHED_ORIGINS = Case(
    "published_origins",
    "wave | method\nA | x\nB | x",
    (Broken("each wave has one origin", {"wave": "A"}),),
)
