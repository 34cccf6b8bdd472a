"""Cumulative incidence of competing events against R's survfit, and where it is known by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stegvis.statistics.aalen_johansen import cumulative_incidence


def test_agrees_with_r(expected, oracle_rows):
    people = oracle_rows("aalen_johansen")
    weeks, causes = people["weeks"].to_numpy(dtype="float64"), people["cause"].to_numpy()
    for row in expected("aalen_johansen")["rows"]:
        found = cumulative_incidence(weeks, causes, row["weeks"])[row["cause"]]
        for name in ("estimate", "std_error", "ci_low", "ci_high"):
            assert getattr(found, name) == pytest.approx(row[name], rel=1e-9), row


def test_without_censoring_it_is_a_share():
    found = cumulative_incidence(np.array([1.0, 2, 3, 9, 9]), np.array([1, 2, 1, 0, 0]), 5)
    assert found[1].estimate == pytest.approx(2 / 5)
    assert found[1].std_error == pytest.approx(np.sqrt(0.4 * 0.6 / 5))
    assert found[2].estimate == pytest.approx(1 / 5)


def test_an_event_on_the_day_counts_and_one_after_does_not():
    times, causes = np.array([1.0, 2, 3]), np.array([1, 1, 0])
    assert cumulative_incidence(times, causes, 2)[1].estimate == pytest.approx(2 / 3)
    before = cumulative_incidence(times, causes, 0.5)[1]
    assert (before.estimate, before.std_error) == (0, 0)
    assert np.isnan(before.ci_low)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 2)), min_size=1, max_size=40), st.integers(0, 20))
def test_risks_are_no_more_than_one_together_and_kaplan_meier_when_the_kinds_are_merged(people, horizon):
    times, causes = (np.array(each) for each in zip(*people, strict=True))
    apart = cumulative_incidence(times.astype(float), causes, horizon)
    together = sum(each.estimate for each in apart.values())
    free = 1.0
    for time in range(horizon + 1):
        free *= 1 - ((times == time) & (causes > 0)).sum() / max((times >= time).sum(), 1)
    assert together == pytest.approx(1 - free)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="somebody"):
        cumulative_incidence(np.array([]), np.array([], dtype="int64"), 1)
    with pytest.raises(ValueError, match="negative"):
        cumulative_incidence(np.array([-1.0]), np.array([1]), 1)
