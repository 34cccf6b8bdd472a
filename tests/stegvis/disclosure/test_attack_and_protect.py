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
from stegvis.disclosure.counts import Counts, within
from stegvis.disclosure.protect import protect, unprotected

# Bounds and optima computed in R 4.2.2 with lpSolve, by trying all patterns.
EXAMPLES = json.loads(Path(__file__).with_name("sdc.json").read_text(encoding="utf-8"))["lp_examples"]

tables = st.tuples(st.integers(2, 4), st.integers(2, 5)).flatmap(
    lambda shape: arrays("int64", shape, elements=st.integers(0, 12))
)


def counts_of(table) -> Counts:
    """A two-way table of which rows, columns and everyone are published too."""
    table = np.asarray(table)
    counts = Counts()
    counts.publish(("t",), int(table.sum()))
    for row in range(table.shape[0]):
        counts.publish(("t", f"row={row + 1}"), int(table[row].sum()))
        for column in range(table.shape[1]):
            counts.publish(cell(row + 1, column + 1), int(table[row, column]))
    for column in range(table.shape[1]):
        counts.publish(("t", f"column={column + 1}"), int(table[:, column].sum()))
    counts.close()
    return counts


def cell(row, column):
    return within(("t",), f"row={row}", f"column={column}")


def known(counts, hidden):
    return {group: counts.values[group] for group in counts.published if group not in hidden}


def small_in(counts, smallest):
    return {group for group, count in counts.values.items() if 0 < count < smallest}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["name"])
def test_bounds_of_suppressed_cells_equal_the_reference(example):
    counts = counts_of(example["table"])
    for hidden in (example["primary"], example["optimum"]["suppressed"]):
        cells = [cell(*place) for place in hidden]
        found = ranges(counts.relations, known(counts, set(cells)), cells)
        published = example["primary_only"] if hidden is example["primary"] else example["optimum"]["bounds"]
        expected = {cell(each["row"], each["col"]): (each["lo"], each["hi"]) for each in published["cells"]}
        assert found == expected


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["name"])
def test_as_few_and_as_small_counts_are_suppressed_as_in_the_optimum(example):
    counts = counts_of(example["table"])
    small = small_in(counts, example["threshold"])
    assert small == {cell(*place) for place in example["primary"]}
    width = example["required_width"]
    assert unprotected(counts, small, small, width)
    found = protect(counts, small, small, width)
    further = found.hidden - small
    assert len(further) == example["optimum"]["extra_cells"]
    assert sum(counts.values[group] for group in further) == example["optimum"]["extra_total"]
    assert not found.unprotected


@settings(deadline=None, max_examples=40)
@given(tables, st.integers(2, 6), st.integers(1, 6))
def test_whatever_the_table_no_small_count_can_be_bounded_closely(table, smallest, width):
    counts = counts_of(table)
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
    counts = Counts()
    counts.publish(("t",), 1000)
    counts.publish(("t", "sample=in"), 997)
    counts.split(("t",), ("t", "sample=in"), ("t", "sample=out"))
    out = {("t", "sample=out")}
    assert unprotected(counts, set(), out, 5) == sorted(out)
    assert protect(counts, set(), out, 5).hidden == {("t", "sample=in")}
    # Nothing helps where both are known anyway, and that is said.
    assert protect(counts, set(), out, 5, fixed={("t",), ("t", "sample=in")}).unprotected == tuple(out)


def test_a_count_that_nothing_bounds_has_no_largest_value():
    relations = [(("t",), (("t", "a=1"), ("t", "a=2")))]
    assert ranges(relations, {("t", "a=1"): 7}, [("t",), ("t", "a=2")]) == {
        ("t",): (7, math.inf),
        ("t", "a=2"): (0, math.inf),
    }


def test_impossible_counts_are_refused():
    relations = [(("t",), (("t", "a=1"), ("t", "a=2")))]
    with pytest.raises(ContradictionError):
        ranges(relations, {("t",): 3, ("t", "a=1"): 7}, [("t", "a=2")])
    with pytest.raises(ContradictionError):
        ranges(relations, {("t",): 3, ("t", "a=1"): 1, ("t", "a=2"): 1}, [])


def test_relations_follow_from_names_only_where_the_counts_add_up():
    counts = Counts()
    counts.publish(("t",), 10)
    counts.publish(("t", "sex=female"), 4)
    counts.publish(("t", "sex=male"), 6)
    counts.publish(("t", "age=old"), 3)  # the young are published nowhere
    counts.close()
    assert counts.relations == [(("t",), (("t", "sex=female"), ("t", "sex=male")))]


def test_an_empty_group_is_no_relation():
    """Nobody of the old is severely ill: it does not follow that the mildly ill are all who are ill."""
    counts = Counts()
    counts.publish(("t", "age=old", "ill=yes"), 3)
    counts.publish(("t", "age=old", "grade=mild", "ill=yes"), 3)
    counts.publish(("t", "grade=severe"), 6)
    counts.close()
    assert counts.relations == []
