"""Formatting of numbers."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stegvis.reporting.formatting import (
    NOTHING,
    count,
    decimal,
    guarded_count,
    interval,
    is_missing,
    limit,
    p_value,
    ratio,
)
from tests.stegvis.reporting.sample_report import PROTOCOL

MISSING = [None, pd.NA, math.nan, math.inf]


@pytest.mark.parametrize("value", MISSING)
def test_a_missing_number_is_a_dash_everywhere(value):
    assert is_missing(value)
    assert {form(value) for form in (count, decimal, ratio, limit, p_value)} == {NOTHING}
    assert guarded_count(value, 5) == NOTHING


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (999, "999"), (11194, "11,194"), (56042.0, "56,042")])
def test_counts_have_commas(value, text):
    assert count(value) == text


def test_a_small_count_is_given_in_words():
    smallest = PROTOCOL.disclosure.smallest_count
    assert {guarded_count(n, smallest) for n in range(1, smallest)} == {f"fewer than {smallest}"}
    assert guarded_count(0, smallest) == "0"
    assert guarded_count(smallest, smallest) == str(smallest)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "p < 0.001"),
        (0.00099, "p < 0.001"),
        (0.001, "p = 0.001"),
        (0.0042, "p = 0.004"),
        (0.034, "p = 0.03"),
        (0.0496, "p = 0.050"),
        (0.0531, "p = 0.053"),
        (0.2, "p = 0.20"),
        (0.99, "p = 0.99"),
        (0.998, "p > 0.99"),
    ],
)
def test_p_values(value, text):
    assert p_value(value) == text


@given(st.floats(0, 1))
def test_a_p_value_is_never_printed_as_zero_or_one(value):
    assert p_value(value).split()[-1] not in {"0", "0.0", "0.00", "0.000", "1.00", "1.000"}


def test_an_interval_names_its_level():
    assert interval(0.7712, 0.9798, PROTOCOL) == "95% CI 0.77 to 0.98"


@pytest.mark.parametrize(("value", "text"), [(0.9984, "0.998"), (1.0, "1.00"), (1.004, "1.004"), (0.994, "0.99")])
def test_a_limit_shows_on_which_side_of_one_it_is(value, text):
    assert limit(value) == text


def test_ratios_and_decimals():
    assert ratio(0.766) == "0.77"
    assert ratio(12.0) == "12.00"
    assert decimal(14.84) == "14.8"
    assert decimal(3.149, 2) == "3.15"
