"""A condition on people as data, for the analyses and for the commands that reproduce them elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

Operator = Literal["==", ">=", "<", "known", "in", "in or unknown"]


@dataclass(frozen=True)
class Condition:
    """A column, an operator and a value; ``known`` needs none, the two of ``in`` need a tuple."""

    column: str
    operator: Operator
    value: object = None


def meeting(conditions: Sequence[Condition], people: pd.DataFrame) -> pd.Series:
    """Who meets all conditions (bool, one per row); a missing value only meets ``in or unknown``.

    Raises:
        KeyError: the people have no such column.
    """
    found = pd.Series(True, people.index)
    for condition in conditions:
        found &= _meets(condition, people[condition.column]).astype("boolean").fillna(False).astype(bool)
    return found


def _meets(condition: Condition, values: pd.Series) -> pd.Series:
    operator, value = condition.operator, condition.value
    if operator == "known":
        return values.notna()
    if operator == "==":
        return values == value
    if operator == ">=":
        return values >= value
    if operator == "<":
        return values < value
    inside = values.isin(list(value))  # type: ignore[call-overload]
    return inside | values.isna() if operator == "in or unknown" else inside
