"""The tables: what each row shows, and that no suppressed number is printed."""

from __future__ import annotations

import pandas as pd
import pytest

from stegvis.reporting.markup import render_table
from stegvis.reporting.tables import (
    bridge_table,
    characteristics_table,
    checks_table,
    claims_table,
    publications_table,
    results_table,
    trend_table,
)
from tests.stegvis.reporting.sample_report import (
    PROTOCOL,
    WORDS,
    bridge,
    characteristics,
    checks,
    claims,
    provenance,
    result,
    results,
    suppress,
)


def rows_of(table):
    return {row[0]: row[1:] for group in table.groups for row in group.rows}


def test_table_1_puts_the_total_first_and_formats_each_kind_of_number():
    table = characteristics_table(characteristics(), "walking_minutes", WORDS)
    assert table.columns == (
        "Characteristic", "All", "<78 min/day", "78–100 min/day", "101–124 min/day", "≥125 min/day",
    )  # fmt: skip
    rows = rows_of(table)
    assert rows["Participants"][0] == "11,194"
    assert rows["Age, years"][0] == "58.3 (15.1)"
    assert rows["Walking intensity, MET"][0] == "3.05 (0.21)"
    assert rows["female"][0] == "6,560 (58.6%)"


def test_table_1_takes_totals_that_belong_to_no_exposure():
    frame = characteristics()
    frame.loc[frame["category"] == "all", "exposure"] = "all"
    expected = characteristics_table(characteristics(), "walking_minutes", WORDS)
    assert characteristics_table(frame, "walking_minutes", WORDS) == expected
    assert characteristics_table(frame, "walking_met", WORDS) is None


def test_table_1_does_not_print_a_suppressed_number_that_is_in_the_row():
    frame = characteristics()
    hidden = frame["status"] == "suppressed"
    frame.loc[hidden, "n"] = 4321
    frame.loc[hidden, "percent"] = 43.21
    html = render_table(characteristics_table(frame, "walking_minutes", WORDS))
    assert "not shown" in html
    assert "4,321" not in html
    assert "43.2" not in html


def test_results_table():
    rows = rows_of(results_table(results(), ["walking_minutes"], WORDS))
    assert rows["<78"] == ("1 (reference)", "–", "–", "1 (reference)", "2,801", "488")
    assert rows["≥125"] == (
        "0.76 (0.67 to 0.87)", "p < 0.001", "1.95 (1.57)", "0.74 (0.65 to 0.84)", "2,797", "371",
    )  # fmt: skip


def test_the_main_table_has_a_group_per_exposure_and_the_adjusted_ratio_first():
    table = results_table(results(), ["walking_minutes", "walking_met"], WORDS)
    assert [group.heading for group in table.groups] == ["Walking volume, min/day", "Walking intensity, MET"]
    assert [len(group.rows) for group in table.groups] == [4, 4]
    assert table.columns[1] == "Fully adjusted RR (95% CI)"


def test_results_table_shows_nothing_of_a_suppressed_category():
    rows = rows_of(results_table(suppress(results(), "101-124"), ["walking_minutes"], WORDS))
    assert rows["101–124"] == ("not shown", "–", "–", *("not shown",) * 3)


def test_estimates_of_a_suppressed_row_are_not_printed_but_its_participants_may_be():
    changed = suppress(results(), "101-124", keep_numbers=True)
    changed.loc[changed["level"] == "101-124", "events"] = None
    rows = rows_of(results_table(changed, ["walking_minutes"], WORDS))
    assert rows["101–124"] == ("not shown", "–", "–", "not shown", "2,799", "not shown")


def test_results_table_gives_the_reason_once_when_not_estimable():
    changed = results()
    hidden = changed["level"] == ">=125"
    numbers = ["estimate", "ci_low", "ci_high", "p_value", "e_value", "e_value_ci"]
    changed.loc[hidden, "status"] = "not_estimable"
    changed.loc[hidden, numbers] = None
    changed.loc[hidden, "note"] = "level 4 has fewer than 5 events"
    table = results_table(changed, ["walking_minutes"], WORDS)
    assert rows_of(table)["≥125"][:4] == ("not estimable", "–", "–", "not estimable")
    assert table.note.count("level 4 has fewer than 5 events") == 1


