"""The sentences follow from the intervals and are never causal."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stegvis.reporting.wording import (
    comparison_sentence,
    direction,
    e_value_sentence,
    level_label,
    level_words,
    tipping_sentence,
)
from tests.stegvis.reporting.sample_report import WORDS, result

CAUSAL = re.compile(
    r"\b(caus\w*|effects?|reduc\w*|increas\w*|decreas\w*|prevent\w*|protect\w*|benefi\w*|leads?|due|because|impact\w*)\b",
    re.IGNORECASE,
)


def row(estimate=math.nan, low=math.nan, high=math.nan, status="ok", **more):
    shared = {"level": ">=125", "reference": "<78", "estimate": estimate, "ci_low": low, "ci_high": high}
    return result(**{**shared, "status": status, **more})


def test_lower():
    assert comparison_sentence(row(0.762, 0.668, 0.869), "walking_minutes", WORDS) == (
        "The risk of chronic low back pain was lower among people with a walking volume of 125 min/day or more than "
        "among people with a walking volume below 78 min/day (risk ratio 0.76, 95% CI 0.67 to 0.87)."
    )


def test_higher():
    levels = {"level": "3.12-3.26", "reference": "<3.00"}
    assert comparison_sentence(row(1.3, 1.1, 1.54, **levels), "walking_met", WORDS) == (
        "The risk of chronic low back pain was higher among people with a walking intensity of 3.12 to 3.26 MET than "
        "among people with a walking intensity below 3.00 MET (risk ratio 1.30, 95% CI 1.10 to 1.54)."
    )


def test_unclear():
    assert comparison_sentence(row(0.95, 0.84, 1.07), "walking_minutes", WORDS) == (
        "It is unclear whether the risk of chronic low back pain differed between people with a walking volume of "
        "125 min/day or more and people with a walking volume below 78 min/day (risk ratio 0.95, 95% CI 0.84 to 1.07): "
        "the interval includes 1."
    )


def test_too_few():
    assert comparison_sentence(row(status="not_estimable"), "walking_minutes", WORDS) == (
        "There were too few people or cases, or too little variation, to compare people with a walking volume of "
        "125 min/day or more with people with a walking volume below 78 min/day."
    )


def test_not_shown_and_no_number_printed():
    sentence = comparison_sentence(row(0.4321, 0.3, 0.6, status="suppressed"), "walking_minutes", WORDS)
    assert sentence == (
        "The comparison of people with a walking volume of 125 min/day or more with people with a walking volume "
        "below 78 min/day is not shown, for the privacy of people in small groups."
    )


@pytest.mark.parametrize(
    ("low", "high", "said"), [(0.8, 0.9999, "lower"), (1.0001, 2, "higher"), (1.0, 1.2, "unclear")]
)
def test_the_limits_decide_unrounded(low, high, said):
    assert direction(row((low + high) / 2, low, high)) == said


@given(st.floats(0.01, 50), st.floats(1.01, 10), st.floats(1.01, 10))
def test_direction_agrees_with_the_interval_and_no_word_is_causal(estimate, down, up):
    low, high = estimate / down, estimate * up
    one = row(estimate, low, high, e_value=2.0, e_value_ci=1.5)
    expected = "lower" if high < 1 else "higher" if low > 1 else "unclear"
    said = comparison_sentence(one, "walking_met", WORDS)
    assert direction(one) == expected
    assert expected in said
    assert not CAUSAL.search(said + e_value_sentence(one, WORDS) + tipping_sentence(1.9, 1.4, WORDS))


def test_e_value_sentence_names_point_and_limit():
    sentence = e_value_sentence(row(0.76, 0.67, 0.87, e_value=1.96, e_value_ci=1.56), WORDS)
    assert "1.96 times as common in one group as in the other and also went with 1.96 times the risk" in sentence
    assert sentence.endswith("To make the difference unclear, 1.56 times of both would be enough.")


def test_e_value_sentence_for_an_interval_that_includes_one():
    sentence = e_value_sentence(row(0.95, 0.84, 1.07, e_value=1.29, e_value_ci=1.0), WORDS)
    assert sentence.endswith("The interval includes no difference already.")


def test_no_e_value_no_sentence():
    assert e_value_sentence(row(0.76, 0.67, 0.87), WORDS) == ""
    assert e_value_sentence(row(status="suppressed", e_value=1.9), WORDS) == ""


def test_the_tipping_point_is_said_without_the_term():
    said = tipping_sentence(1.93, 1.44, WORDS)
    assert "if chronic low back pain were 1.93 times as common among the participants" in said
    assert "(1.44 times to make it unclear)" in said
    assert "unclear" not in tipping_sentence(1.93, None, WORDS)
    for word in ("confound", "tipping", "E-value", "interval", "risk ratio"):
        assert word not in said


@pytest.mark.parametrize(
    ("level", "label", "words"),
    [
        ("<78", "<78", "below 78 min/day"),
        ("78-100", "78–100", "of 78 to 100 min/day"),
        (">=125", "≥125", "of 125 min/day or more"),
        ("3.00-3.11", "3.00–3.11", "of 3.00 to 3.11 min/day"),
        ("rare-name", "rare-name", "of rare-name min/day"),
    ],
)
def test_levels_for_tables_and_sentences(level, label, words):
    assert level_label(level) == label
    assert level_words(level, "min/day") == words
