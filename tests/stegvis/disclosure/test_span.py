"""Small sets: the searches for them, and the sets that may be published without defining one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stegvis.disclosure.overlaps import Overlaps
from stegvis.disclosure.small_sets import small_sets
from stegvis.disclosure.span import _Span, choose, defined
from stegvis.statistics.members import unpacked
from tests.memory import forget_peak, peak_megabytes
from tests.sizes import examples


def sets(people, *groups):
    return Overlaps(np.array([[person in group for person in range(people)] for group in groups]))


def some(found, *numbers):
    return Overlaps(found.matrix[list(numbers)])


def test_the_searches_find_sets_others_sums_and_differences():
    drawn = sets(100, range(60), range(57), range(3), range(60, 100), range(20, 60), range(20, 58))
    assert (0, 1, 2) in small_sets(drawn, [], [], 5)  # a set itself
    assert (57, 58, 59) in small_sets(drawn, [], [], 5)  # a difference of nested sets
    assert (57, 58, 59) in small_sets(some(drawn, 0, 1), [(0, 1)], [], 5)  # people who are not cases
    # Sums: 0-59 and 60-99 are a hundred; all but two are in 20-57, 60-99 and 0-19.
    drawn = sets(100, range(98), range(20), range(20, 60), range(60, 100))
    assert small_sets(drawn, [], [], 5) == []
    assert small_sets(drawn, [], [(1, 2, 3)], 5) == [(98, 99)]


def test_people_who_are_alike_count_as_many():
    """Groups of 60, 3 and 1 people: the last two are few, together or not, and the first is not."""
    groups = Overlaps(np.array([[1, 1, 1], [1, 1, 0]], dtype=bool), np.array([60, 3, 1]))
    assert groups.sizes.tolist() == [64, 63]
    assert small_sets(groups, [], [], 5) == [(2,)]
    assert choose(groups, [0, 1], [(2,)], 5).published == {0}
    assert defined(groups, [0, 1], [(2,), (1, 2)]) == [(2,)]


def test_a_combination_of_many_sets_is_found_by_leverage():
    """Nobody is the difference of two sets, yet sums and differences of all of them give one person alone."""
    random = np.random.default_rng(3)
    base = random.random((6, 40)) < 0.5
    alone = np.zeros(40, dtype=bool)
    alone[7] = True
    union = base.sum(axis=0) + alone
    matrix = np.vstack([base, [(union >> bit) & 1 == 1 for bit in range(3)]])
    assert (7,) not in small_sets(Overlaps(matrix), [], [], 5)
    every = Overlaps(np.vstack([matrix, alone | base[0]]) if not base[0, 7] else matrix)
    assert defined(every, choose(every, range(len(every.matrix)), [(7,)], 5).published, [(7,)]) == []


@settings(deadline=None, max_examples=examples(60))
@given(st.integers(6, 30).flatmap(lambda n: arrays(bool, st.tuples(st.integers(2, 12), st.just(n)))))
def test_whatever_the_sets_no_small_one_is_defined_by_the_chosen(matrix):
    pairs = [(0, 1)] if not (matrix[1] & ~matrix[0]).any() else []
    drawn = Overlaps(matrix)
    small = small_sets(drawn, pairs, [], 5)
    chosen = choose(drawn, range(len(matrix)), small, 5).published
    assert defined(drawn, chosen, small) == []
    assert defined(drawn, chosen, [(person,) for person in range(matrix.shape[1])]) == []
    # The most important set is published unless it is small itself, or its people can be distinguished.
    if not small and matrix[0].sum() >= 5 and matrix.all():
        assert 0 in chosen


@settings(deadline=None, max_examples=examples(30))
@given(arrays(bool, st.tuples(st.integers(1, 6), st.integers(1, 9))))
def test_the_audit_agrees_with_elimination(matrix):
    """The span by rank: a set is in it if adding its vector does not raise the rank."""
    for person in range(matrix.shape[1]):
        vector = np.zeros((1, matrix.shape[1]))
        vector[0, person] = 1
        rank = np.linalg.matrix_rank(matrix.astype(float))
        inside = np.linalg.matrix_rank(np.vstack([matrix.astype(float), vector])) == rank
        assert (defined(Overlaps(matrix), range(len(matrix)), [(person,)]) == [(person,)]) == inside


def test_what_is_published_already_comes_first():
    """Earlier 100 people were counted: 97 of them must not be counted now."""
    drawn = sets(100, range(97), range(50), range(100))
    small = [(97, 98, 99)]
    assert choose(drawn, [0, 1], small, 5, fixed=[2]).published == {1}
    assert choose(drawn, [0, 1], small, 5).published == {0, 1}
    # What earlier releases define already is known, and hides nothing else.
    found = choose(drawn, [1], small, 5, fixed=[0, 2])
    assert found.published == {1}
    assert (97, 98, 99) in found.known


def test_two_people_who_can_only_be_distinguished_together_are_found():
    """a + b is in the span although neither a nor b is."""
    drawn = sets(20, [*range(10), 10], [*range(10), 11, 12], [12, *range(13, 20)], [*range(13, 20)])
    chosen = choose(drawn, range(4), small_sets(drawn, [], [], 5), 5).published
    pairs = [(one, other) for one in range(20) for other in range(one)]
    assert defined(drawn, chosen, pairs) == []


def test_the_choice_goes_on_where_a_pair_was_found_and_ends_as_if_it_had_been_known(monkeypatch):
    watched = []
    watch = _Span.watch
    monkeypatch.setattr(_Span, "watch", lambda span, more, where: watched.append(more) or watch(span, more, where))
    for seed in range(30):
        random = np.random.default_rng(seed)
        groups = int(random.integers(8, 25))
        matrix = np.unique(random.random((random.integers(10, 60), groups)) < random.uniform(0.1, 0.9), axis=0)
        drawn = Overlaps(matrix, random.choice([1, 1, 1, 2, 3, 6, 20], groups))
        order, fixed, before = range(3, len(matrix)), range(3), len(watched)
        on_the_way = choose(drawn, order, [], 5, fixed).published
        pairs = [pair for more in watched[before:] for pair in more]
        assert on_the_way == choose(drawn, order, pairs, 5, fixed).published
    assert len(watched) >= 5


def test_bits_come_back_as_they_were_packed():
    import pandas as pd

    assert unpacked(pd.Series([b"\x80", b"\x40"]), 1).tolist() == [[True, False], [False, True]]
    assert unpacked(pd.Series([], dtype="object"), 3).shape == (6, 0)


def test_pairs_that_never_end_cost_sets_and_not_time(monkeypatch):
    """Whatever is found again and again: fewer sets are published each time, at last none."""
    drawn = Overlaps(np.random.default_rng(1).random((40, 60)) < 0.5)
    found = iter([(one, other) for one in range(60) for other in range(one)])
    monkeypatch.setattr("stegvis.disclosure.span._pairs", lambda span, *_: [next(found)] if span.rows else [])
    assert len(choose(drawn, range(40), [], 5).published) == 0


@pytest.mark.slow
def test_a_wave_at_full_size_takes_little_memory():
    """Sets drawn as the analyses draw them: categories by strata and samples, with their cases."""
    forget_peak()
    before = peak_megabytes()
    sets_of_wave = drawn(np.random.default_rng(1), people=18_000, sets_of=500)
    small = small_sets(sets_of_wave, [], [], 5)
    chosen = choose(sets_of_wave, range(len(sets_of_wave.matrix)), small, 5)
    assert defined(sets_of_wave, chosen.published, small) == []
    assert peak_megabytes() - before < 600


def drawn(random: np.random.Generator, people: int, sets_of: int) -> Overlaps:
    columns = random.integers(0, 4, size=(12, people))
    case = random.random(people) < 0.2
    rows = []
    while len(rows) < sets_of:
        one, other = random.integers(0, 12, size=2)
        level, second = random.integers(0, 4, size=2)
        rows.append((columns[one] == level) & (columns[other] == second) if len(rows) % 2 else columns[one] >= level)
        rows.append(rows[-1] & case)
    return Overlaps(np.unique([row for row in rows if row.any()], axis=0)[:sets_of])