def test_trend_table():
    rows = rows_of(trend_table(results(), "walking_met", PROTOCOL))
    assert rows["Any difference between categories (joint Wald test)"] == ("p = 0.002", "p = 0.002")
    assert rows["Trend over category medians, per 0.1 MET"][1] == "0.93 (0.90 to 0.96), p < 0.001"


def test_trend_table_prints_nothing_that_is_not_ok():
    frame = pd.DataFrame(
        [
            result(
                analysis="trend", measure="rr", exposure="walking_met", model="adjusted", term="walking_met_linear",
                p_value=0.0123, status="suppressed",
            )
        ]
    )  # fmt: skip
    assert rows_of(trend_table(frame, "walking_met", PROTOCOL)) == {
        "Trend over the exposure itself": ("–", "not shown")
    }


def test_failed_blocking_checks_come_first_and_small_counts_are_not_printed():
    table = checks_table(checks(), "checks-table", "Checks", 5)
    rows = [row for group in table.groups for row in group.rows]
    assert [row[0].split(" <")[0] for row in rows] == [
        "Speeds add up",
        "A day has 24 hours",
        "Every row names a person",
    ]
    assert rows[0][3] == "fewer than 5"
    assert rows[1][2:4] == ("the parts of a day sum to 86,400 s", "1,312")
    assert "failed (critical)" in rows[0][4]
    assert "passed" in rows[2][4]


def test_bridge_shows_before_and_now():
    new = {**bridge()[0], "change": "new", "estimate_before": None}
    gone = {**bridge()[0], "change": "gone", "estimate_now": None}
    hidden = {**bridge()[0], "estimate_now": None, "n_now": None}
    test = {**bridge()[0], "measure": "p_joint", "estimate_now": 0.0021, "n_now": None}
    rows = [row for group in bridge_table([*bridge(), new, gone, hidden, test], PROTOCOL).groups for row in group.rows]
    assert rows[0] == (
        "Walking volume ≥125 min/day", "2021-2023", "main, fully adjusted",
        "0.78 (0.69 to 0.88), 2,750 participants", "0.76 (0.67 to 0.87), 2,797 participants",
    )  # fmt: skip
    assert rows[1][3] == "new"
    assert rows[2][4] == "no longer published"
    assert rows[3][4] == "not shown"
    assert rows[4][4] == "p = 0.002"


def test_rows_in_any_order_give_the_same_tables():
    shuffled = results().sample(frac=1, random_state=7)
    assert results_table(shuffled, ["walking_met"], WORDS) == results_table(results(), ["walking_met"], WORDS)
    mixed = characteristics().sort_values("category", kind="stable")
    columns = characteristics_table(characteristics(), "walking_minutes", WORDS).columns
    assert characteristics_table(mixed, "walking_minutes", WORDS).columns == columns


@pytest.mark.parametrize(
    "table",
    [
        results_table(results().iloc[:0], ["walking_met"], WORDS),
        trend_table(results().iloc[:0], "walking_met", PROTOCOL),
        claims_table([]),
        checks_table([], "checks-table", "Checks", 5),
        bridge_table([], PROTOCOL),
        publications_table([]),
    ],
)
def test_no_rows_no_table(table):
    assert table is None


def test_claims_state_their_conclusion_in_words():
    html = render_table(claims_table(claims()))
    assert '<span class="tag good">supported</span>' in html
    assert '<span class="tag bad">not supported</span>' in html


def test_each_wave_names_the_release_that_published_it_with_the_whole_hash():
    html = render_table(publications_table(provenance()["published"]))
    assert f"<code>{'ab' * 32}</code>" in html
    assert "2025-004" in html
