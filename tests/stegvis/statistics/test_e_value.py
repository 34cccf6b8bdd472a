import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stegvis.statistics.e_value import e_value, e_value_of_interval

ratios = st.floats(0.01, 100)

# VanderWeele and Ding 2017; the vignette of the R package EValue; Haddadj et al. 2025.
PRINTED = [
    (3.9, 1.8, 8.7, 7.263034, 3.0),
    (0.8, 0.71, 0.91, 1.809017, 1.428571),
    (10.73, 8.02, 14.36, 20.947774, 15.523359),
    (10.72978, 8.017457, 14.359688, 20.947333, 15.518268),
    (1.2, 0.95, 1.52, 1.689898, 1.0),
    (1.0, 0.9, 1.11, 1.0, 1.0),
    (0.87, 0.77, 0.98, 1.563856, 1.164716),
    (0.77, 0.68, 0.87, 1.921537, 1.563856),
    (0.76, 0.67, 0.87, 1.960392, 1.563856),
    (0.85, 0.75, 0.96, 1.632116, 1.250000),
    (0.82, 0.72, 0.93, 1.736907, 1.359758),
]


@pytest.mark.parametrize(("ratio", "low", "high", "point", "limit"), PRINTED)
def test_printed_examples(ratio, low, high, point, limit):
    assert e_value(ratio) == pytest.approx(point, abs=1e-6)
    assert e_value_of_interval(low, high) == pytest.approx(limit, abs=1e-6)


def test_a_true_ratio_other_than_one():
    assert e_value(3.9, 1.5) == pytest.approx(4.639608, abs=1e-6)
    assert e_value_of_interval(1.8, 8.7, 1.5) == pytest.approx(e_value(1.8 / 1.5))
    assert e_value_of_interval(1.8, 8.7, 10) == pytest.approx(e_value(10 / 8.7))


def test_agrees_with_r(expected):
    reference = expected("evalue_qba")
    for row in reference["evalues"]:
        assert e_value(row["est"]) == pytest.approx(row["e_point"], rel=1e-9)
        assert e_value_of_interval(row["lo"], row["hi"]) == pytest.approx(row["e_ci"], rel=1e-9)
    other = reference["nonnull"]
    assert e_value(other["est"], other["true"]) == pytest.approx(other["e"], rel=1e-9)


@given(ratios)
def test_a_ratio_and_its_inverse_are_alike(ratio):
    assert e_value(ratio) == pytest.approx(e_value(1 / ratio))


@given(ratios)
def test_confounding_of_that_strength_just_explains_the_ratio_away(ratio):
    strength = e_value(ratio)
    # The bounding factor of Ding and VanderWeele 2016, doi 10.1097/EDE.0000000000000457.
    assert strength**2 / (2 * strength - 1) == pytest.approx(max(ratio, 1 / ratio))


@pytest.mark.parametrize("ratio", [0, -1, math.nan])
def test_impossible_ratios_are_refused(ratio):
    with pytest.raises(ValueError, match="positive"):
        e_value(ratio)
    with pytest.raises(ValueError, match="limits"):
        e_value_of_interval(ratio, 2)


def test_points_and_limits_agree_with_the_reference(expected):
    """Point, limit, an interval that holds 1, the exact null, and a true ratio that is not 1."""
    reference = expected("evalue_qba")
    for row in reference["evalues"]:
        assert e_value(row["est"]) == pytest.approx(row["e_point"], rel=1e-9)
        assert e_value_of_interval(row["lo"], row["hi"]) == pytest.approx(row["e_ci"], rel=1e-9)
    other = reference["nonnull"]
    assert e_value(other["est"], other["true"]) == pytest.approx(other["e"], rel=1e-9)
