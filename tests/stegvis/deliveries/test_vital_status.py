"""Deaths and emigrations as delivered: which rows are used, which contradict each other, and which event counts."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from stegvis.deliveries.contract import Contracted
from stegvis.deliveries.vital_status import contract_vital_status, first_event
from tests.study import CODEBOOK

LAYOUT = CODEBOOK["vital_status"]
TODAY = dt.date(2026, 11, 30)


def read(*rows: tuple[str, str, str], latest: dt.date | None = TODAY) -> Contracted:
    raw = pd.DataFrame(rows, columns=["person", "date", "event"], dtype="str")
    return contract_vital_status(raw, LAYOUT, "vital_status.csv", latest)


def used(found: Contracted) -> list[tuple[str, str]]:
    return list(zip(found.frame["person"], found.frame["event"], strict=True))


def broken(found: Contracted) -> list[tuple[int, str]]:
    return [(int(row), rule) for row, rule in zip(found.problems["row"], found.problems["rule"], strict=True)]


def test_deaths_and_emigrations_are_read() -> None:
    found = read(("P1", "2020-02-01", "died"), ("P2", "2021-01-31", "emigrated"))
    assert used(found) == [("P1", "died"), ("P2", "emigrated")]
    assert found.problems.empty
    assert (found.rows_read, found.rows_quarantined) == (2, 0)


def test_what_is_no_event_or_no_date_is_quarantined_alone() -> None:
    rows = [("P1", "2020-02-01", "moved"), ("P2", "31.1.2021", "died"), ("", "2020-02-01", "died"),
            ("P4", "2020-02-01", "")]  # fmt: skip
    found = read(*rows, ("P5", "2020-02-01", "died"))
    assert used(found) == [("P5", "died")]
    assert broken(found) == [(2, "unknown_code"), (3, "wrong_type"), (4, "blank"), (5, "blank")]
    assert found.rows_quarantined == 4


def test_nobody_dies_tomorrow_unless_the_people_are_synthetic() -> None:
    rows = [("P1", "2026-11-30", "died"), ("P2", "2026-12-01", "died")]
    found = read(*rows)
    assert used(found) == [("P1", "died")]
    assert broken(found) == [(3, "in_the_future")]
    assert len(used(read(*rows, latest=None))) == 2


def test_an_emigration_and_a_later_death_are_both_kept() -> None:
    found = read(("P1", "2020-02-01", "emigrated"), ("P1", "2021-02-01", "died"))
    assert len(used(found)) == 2
    assert found.problems.empty


def test_an_exact_repeat_costs_itself() -> None:
    found = read(("P1", "2020-02-01", "died"), ("P1", "2020-02-01", "died"))
    assert used(found) == [("P1", "died")]
    assert broken(found) == [(3, "duplicate")]


def test_rows_that_cannot_both_be_true_are_quarantined_together() -> None:
    twice = [("P1", "2020-02-01", "died"), ("P1", "2020-02-02", "died")]
    backwards = [("P2", "2021-02-01", "emigrated"), ("P2", "2020-02-02", "died")]
    found = read(*twice, ("P3", "2020-02-01", "died"), *backwards)
    assert used(found) == [("P3", "died")]
    assert broken(found) == [(2, "contradictory"), (3, "contradictory"), (5, "contradictory"), (6, "contradictory")]
    assert found.rows_quarantined == 4
    assert not found.problems["message"].str.contains("2020|P1|P2").any()


def test_the_first_event_of_the_newest_delivery_counts() -> None:
    rows = pd.DataFrame(
        [
            ("P1", "2020-02-01", "emigrated", "a"),
            ("P1", "2021-02-01", "died", "a"),
            ("P2", "2020-02-01", "died", "a"),
            ("P2", "2020-03-01", "emigrated", "b"),
            ("P3", "2020-03-01", "emigrated", "b"),
            ("P3", "2020-03-01", "died", "b"),
        ],
        columns=["person", "date", "event", "delivery"],
    ).astype({"date": "datetime64[us]"})
    found = first_event(rows)
    assert list(zip(found["person"], found["event"], strict=True)) == [
        ("P1", "emigrated"),
        ("P2", "emigrated"),
        ("P3", "died"),
    ]
