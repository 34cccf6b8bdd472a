"""The shape of a curve is read from its published points, knots and tests."""

from __future__ import annotations

import pandas as pd
import pytest

from stegvis.reporting.shape import shape
from tests.stegvis.reporting.sample_report import result


def curve(ratios: dict[float, float], knots: tuple[float, ...], overall=0.001, bent=0.001) -> pd.DataFrame:
    shared = {"analysis": "spline", "exposure": "walking_minutes", "model": "adjusted"}
    rows = [result(**shared, measure="knot", level=f"{place}", estimate=at) for place, at in enumerate(knots)]
    rows += [result(**shared, measure="rr", level=f"{at:g}", estimate=ratio) for at, ratio in ratios.items()]
    rows += [
        result(**shared, measure=name, p_value=p) for name, p in (("p_overall", overall), ("p_nonlinearity", bent))
    ]
    return pd.DataFrame(rows)


LEVELING = {40: 1.1, 60: 1.0, 80: 0.9, 97: 0.83, 120: 0.8, 150: 0.8, 200: 1.4}


@pytest.mark.parametrize(
    ("ratios", "tests", "kind", "turn"),
    [
        (LEVELING, {}, "levels", 100),
        (LEVELING | {120: 0.75, 150: 0.85}, {}, "rises_again", 120),
        (LEVELING | {80: 1.3}, {}, "uneven", None),
        ({60: 1.0, 100: 0.9, 150: 0.8}, {"bent": 0.3}, "falls", None),
        ({60: 1.0, 100: 1.1, 150: 1.2}, {"bent": 0.3}, "rises", None),
        ({60: 1.0, 100: 1.1, 150: 1.2}, {}, "uneven", None),
        (LEVELING, {"overall": 0.2}, "unclear", None),
    ],
)
def test_the_shape_of_the_curve_is_read_between_its_outer_knots(ratios, tests, kind, turn):
    found = shape(curve(ratios, (60, 100, 150), **tests), "walking_minutes")
    assert found is not None
    assert (found.kind, found.turn) == (kind, turn)


def test_without_published_knots_or_tests_nothing_is_said_of_the_shape():
    assert shape(curve(LEVELING, ()), "walking_minutes") is None
    assert shape(curve(LEVELING, (60, 150), overall=None), "walking_minutes") is None
