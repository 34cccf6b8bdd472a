"""Disclosure control of tables: what is suppressed, what is published, and what their sets of people give away."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stegvis.disclosure.control import _sources, control_across_waves, control_disclosure
from stegvis.disclosure.decision import decide
from stegvis.disclosure.imprecise import IMPRECISE, TOO_FEW
from stegvis.disclosure.people_sets import SetsError, people_sets
from stegvis.disclosure.published import of_wave
from stegvis.disclosure.rounding import rounded
from stegvis.disclosure.small_sets import small_sets
from stegvis.disclosure.span import defined
from stegvis.disclosure.tables import Tables, blocks, pairs, typed
from stegvis.statistics.members import MembersError
from stegvis.statistics.results import ESTIMATE_COLUMNS, ResultRow, members_of, to_frame, validate
from stegvis.study.waves import ACROSS
from tests.stegvis.conftest import PROTOCOL, analysis_set_of
from tests.stegvis.disclosure.made_tables import (
    ANALYSES,
    SMALL,
    WAVE,
    across_of,
    changed,
    computed_of,
    controlled,
    rows_from,
)

# ---- small counts ----


def test_without_small_counts_everything_is_published():
    rows = rows_from([(50, 10), (60, 12), (70, 0)])
    found = controlled(rows)
    expected = to_frame(rows)
    pd.testing.assert_frame_equal(found.tables.results[["n", "events", "status"]], expected[["n", "events", "status"]])
    assert found.suppressed.empty


def test_a_ratio_that_says_less_than_two_people_would_is_not_published():
    """The limits 1/39 and 39 may be published, wider ones not; other ratios and the counts stay."""
    rows = rows_from([(50, 10), (60, 12), (70, 20), (80, 9)])
    limits = [(1.0, 1 / 39 + 1e-9, 39.0), (3124.0, 0.5, 2e7), (0.001, 1e-6, 1.1)]
    for at, (estimate, low, high) in enumerate(limits):
        rows[at] = replace(rows[at], estimate=estimate, ci_low=low, ci_high=high)
    found = controlled(rows)
    made = found.tables.results
    assert list(made["status"]) == ["ok", "not_estimable", "not_estimable", "ok", "ok"]
    assert made.loc[[1, 2], list(ESTIMATE_COLUMNS)].isna().all(axis=None)
    assert made["note"].str.endswith(IMPRECISE).tolist() == [False, True, True, False, False]
    assert made["n"].notna().all()
    assert found.suppressed.empty


def test_where_no_main_ratio_is_published_nothing_is_estimated():
    """A trend beside the sentence that there were too few people would read as the result; counts are not affected."""
    rows = rows_from([(50, 10), (60, 2), (70, 3), (80, 1)])
    rows = [replace(row, reference="0") for row in rows]
    trend = replace(rows[-1], analysis="trend", term="walking_met_linear", measure="rr")
    made = controlled([*rows, trend]).tables.results
    shown = made[made["estimate"].notna()]
    assert shown.empty
    assert made["status"].iloc[-1] == "not_estimable"
    assert made["note"].iloc[-1] == TOO_FEW
    assert made["n"].iloc[-1] == 260
    enough = [replace(row, reference="0") for row in rows_from([(50, 10), (60, 12), (70, 30), (80, 1)])]
    made = controlled([*enough, replace(trend, n=260, events=enough[-1].events, members=enough[-1].members)])
    assert made.tables.results["status"].iloc[-1] == "ok"


@pytest.mark.parametrize("few", [(50, 3), (50, 47)])
def test_few_cases_or_few_non_cases_suppress_the_row_and_one_more_with_their_estimates(few):
    found = controlled(rows_from([few, (60, 30), (70, 35), (80, 40)]))
    results = found.tables.results
    assert results["status"].tolist() == ["suppressed", "suppressed", "ok", "ok", "ok"]
    assert results["events"].isna().tolist() == [True, True, False, False, False]
    assert results["n"].tolist() == [50, 60, 70, 80, 260]
    assert results.loc[:1, list(ESTIMATE_COLUMNS)].isna().all(axis=None)
    # Which of the two is the small one is not published.
    assert set(found.suppressed["rule"]) == {SMALL}
    assert results["note"].tolist()[:2] == [SMALL, SMALL]
    cell = f"{WAVE} / main / all / age / walking_met / walking_met_category / 0 / rr"
    assert cell in set(found.suppressed["cell"])


def test_few_people_suppress_n_too():
    results = controlled(rows_from([(4, 0), (60, 12), (70, 30)])).tables.results
    assert results["n"].isna().tolist() == [True, True, False, False]
    assert pd.isna(results["events"].iloc[1])


def test_two_models_of_the_same_people_suppress_the_same_counts():
    cells = [(50, 3), (60, 12), (60, 12), (80, 35)]
    both = [*rows_from(cells), *rows_from(cells, model="adjusted")]
    hidden = controlled(both).tables.results.groupby("model")["events"].agg(lambda events: events.isna().tolist())
    assert hidden["age"] == hidden["adjusted"]
    assert sum(hidden["age"]) == 2


def test_a_note_names_no_level_with_few_cases_and_keeps_the_threshold():
    note = "strict; level 1 of walking_met_category has fewer than 5 events; fewer than 5 incomplete rows left out"
    rows = [replace(row, note=note) for row in rows_from([(50, 3), (60, 12), (70, 30)])]
    notes = controlled(rows).tables.results["note"]
    assert notes.iloc[2] == (
        "strict; a level has fewer than 5 events or non-events; fewer than 5 incomplete rows left out"
    )
    assert notes.iloc[0].endswith("fewer than 5 incomplete rows left out")
    assert not notes.str.contains("level 1").any()


def test_types_of_a_database_or_a_file_change_nothing(few_computed, tmp_path):
    tables, people = few_computed
    tables.characteristics.to_csv(tmp_path / "c.csv", index=False)
    tables.attrition.to_csv(tmp_path / "a.csv", index=False)
    plain = Tables(
        tables.results.astype({"n": "float64", "events": "float64", "note": object}),
        pd.read_csv(tmp_path / "a.csv"), pd.read_csv(tmp_path / "c.csv"),
    )  # fmt: skip
    one, other = control_disclosure(tables, people, PROTOCOL), control_disclosure(plain, people, PROTOCOL)
    pd.testing.assert_frame_equal(one.tables.results, other.tables.results)
    pd.testing.assert_frame_equal(one.suppressed, other.suppressed)


# ---- sets of people ----


def searched(tables, people):
    """The sets behind tables, and the small sets that all of them define."""
    tables = typed(tables)
    sets = people_sets(_sources(tables, people))
    return tables, sets, small_sets(sets.overlaps, pairs(tables, sets), blocks(tables, sets), 5)


@pytest.mark.parametrize("size", [pytest.param(300, marks=pytest.mark.slow), 1600])
def test_published_sets_define_no_small_set(people, computed, size):
    made = computed if size == len(people) else computed_of(people.iloc[:size], analyses=ANALYSES)
    tables, sets, small = searched(*made)
    assert len(small) > 5
    everything = range(len(sets.sizes))
    assert len(defined(sets.overlaps, everything, small)) == len(small)  # without protection each of them is
    decision = decide(tables, sets, PROTOCOL)
    assert decision.unprotected == 0
    published = set(everything) - decision.hidden
    assert defined(sets.overlaps, published, small) == []
    # Nobody is distinguished from all others by what is published.
    assert defined(sets.overlaps, published, [(group,) for group in np.flatnonzero(sets.overlaps.people < 5)]) == []


def test_little_is_lost_at_a_thousand_people_and_more(computed):
    tables, sets, _ = searched(*computed)
    hidden = decide(tables, sets, PROTOCOL).hidden
    assert sum(number in hidden for number in sets.of.values()) < 0.05 * len(sets.of)


def test_the_main_analysis_is_kept_before_one_with_nearly_the_same_people(people):
    """Of two analyses that differ by three people the less important one loses its count."""
    rows = rows_from([(300, 60), (300, 70)])
    joint = rows[-1]
    fewer = joint.members.frame.iloc[3:].assign(pain=joint.members.cases[3:].astype(float))
    other = replace(joint, analysis="sensitivity:bmi").counting(fewer, "pain")
    results = controlled([other, *rows]).tables.results
    assert pd.isna(results["n"].iloc[0])
    assert results["n"].iloc[1:].notna().all()


def test_a_count_without_its_people_is_refused():
    row = ResultRow(WAVE, "main", "all", "age", "walking_met", n=100, estimate=1.0)
    with pytest.raises(MembersError, match="not recorded"):
        members_of([row])
    with pytest.raises(MembersError, match="other people"):
        members_of([replace(rows_from([(50, 10), (60, 12)])[0], n=51)])


def test_people_of_other_rows_are_refused(few_computed, people):
    tables, recorded = few_computed
    _, others = computed_of(people.iloc[:1000])
    with pytest.raises(SetsError, match="make its table again"):
        control_disclosure(tables, replace(recorded, results=[(tables.results, others.results[0][1])]), PROTOCOL)


def test_a_category_whose_size_is_suppressed_is_suppressed_entirely(people):
    from stegvis.statistics.categories import add_categories

    fixed = PROTOCOL.model_copy(
        update={"exposures": PROTOCOL.exposures.model_copy(update={"categories": "fixed_published"})}
    )
    cut = add_categories(people.drop(columns=[name for name in people if str(name).endswith("_category")]), fixed)
    few = cut[(cut["walking_minutes_category"] != 4) | (cut.groupby("walking_minutes_category").cumcount() < 3)]
    table = control_disclosure(*computed_of(few.reset_index(drop=True), fixed), fixed).tables.characteristics
    bare = table[table["category"] == ">=125"]
    assert bare["status"].eq("suppressed").all()
    assert bare[["n", "percent", "mean", "sd"]].isna().all(axis=None)


def test_a_small_exclusion_is_suppressed_alike_in_every_wave(people):
    """The steps before the follow-up are the same people: one wave must not publish what another suppresses."""
    few = {"no_accelerometer_day": 2, "baseline_low_back_pain": 500}
    second = people.iloc[:-300].assign(wave="2024-2026")
    one = control_disclosure(*computed_of(people, excluded=few | {"followup_screen_missing": 100}), PROTOCOL)
    other = control_disclosure(*computed_of(second, excluded=few | {"followup_screen_missing": 400}), PROTOCOL)
    before = ["cohort", "no_accelerometer_day", "baseline_low_back_pain"]
    steps = [each.tables.attrition.set_index("rule").loc[before, ["excluded", "remaining"]] for each in (one, other)]
    pd.testing.assert_frame_equal(*(each.isna() for each in steps))
    assert steps[0].isna().loc["no_accelerometer_day", "excluded"]
    assert not ((steps[0]["remaining"].iloc[0] - steps[0]["remaining"].iloc[1:3]) == 2).any()


# ---- across waves ----


@pytest.fixture(scope="module")
def two_waves():
    first = analysis_set_of(1200, seed=4)
    second = analysis_set_of(900, seed=5, wave="2024-2026")
    return across_of([first, second])


@pytest.fixture(scope="module")
def published_waves(two_waves):
    """Each wave's tables after disclosure control."""
    tables, people = two_waves
    found = []
    for wave in people.characteristics:
        mine = of_wave(tables, wave)
        results = [part for part in people.results if part[0]["wave"].iloc[0] == wave]
        excluded = people.exclusions[people.exclusions["wave"] == wave]
        own = replace(
            people, results=results, characteristics={wave: people.characteristics[wave]}, exclusions=excluded
        )
        found.append(control_disclosure(mine, own, PROTOCOL).tables)
    names = ("results", "attrition", "characteristics")
    return Tables(*(pd.concat([getattr(each, name) for each in found], ignore_index=True) for name in names))


