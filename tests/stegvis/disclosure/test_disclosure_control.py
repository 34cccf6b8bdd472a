"""Disclosure control of one release: what is suppressed, what is published, and what an attacker can infer."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from stegvis.disclosure.attack import ranges
from stegvis.disclosure.counts import CASE, OTHER, within
from stegvis.disclosure.earlier import differing, too_close
from stegvis.disclosure.leaving import control_across_waves, control_disclosure
from stegvis.disclosure.rounding import rounded
from stegvis.disclosure.tables import ACROSS, Tables, counted
from stegvis.statistics.results import ESTIMATE_COLUMNS, validate
from tests.stegvis.conftest import PROTOCOL
from tests.stegvis.disclosure.made_tables import (
    FIXED,
    LOW,
    SMALL,
    WAVE,
    changed,
    controlled,
    results_of,
    tables_of,
    together,
)

# ---- small counts ----


def test_without_small_counts_everything_is_published():
    results = results_of([(50, 10), (60, 12), (70, 0)])
    found = controlled(results)
    pd.testing.assert_frame_equal(found.tables.results, results)
    assert found.suppressed.empty


@pytest.mark.parametrize("few", [(50, 3), (50, 47)])
def test_few_cases_or_few_non_cases_suppress_the_row_and_one_more_with_their_estimates(few):
    found = controlled(results_of([few, (60, 30), (70, 35), (80, 40)]))
    results = found.tables.results
    assert results["status"].tolist() == ["suppressed", "suppressed", "ok", "ok", "ok"]
    assert results["events"].isna().tolist() == [True, True, False, False, False]
    assert results["n"].tolist() == [50, 60, 70, 80, 260]
    assert results.loc[:1, list(ESTIMATE_COLUMNS)].isna().all(axis=None)
    # Which of the two is the small one is not published.
    assert set(found.suppressed["rule"]) == {SMALL}
    assert results["note"].tolist()[:2] == [SMALL, SMALL]
    assert (
        found.suppressed["cell"].iloc[0] == f"{WAVE} / main / all / age / walking_met / walking_met_category / 0 / rr"
    )


def test_few_people_suppress_n_too():
    results = controlled(results_of([(4, 0), (60, 12), (70, 30)])).tables.results
    assert results["n"].isna().tolist() == [True, True, False, False]
    assert pd.isna(results["events"].iloc[0])


def test_two_models_of_the_same_people_suppress_the_same_counts():
    age = results_of([(50, 3), (60, 12), (60, 12), (80, 35)])
    both = pd.concat([age, age.assign(model="adjusted")], ignore_index=True)
    hidden = controlled(both).tables.results.groupby("model")["events"].agg(lambda events: events.isna().tolist())
    assert hidden["age"] == hidden["adjusted"]
    assert sum(hidden["age"]) == 2


def test_a_note_names_no_level_with_few_cases():
    results = results_of([(50, 3), (60, 12), (70, 30)])
    note = "strict; level 1 of walking_met_category has fewer than 5 events"
    rows = results.assign(status="not_estimable", note=note, **dict.fromkeys(ESTIMATE_COLUMNS, float("nan")))
    notes = controlled(rows).tables.results["note"]
    assert notes.iloc[2] == "strict; a level has fewer than 5 events or non-events"
    assert not notes.str.contains("level 1").any()


def test_types_of_a_database_or_a_file_change_nothing(computed, tmp_path):
    computed.characteristics.to_csv(tmp_path / "c.csv", index=False)
    computed.attrition.to_csv(tmp_path / "a.csv", index=False)
    plain = Tables(
        computed.results.astype({"n": "float64", "events": "float64", "note": object}),
        pd.read_csv(tmp_path / "a.csv"), pd.read_csv(tmp_path / "c.csv"),
    )  # fmt: skip
    one, other = control_disclosure(computed, FIXED), control_disclosure(plain, FIXED)
    pd.testing.assert_frame_equal(one.tables.results, other.tables.results)
    pd.testing.assert_frame_equal(one.suppressed, other.suppressed)


def test_no_small_count_can_be_inferred_from_the_tables_together(people):
    """Margins, strata, nested samples, the flow and Table 1 at once: the attacker has all of them."""
    computed = tables_of(people.iloc[:300])
    found = control_disclosure(computed, FIXED)
    assert not found.unprotected
    counts = counted(computed, LOW).counts
    small = sorted(group for group, count in counts.values.items() if 0 < count < 5)
    assert len(small) > 10
    known = counted(found.tables, LOW).counts
    bounds = ranges(counts.relations, {group: known.values[group] for group in known.published}, small)
    assert all(high - low >= PROTOCOL.release.protection_width for low, high in bounds.values())
    # Primary suppression alone would not protect them.
    alone = {group: count for group, count in counts.values.items() if group in counts.published and group not in small}
    bounds = ranges(counts.relations, alone, small)
    assert sum(high == low for low, high in bounds.values()) > 5
    validate(found.tables.results)


def test_every_count_of_the_analyses_has_a_known_group(computed):
    """Rows of unknown groups are treated alone; here there are none, and every stated relation is used."""
    counts = counted(computed, LOW).counts
    assert not [group for group in counts.values if any(each.startswith("as counted in") for each in group)]
    related = {group for total, parts in counts.relations for group in (total, *parts)}
    assert set(counts.published) <= related
    men = within((WAVE,), "sex=male", "walking_minutes=1 of 4")
    assert (within((WAVE,), "walking_minutes=1 of 4"), tuple(sorted([men, within((WAVE,), "sex=female", "walking_minutes=1 of 4")]))) in counts.relations  # noqa: E501  # fmt: skip
    assert any(total == within((WAVE,), "low=both low") for total, _ in counts.relations)
    assert any(within((WAVE,), "whole day=no") in parts for _, parts in counts.relations)
    assert any(total == within((WAVE,), CASE) and len(parts) == 2 for total, parts in counts.relations)


def test_a_category_whose_size_is_suppressed_is_suppressed_entirely(people):
    few = people[
        (people["walking_minutes_category"] != 4) | (people.groupby("walking_minutes_category").cumcount() < 3)
    ]
    table = control_disclosure(tables_of(few), FIXED).tables.characteristics
    bare = table[table["category"] == ">=125"]
    assert bare["status"].eq("suppressed").all()
    assert bare[["n", "percent", "mean", "sd"]].isna().all(axis=None)


def test_a_small_exclusion_is_suppressed_alike_in_every_wave(people):
    """The steps before the follow-up are the same people: one wave must not publish what another suppresses."""
    n = len(people)
    first = tables_of(people, remaining=[n + 900, n + 898, n + 300, n + 100, n])
    second_people = people.iloc[:-300].assign(wave="2024-2026")
    second = tables_of(second_people, remaining=[n + 900, n + 898, n + 300, n + 150, n - 300])
    one, other = (control_disclosure(each, FIXED).tables.attrition for each in (first, second))
    before = ["cohort", "no_accelerometer_day", "baseline_low_back_pain"]
    hidden = [each.set_index("rule").loc[before, ["excluded", "remaining"]].isna() for each in (one, other)]
    pd.testing.assert_frame_equal(*hidden)
    assert hidden[0].loc["no_accelerometer_day", "excluded"]
    assert not ((one["remaining"].iloc[0] - one["remaining"].iloc[1:3]) == 2).any()


# ---- across waves ----


def test_pooled_results_do_not_reveal_a_small_count_of_a_wave():
    waves = pd.concat(
        [results_of([(50, 3), (60, 12), (70, 30)]), results_of([(55, 15), (65, 17), (75, 33)], "2024-2026")],
        ignore_index=True,
    )
    decided = together([controlled(rows) for _, rows in waves.groupby("wave")])
    pooled = results_of([(105, 18), (125, 29), (145, 63)], ACROSS, analysis="pooled")
    template = {"analysis": "wave_interaction", "wave": ACROSS}
    by_wave = [
        results_of(cells, **template | {"population": f"wave {wave}"}).iloc[:3]
        for wave, cells in ((WAVE, [(50, 3), (60, 12), (70, 30)]), ("2024-2026", [(55, 15), (65, 17), (75, 33)]))
    ]
    everything = pd.concat([waves, pooled, *by_wave], ignore_index=True)
    found = control_across_waves(Tables.of_results(everything), decided, PROTOCOL)
    assert not found.unprotected
    assert set(found.tables.results["wave"]) == {ACROSS}
    across = found.tables.results.set_index(["analysis", "population", "level"])["events"]
    assert pd.isna(across["wave_interaction", f"wave {WAVE}", "0"])
    # The other wave's and the pooled count together would reveal it.
    assert pd.isna(across["wave_interaction", "wave 2024-2026", "0"]) or pd.isna(across["pooled", "all", "0"])


def test_controlled_tables_of_other_rows_are_refused():
    computed = pd.concat([results_of([(50, 10), (60, 12)]), results_of([(105, 18), (125, 29)], ACROSS)])
    found = controlled(results_of([(60, 12), (50, 10)]))
    decided = replace(found, tables=Tables.of_results(found.tables.results.iloc[::-1]))
    with pytest.raises(ValueError, match="not of the rows that were computed"):
        control_across_waves(Tables.of_results(computed), decided, PROTOCOL)


# ---- references ----

SDC = json.loads(Path(__file__).with_name("sdc.json").read_text(encoding="utf-8"))


def test_rounding_as_opensafely_prints_it():
    example = SDC["opensafely_example"]
    columns = list(zip(*example["before"], strict=True))
    after = [list(rounded(pd.Series(each, dtype="Int64").where(lambda n: n > 7), "nearest", 5)) for each in columns]
    expected = [list(each) for each in zip(*example["after"], strict=True)]
    assert [[None if pd.isna(n) else n for n in each] for each in after] == expected
    midpoint = SDC["opensafely_midpoint6"]
    assert rounded(pd.Series(midpoint["x"]), "midpoint", 6).tolist() == midpoint["y"]


def test_small_as_ohdsi_counts_it():
    example = SDC["ohdsi_min_cell"]
    results = results_of([(1, 0), (2, 0), (3, 0)])
    used = PROTOCOL.model_copy(update={"disclosure": PROTOCOL.disclosure.model_copy(update={"smallest_count": 2})})
    hidden = control_disclosure(Tables.of_results(results.iloc[:3]), used).tables.results["n"].isna().tolist()
    assert hidden == [n < 0 for n in example["output"][:3]]


def test_rounding_alone_does_not_protect_between_releases():
    example = SDC["release_differencing"]
    assert rounded(pd.Series(example["wave1"]), "nearest", 5).tolist() == example["wave1_r5"]
    assert rounded(pd.Series(example["wave2"]), "nearest", 5).tolist() == example["wave2_r5"]
    used = changed(rounding="nearest")
    first, second = (results_of([(n, n // 2) for n in example[wave]]) for wave in ("wave1", "wave2"))
    before = controlled(first, used).tables.results
    assert before["n"].tolist()[:4] == example["wave1_r5"]
    after = controlled(second, used, earlier=[before]).tables.results
    assert pd.isna(after["n"].iloc[0])
    assert [n for n in after["n"].iloc[1:4] if pd.notna(n)] == example["wave2_r5"][1:3]


def test_what_is_rounded_is_rounded_everywhere(computed):
    tables = control_disclosure(
        computed, FIXED.model_copy(update={"release": changed(rounding="nearest").release})
    ).tables
    for name, columns in (("results", ("n", "events")), ("attrition", ("remaining",)), ("characteristics", ("n",))):
        for column in columns:
            assert (getattr(tables, name)[column].dropna() % 5 == 0).all()
    table = tables.characteristics
    women = table[(table["level"] == "female") & (table["category"] == "all")].iloc[0]
    everyone = table[(table["variable"] == "people") & (table["category"] == "all")].iloc[0]
    assert women["percent"] == pytest.approx(100 * women["n"] / everyone["n"])


def test_too_close_is_the_whole_group_with_its_cases_and_non_cases():
    then = counted(Tables.of_results(results_of([(50, 10), (60, 12)])), LOW).counts
    now = counted(Tables.of_results(results_of([(50, 11), (60, 12)])), LOW).counts
    first = within((WAVE,), "walking_met=1 of 2")
    close = too_close(now, differing(now, [then], 5))
    assert {first, within(first, CASE), within(first, OTHER), (WAVE,), within((WAVE,), CASE)} <= close
    assert within((WAVE,), "walking_met=2 of 2") not in close
    assert math.isinf(ranges(now.relations, {}, [(WAVE,)])[(WAVE,)][1])
