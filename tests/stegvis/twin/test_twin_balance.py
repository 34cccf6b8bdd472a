"""Balanced sampling: the totals are met, and each unit keeps its own chance."""

import numpy as np
import pytest

from stegvis.twin.balance import balanced_sample
from stegvis.twin.draws import stream


def test_totals_of_the_variables_come_out_as_expected():
    draw = stream(1, "balance")
    chance = draw.uniform(0.05, 0.6, 4_000)
    chance *= 1_200 / chance.sum()
    variables = np.column_stack([np.ones(4_000), draw.standard_normal((4_000, 3)), draw.random(4_000) < 0.3])
    drawn = balanced_sample(chance, variables, draw)
    assert drawn.sum() == 1_200
    off = drawn @ variables - chance @ variables
    plain = np.sqrt((chance * (1 - chance)) @ variables**2)
    assert np.all(np.abs(off) < 0.15 * plain)


def test_each_unit_keeps_its_own_chance():
    chance = np.array([0.1, 0.3, 0.5, 0.7, 0.9, 0.25, 0.25, 0.5, 0.2, 0.3])
    variables = np.column_stack([np.ones(10), np.arange(10)])
    draws = [balanced_sample(chance, variables, stream(seed, "balance")) for seed in range(1_000)]
    assert np.mean(draws, axis=0) == pytest.approx(chance, abs=0.05)
    assert {int(drawn.sum()) for drawn in draws} == {4}


def test_certain_units_are_certain_and_an_empty_population_is_allowed():
    assert balanced_sample(np.array([0.0, 1.0, 1.0]), np.ones((3, 1)), stream(1, "b")).tolist() == [False, True, True]
    assert balanced_sample(np.zeros(0), np.zeros((0, 2)), stream(1, "b")).size == 0


def test_collinear_variables_are_allowed():
    chance = np.full(500, 0.2)
    half = np.arange(500) % 2
    variables = np.column_stack([np.ones(500), half, 1 - half, half])
    drawn = balanced_sample(chance, variables, stream(1, "b"))
    assert drawn.sum() == 100
    assert drawn[half == 1].sum() == 50


@pytest.mark.parametrize(("chance", "rows"), [([0.5, 1.5], 2), ([0.5, np.nan], 2), ([0.5, 0.5], 3)])
def test_invalid_chances_are_refused(chance, rows):
    with pytest.raises(ValueError, match="chance"):
        balanced_sample(np.array(chance), np.ones((rows, 1)), stream(1, "b"))