def test_results_across_waves_define_no_small_set_with_those_of_the_waves(two_waves, published_waves):
    tables, people = two_waves
    found = control_across_waves(tables, published_waves, people, PROTOCOL)
    assert found.unprotected == 0
    assert set(found.tables.results["wave"]) == {ACROSS}
    assert found.tables.results["n"].notna().mean() > 0.5
    typed_tables, sets, small = searched(tables, people)
    everything = pd.concat([published_waves.results, found.tables.results], ignore_index=True)
    keys = ["wave", "analysis", "population", "model", "exposure", "term", "level", "measure"]
    shown = everything.set_index(keys)[["n", "events"]]
    public = {
        sets.of["results", index, column]
        for index, key in zip(
            typed_tables.results.index, typed_tables.results[keys].itertuples(index=False), strict=True
        )
        for column in ("n", "events")
        if ("results", index, column) in sets.of
        and tuple(key) in shown.index
        and pd.notna(shown.at[tuple(key), column])
    }
    assert defined(sets.overlaps, public, small) == []


def test_without_the_same_people_as_published_results_across_waves_have_no_counts(two_waves, published_waves):
    """Pooled people minus those of the new wave would give how many are left of the old one."""
    tables, people = two_waves
    then = replace(published_waves, results=published_waves.results.copy())
    whole = (
        (then.results["analysis"] == "main") & (then.results["measure"] == "p_joint") & (then.results["wave"] == WAVE)
    )
    then.results.loc[whole, "n"] += 1
    found = control_across_waves(tables, then, people, PROTOCOL)
    assert not (found.tables.results[["n", "events"]] > 0).any(axis=None)
    results = found.tables.results
    pooled = results[results["analysis"] == "wave_interaction"]
    assert (pooled["status"] != "ok").any()
    # What has no category stays, and nothing says that people were too few.
    expected = control_across_waves(tables, published_waves, people, PROTOCOL).tables.results
    for measure in ("p_joint", "p_interaction"):
        mine, his = (each.loc[each["measure"] == measure, ["estimate", "status"]] for each in (results, expected))
        assert (his["status"] == "ok").any()
        pd.testing.assert_frame_equal(mine.reset_index(drop=True), his.reset_index(drop=True))
    assert not results["note"].astype("str").str.contains(TOO_FEW).any()


