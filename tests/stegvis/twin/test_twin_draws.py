"""Streams by name, exact numbers, shares and identifiers."""

import numpy as np
import pytest

from stegvis.twin.draws import correlated_uniform, identifiers, levels, probabilities, stream, top

NORMAL = stream(1, "test").standard_normal(20_000)


def test_streams_differ_by_name_and_seed_and_repeat():
    first = stream(1, "a").random(4)
    assert np.array_equal(first, stream(1, "a").random(4))
    assert not np.array_equal(first, stream(1, "b").random(4))
    assert not np.array_equal(first, stream(2, "a").random(4))


def test_levels_meet_their_shares():
    counts = np.bincount(levels(NORMAL, [0.1, 0.6, 0.3]))
    assert counts.tolist() == pytest.approx([2_000, 12_000, 6_000], abs=1)


def test_probabilities_average_to_the_share_within_the_group():
    group = NORMAL > 0
    chance = probabilities(NORMAL, 0.2, group)
    assert chance[group].mean() == pytest.approx(0.2, abs=1e-9)
    assert chance[~group].mean() < 0.2


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_certain_share_is_certain(share):
    assert set(probabilities(NORMAL, share, NORMAL > 0)) == {share}


def test_probabilities_for_an_empty_group_are_not_shifted():
    assert probabilities(np.zeros(3), 0.3, np.zeros(3, dtype=bool)) == pytest.approx([0.3] * 3)


def test_top_chooses_the_exact_number_within_the_group():
    group = np.arange(NORMAL.size) % 10 > 0
    chosen = top(NORMAL, 777, group)
    assert (chosen & group).sum() == 777
    assert NORMAL[chosen].min() > NORMAL[group & ~chosen].max()


def test_top_of_too_few_is_refused():
    with pytest.raises(ValueError, match="cannot choose 3 of 2"):
        top(NORMAL[:2], 3, np.ones(2, dtype=bool))


def test_correlated_scores_stay_uniform_and_correlate():
    own = stream(1, "own").standard_normal((2, NORMAL.size))
    first, second = (correlated_uniform(NORMAL, one, 0.5) for one in own)
    assert np.quantile(first, [0.1, 0.5, 0.9]) == pytest.approx([0.1, 0.5, 0.9], abs=0.01)
    # A Gaussian copula's rank correlation is 6/pi asin(rho/2).
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(6 / np.pi * np.arcsin(0.25), abs=0.02)


def test_identifiers_are_distinct_and_in_random_order():
    names = identifiers(stream(1, "names"), 5_000)
    assert len(set(names)) == 5_000
    assert all(len(name) == 7 and name.startswith("P") for name in names)
    assert abs(np.corrcoef(np.argsort(np.argsort(names)), np.arange(5_000))[0, 1]) < 0.05
