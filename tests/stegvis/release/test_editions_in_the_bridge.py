"""The bridge explains a new edition in one step: no number of people, nothing flagged without a standard error."""

from __future__ import annotations

import pandas as pd

from stegvis.release.bridge_steps import Bridged, Step, edition_steps, of_method
from stegvis.statistics.results import RESULT_COLUMNS

KIND = "new edition: corrected data"


def results(*ratios: float) -> pd.DataFrame:
    row = dict.fromkeys(RESULT_COLUMNS, "") | {
        "wave": "2030", "analysis": "main", "population": "all", "model": "adjusted", "exposure": "walking_met",
        "term": "walking_met_category", "measure": "rr", "status": "ok", "reference": "a",
    }  # fmt: skip
    levels = zip("abcd", (1.0, *ratios), strict=True)
    return pd.DataFrame([row | {"level": level, "estimate": ratio} for level, ratio in levels])


def test_corrected_data_are_one_step_without_people_and_without_a_standard_error() -> None:
    found = edition_steps(results(0.9, 0.8, 0.5), results(0.9, 0.7, 5.0), ["2030"], KIND)
    assert [each.level for each in found] == ["b", "c", "d"]
    for each in found:
        (step,) = each.steps
        assert (step.people, step.std_error, each.std_error, each.flagged) == (None, None, None, False)
        assert step.change == each.change
        assert step.note == each.note == KIND
    assert edition_steps(results(0.9, 0.8, 0.5), results(0.9, 0.7, 5.0), [], KIND) == []


def test_a_changed_method_is_one_step_whatever_rows_it_changed() -> None:
    steps = (Step("corrected_rows", 3, 0.1, 0.2), Step("new_people", 1, 0.1, 0.1), Step("protocol", None, 0.1, 0.1))
    bridged = Bridged("2030", "adjusted", "walking_met", "b", 1.0, 1.3, 0.3, 0.2, False, steps)
    assert of_method(bridged).steps == (Step("protocol", None, 0.3, 0.2),)
