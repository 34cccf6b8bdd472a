"""Adjusted p-values agree with R's ``p.adjust(p, method, n)`` (R 4.2.2), and the family keeps its size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stegvis.statistics.multiplicity import benjamini_hochberg, holm
from tests.sizes import examples


def test_both_agree_with_r(expected):
    for each in expected("multiplicity"):
        assert holm(each["p"], each["family"]) == pytest.approx(each["holm"], rel=1e-12, abs=1e-15)
        assert benjamini_hochberg(each["p"], each["family"]) == pytest.approx(each["bh"], rel=1e-12, abs=1e-15)


def test_an_estimate_without_a_p_value_keeps_its_place_in_the_family():
    p = [0.01, np.nan, 0.02, np.nan]
    for adjusted in (holm, benjamini_hochberg):
        found = adjusted(p, 4)
        assert np.isnan(found[[1, 3]]).all()
        assert found[[0, 2]] == pytest.approx(adjusted([0.01, 1.0, 0.02, 1.0], 4)[[0, 2]])
    assert holm(p, 4)[0] == pytest.approx(0.04)


def test_nothing_is_adjusted_where_nothing_was_asked():
    assert len(holm([], 0)) == len(benjamini_hochberg([], 0)) == 0
    assert np.isnan(holm([np.nan], 3)).all()


@settings(max_examples=examples(100))
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.integers(0, 5))
def test_holm_is_never_below_benjamini_hochberg_and_neither_below_the_p_value(p, more):
    strict, mild = holm(p, len(p) + more), benjamini_hochberg(p, len(p) + more)
    assert (strict >= mild - 1e-12).all()
    assert (mild >= np.array(p) - 1e-12).all()
    assert (strict <= 1).all()


@pytest.mark.parametrize(("p", "family"), [([1.2], 1), ([-0.1], 1), ([0.1, 0.2], 1)])
def test_what_is_no_p_value_or_no_member_of_the_family_is_refused(p, family):
    for adjusted in (holm, benjamini_hochberg):
        with pytest.raises(ValueError, match="p-value"):
            adjusted(p, family)
