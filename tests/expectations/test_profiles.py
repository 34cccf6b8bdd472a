"""The expectations of a delivery as a whole: each item of its profile is evaluated, and blocks only where it waits."""

from __future__ import annotations

import pandas as pd
import pytest

from stegvis.expectations import daily_exposures, outcome_questionnaire
from stegvis.expectations.evaluate import evaluate
from stegvis.expectations.expectation import settled
from stegvis.study.plausible_items import outside
from tests.study import PROTOCOL

ITEMS = {
    "outcome_questionnaire": (outcome_questionnaire.profile(PROTOCOL), tuple(PROTOCOL.plausibility.wave.items())),
    "daily_exposures": (daily_exposures.profile(PROTOCOL), tuple(PROTOCOL.plausibility.batch.items())),
}


@pytest.mark.parametrize("table", ITEMS)
def test_each_item_is_evaluated_and_blocks_only_where_it_waits(table: str) -> None:
    expectations, items = ITEMS[table]
    inside = {outside(item): 0.0 for item in items}
    assert all(result.passed for result in evaluate(expectations, pd.DataFrame(), inside))
    beyond = evaluate(expectations, pd.DataFrame(), {**inside, outside(items[0]): -0.1})
    assert [result.passed for result in beyond] == [False, *[True] * (len(items) - 1)]
    assert not any(result.blocks for result in settled(beyond, {items[0]: "what was found"}, set()))
    first, *rest = settled(beyond, {items[0]: "what was found"}, {items[0]})
    assert (first.blocks, first.detail, first.as_row()[3]) == (True, "what was found", "warning")
    assert not any(result.blocks for result in rest)