def test_another_method_across_waves_keeps_what_was_counted_before(two_waves, published_waves):
    tables, people = two_waves
    first = control_across_waves(tables, published_waves, people, PROTOCOL).tables.results
    shown = first["n"].notna()
    again = control_across_waves(tables, published_waves, people, PROTOCOL, first).tables.results
    assert shown.any()
    assert again.loc[shown, "n"].tolist() == first.loc[shown, "n"].tolist()


# ---- digits ----


def test_published_digits_are_those_of_the_protocol(computed):
    tables, people = computed
    found = control_disclosure(tables, people, PROTOCOL).tables
    ratios = found.results[(found.results["measure"] == "rr") & (found.results["status"] == "ok")]
    for column in ("estimate", "ci_low", "ci_high", "e_value"):
        values = ratios[column].dropna().to_numpy()
        assert len(values) > 100
        np.testing.assert_array_equal(values, np.round(values, 2))
    errors = ratios["std_error"].dropna()
    assert all(float(f"{error:.1e}") == error for error in errors)
    assert tables.results["std_error"].dropna().map(lambda error: float(f"{error:.1e}") != error).any()
    means = found.characteristics["mean"].dropna()
    np.testing.assert_array_equal(means, means.round(1))
    validate(found.results)


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
    used = PROTOCOL.model_copy(update={"disclosure": PROTOCOL.disclosure.model_copy(update={"smallest_count": 2})})
    results = controlled(rows_from([(1, 0), (2, 0), (3, 0)])[:3], used).tables.results
    assert results["n"].isna().tolist() == [n < 0 for n in example["output"][:3]]


