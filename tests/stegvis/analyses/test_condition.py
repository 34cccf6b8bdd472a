import pandas as pd
import pytest

from stegvis.analyses.condition import Condition, meeting

PEOPLE = pd.DataFrame({"age": [40.0, 65.0, None], "health": pd.Series(["good", "poor", None], dtype="str")})


@pytest.mark.parametrize(
    ("condition", "met"),
    [
        (Condition("age", "known"), [True, True, False]),
        (Condition("age", ">=", 65), [False, True, False]),
        (Condition("age", "<", 65), [True, False, False]),
        (Condition("health", "==", "poor"), [False, True, False]),
        (Condition("health", "in", ("good", "very good")), [True, False, False]),
        (Condition("health", "in or unknown", ("good", "very good")), [True, False, True]),
    ],
)
def test_what_is_unknown_meets_only_the_condition_that_says_so(condition: Condition, met: list[bool]) -> None:
    assert meeting((condition,), PEOPLE).tolist() == met


def test_all_conditions_must_be_met_and_none_keeps_everybody() -> None:
    assert meeting((Condition("age", "<", 65), Condition("health", "in", ("poor",))), PEOPLE).tolist() == [False] * 3
    assert meeting((), PEOPLE).all()
    with pytest.raises(KeyError):
        meeting((Condition("weight", "known"),), PEOPLE)
