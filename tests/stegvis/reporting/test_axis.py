"""Axes: shared ends, ticks that do not collide at any width and over any range, and numbers as a person writes them."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stegvis.reporting.axis import (
    HIGH_ENDS,
    LOW_ENDS,
    linear_ticks,
    log_share,
    log_ticks,
    ratio_domain,
    round_range,
    share,
    tick_label,
)
from tests.sizes import examples

# A wide digit of a fallback font at the size of the figures.
DIGIT = 7.5


def apart(ticks: list[float], places: list[float]) -> bool:
    """Whether labels centered at these places do not touch."""
    widths = [len(tick_label(tick)) * DIGIT for tick in ticks]
    return all(
        after - before > (width + next_width) / 2
        for (before, after), (width, next_width) in zip(pairwise(places), pairwise(widths), strict=True)
    )


@pytest.mark.parametrize(
    ("value", "label"),
    [(60.0, "60"), (2.91, "2.91"), (0.5, "0.5"), (99.70, "99.7"), (0.1 + 0.2, "0.3"), (1000.0, "1000")],
)
def test_a_tick_is_written_as_a_person_would(value: float, label: str) -> None:
    assert tick_label(value) == label


@settings(max_examples=examples(400), deadline=None)
@given(st.floats(0.001, 0.999), st.floats(1.001, 1000), st.integers(60, 700))
def test_ticks_of_a_log_axis_are_inside_include_one_and_do_not_collide(low: float, high: float, pixels: int) -> None:
    ticks = log_ticks(low, high, pixels)
    assert 1.0 in ticks
    assert all(low - 1e-6 <= tick <= high + 1e-3 for tick in ticks)
    assert apart(ticks, [pixels * log_share(tick, (low, high)) for tick in ticks])


@pytest.mark.parametrize("low", LOW_ENDS)
@pytest.mark.parametrize("high", HIGH_ENDS)
def test_every_shared_axis_has_two_ticks_on_a_phone_and_four_on_a_desk(low: float, high: float) -> None:
    assert len(log_ticks(low, high, 80)) >= 2
    assert len(log_ticks(low, high, 420)) >= 4
    upright = log_ticks(low, high, 240, upright=True)
    assert len(upright) >= 3
    assert all(240 * (log_share(b, (low, high)) - log_share(a, (low, high))) >= 20 for a, b in pairwise(upright))


@settings(max_examples=examples(400), deadline=None)
@given(st.floats(0, 500), st.floats(0.05, 2000), st.integers(150, 700))
def test_ticks_of_a_linear_axis_do_not_collide(low: float, wide: float, pixels: int) -> None:
    ends = round_range(low, low + wide)
    ticks = linear_ticks(*ends, pixels)
    assert len(ticks) <= 9
    assert apart(ticks, [pixels * share(tick, ends) for tick in ticks])


@settings(max_examples=examples(300), deadline=None)
@given(st.lists(st.floats(0.06, 19), min_size=1, max_size=9))
def test_a_shared_axis_shows_every_ratio_and_one(values: list[float]) -> None:
    low, high = ratio_domain(values)
    assert low in LOW_ENDS
    assert high in HIGH_ENDS
    assert all(low < value < high for value in (*values, 1.0))


def test_similar_figures_have_the_same_axis_without_knowing_each_other() -> None:
    assert ratio_domain([0.74, 0.98]) == ratio_domain([0.65, 1.1])
    assert ratio_domain([None, math.nan]) == (LOW_ENDS[0], HIGH_ENDS[0])
    assert ratio_domain([0.0001, 4000.0]) == (LOW_ENDS[-1], HIGH_ENDS[-1])
    assert round_range(28, 192) == round_range(30, 190) == (20, 200)
    assert round_range(2.84, 3.76) == (2.8, 3.8)