def ruled(**disclosure):
    return PROTOCOL.model_copy(update={"disclosure": PROTOCOL.disclosure.model_copy(update=disclosure)})


@pytest.mark.parametrize("extreme", [(70, 0), (70, 70)])
def test_a_group_in_which_nobody_or_everybody_is_a_case_is_suppressed_with_others(extreme):
    """As acro does: the number itself, the smallest next to it, and one more, so that this one does not follow."""
    cells = [(50, 10), (60, 12), extreme, (80, 20)]
    assert controlled(rows_from(cells)).tables.results["events"].isna().sum() == 0
    results = controlled(rows_from(cells), ruled(zeros_are_disclosive=True)).tables.results
    assert results["events"].isna().tolist() == [True, True, True, False, False]
    assert results.loc[:2, list(ESTIMATE_COLUMNS)].isna().all(axis=None)
    assert results["n"].notna().all()


@pytest.mark.slow
def test_zeros_of_a_whole_wave_cannot_be_derived(people):
    """Where zeros are disclosive, no linear program finds out that a suppressed number of cases is zero."""
    nobody = people["walking_minutes_category"].eq(2) & people["sex"].eq("female")
    made = people.assign(low_back_pain=people["low_back_pain"].mask(nobody, 0))
    tables, recorded = computed_of(made, analyses=ANALYSES)
    used = ruled(profile="acro", smallest_count=10, zeros_are_disclosive=True)
    found = control_disclosure(tables, recorded, used)
    assert found.unprotected == 0
    shown = found.tables.results
    counted = shown["n"].notna() & shown["events"].notna()
    assert counted.sum() > 100
    assert not (shown["events"].eq(0) | shown["events"].eq(shown["n"]))[counted].any()
    assert not shown["events"].between(0, 9).any()
    table = found.tables.characteristics
    assert not table.loc[table["level"] != "", "n"].between(0, 9).any()


def test_what_is_rounded_is_rounded_everywhere(computed):
    tables = control_disclosure(*computed, changed(rounding="nearest")).tables
    for name, columns in (("results", ("n", "events")), ("attrition", ("remaining",)), ("characteristics", ("n",))):
        for column in columns:
            assert (getattr(tables, name)[column].dropna() % 5 == 0).all()
    table = tables.characteristics
    women = table[(table["level"] == "female") & (table["category"] == "all")].iloc[0]
    everyone = table[(table["variable"] == "people") & (table["category"] == "all")].iloc[0]
    assert women["percent"] == pytest.approx(100 * women["n"] / everyone["n"], abs=0.05)
