"""The attacker and the protection against him, held against reference answers and against tables drawn at random."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stegvis.disclosure.attack import ContradictionError, ranges
from stegvis.disclosure.counts import Counts, counts_of
from stegvis.disclosure.overlaps import Overlaps
from stegvis.disclosure.protect import protect, unprotected
from tests.sizes import examples

# Bounds and optima computed in R 4.2.2 with lpSolve, by trying all patterns.
EXAMPLES = json.loads(Path(__file__).with_name("sdc.json").read_text(encoding="utf-8"))["lp_examples"]

tables = st.tuples(st.integers(2, 4), st.integers(2, 5)).flatmap(
    lambda shape: arrays("int64", shape, elements=st.integers(0, 12))
)


def counts_of_table(table) -> Counts:
    """A two-way table of which rows, columns and everyone are published too."""
    table = np.asarray(table)
    rows, columns = table.shape
    counts = Counts({0: int(table.sum())})
    for row in range(rows):
        counts.values[ROW + row] = int(table[row].sum())
        for column in range(columns):
            counts.values[cell(row + 1, column + 1)] = int(table[row, column])
        counts.relations.append((ROW + row, tuple(cell(row + 1, column + 1) for column in range(columns))))
    for column in range(columns):
        counts.values[COLUMN + column] = int(table[:, column].sum())
        counts.relations.append((COLUMN + column, tuple(cell(row + 1, column + 1) for row in range(rows))))
    counts.relations.append((0, tuple(ROW + row for row in range(rows))))
    counts.relations.append((0, tuple(COLUMN + column for column in range(columns))))
    counts.published = dict.fromkeys(counts.values, 1)
    return counts


ROW, COLUMN = 1000, 2000


def cell(row, column):
    return 10000 + 100 * row + column


def known(counts, hidden):
    return {group: counts.values[group] for group in counts.published if group not in hidden}


def small_in(counts, smallest):
    return {group for group, count in counts.values.items() if 0 < count < smallest}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["name"])
def test_bounds_of_suppressed_cells_equal_the_reference(example):
    counts = counts_of_table(example["table"])
    for hidden in (example["primary"], example["optimum"]["suppressed"]):
        cells = [cell(*place) for place in hidden]
        found = ranges(counts.relations, known(counts, set(cells)), cells)
        published = example["primary_only"] if hidden is example["primary"] else example["optimum"]["bounds"]
        expected = {cell(each["row"], each["col"]): (each["lo"], each["hi"]) for each in published["cells"]}
        assert found == expected


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["name"])
def test_as_few_and_as_small_counts_are_suppressed_as_in_the_optimum(example):
    counts = counts_of_table(example["table"])
    small = small_in(counts, example["threshold"])
    assert small == {cell(*place) for place in example["primary"]}
    width = example["required_width"]
    assert unprotected(counts, small, small, width)
    found = protect(counts, small, small, width)
    further = found.hidden - small
    assert len(further) == example["optimum"]["extra_cells"]
    assert sum(counts.values[group] for group in further) == example["optimum"]["extra_total"]
    assert not found.unprotected


@settings(deadline=None, max_examples=examples(40))
@given(tables, st.integers(2, 6), st.integers(1, 6))
def test_whatever_the_table_no_small_count_can_be_bounded_closely(table, smallest, width):
    counts = counts_of_table(table)
    small = small_in(counts, smallest)
    found = protect(counts, small & counts.published.keys(), small, width)
    assert not found.unprotected
    # The whole attack, without what the auditor knows.
    bounds = ranges(counts.relations, known(counts, found.hidden), sorted(small))
    assert all(high - low >= width for low, high in bounds.values())
    assert all(low <= counts.values[group] <= high for group, (low, high) in bounds.items())
    if not small:
        assert not found.hidden


def test_a_count_that_is_not_published_but_can_be_derived_is_protected_too():
    """1,000 people, of whom 997 are in a sample: 3 are not, whom no table mentions."""
    counts = Counts({0: 1000, 1: 997, 2: 3}, {0: 1, 1: 1}, [(0, (1, 2))])
    out = {2}
    assert unprotected(counts, set(), out, 5) == [2]
    assert protect(counts, set(), out, 5).hidden == {1}
    # Nothing helps where both are known anyway, and that is said.
    assert protect(counts, set(), out, 5, fixed={0, 1}).unprotected == (2,)


def test_a_count_that_nothing_bounds_has_no_largest_value():
    assert ranges([(0, (1, 2))], {1: 7}, [0, 2]) == {0: (7, math.inf), 2: (0, math.inf)}


def test_impossible_counts_are_refused():
    relations = [(0, (1, 2))]
    with pytest.raises(ContradictionError):
        ranges(relations, {0: 3, 1: 7}, [2])
    with pytest.raises(ContradictionError):
        ranges(relations, {0: 3, 1: 1, 2: 1}, [])


def test_a_range_between_halves_of_people_is_not_thought_wider_than_it_is():
    """Two solutions give count 9 as 3.5 and as 8.5: five apart, and yet only 4 to 8 were seen to be possible."""
    parts = [(0, 1, 3, 4), (0, 1, 2, 4, 5, 7, 8), (1, 6, 9), (0, 1, 2, 3, 5, 7, 9), (0, 4, 8, 9)]
    counts = Counts(dict(enumerate([1, 2, 0, 3, 5, 1, 4, 3, 6, 7])))
    for number, each in enumerate(parts, start=10):
        counts.values[number] = sum(counts.values[part] for part in each)
        counts.published[number] = 1
        counts.relations.append((number, each))
    exact = ranges(counts.relations, known(counts, set()), range(10))
    enough = ranges(counts.relations, known(counts, set()), range(10), counts.values, enough=5)
    assert exact[9] == (4, 9)
    assert all(high - low >= 5 for low, high in enough.values())
    assert protect(counts, set(), set(range(10)), 5).hidden == set()


def test_a_search_that_takes_too_long_ends_and_says_so(monkeypatch):
    """Six by six counts under 5 with their sums: without a step of the simplex method nothing can be found."""
    counts = counts_of_table(np.full((6, 6), 3))
    small = small_in(counts, 5)
    assert not protect(counts, small, small, 8).unprotected
    monkeypatch.setattr("stegvis.disclosure.attack.LONGEST_SEARCH", 0)
    monkeypatch.setattr("stegvis.disclosure.protect.LONGEST_SEARCH", 0)
    assert set(protect(counts, small, small, 8).unprotected) == small


def people_in(*groups):
    return Overlaps(np.array([[person in group for person in range(10)] for group in groups]))


def test_relations_follow_from_the_people():
    """Everyone, women, men, cases, cases among women, cases among men."""
    matrix = people_in(range(10), range(4), range(4, 10), {0, 1, 5}, {0, 1}, {5})
    found = counts_of(matrix, dict.fromkeys(range(6), 1), [(0, 3), (1, 4), (2, 5)], [(1, 2)])
    assert {(0, (1, 2)), (3, (4, 5))} <= set(found.relations)
    others = {(total, parts[-1]) for total, parts in found.relations if len(parts) == 2 and parts[-1] > 5}
    assert {total for total, _ in others} >= {0, 1, 2}
    # Whoever is no case is a woman or a man as well.
    assert any(total > 5 and all(part > 5 for part in parts) for total, parts in found.relations)
    assert all(found.values[total] == sum(found.values[part] for part in parts) for total, parts in found.relations)


def test_groups_that_do_not_add_up_are_no_relation():
    matrix = people_in(range(10), range(4), range(4, 9))  # person 9 is in neither group
    assert counts_of(matrix, dict.fromkeys(range(3), 1), [], [(1, 2)]).relations == []
