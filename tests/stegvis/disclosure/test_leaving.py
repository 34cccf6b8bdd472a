"""The tables of a release as they leave: what is hidden, what stays, and what an attacker can do with it."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from stegvis.analyses import additive, joint, main_models, sensitivity, strata, time_use_models
from stegvis.analyses.characteristics import characteristics
from stegvis.analyses.wave_data import fit
from stegvis.disclosure.attack import ranges
from stegvis.disclosure.counts import CASE, OTHER, Counts, within
from stegvis.disclosure.decision import decide
from stegvis.disclosure.earlier import differing, too_close
from stegvis.disclosure.kept import kept_rule
from stegvis.disclosure.leaving import kept_waves, leaving, leaving_across
from stegvis.disclosure.rounding import rounded
from stegvis.disclosure.tables import ACROSS, Tables, counted
from stegvis.disclosure.taking_out import Leaving, close_rule, small_rule
from stegvis.statistics.results import ESTIMATE_COLUMNS, ResultRow, to_frame, validate
from stegvis.statistics.risk_ratio import Ratio
from stegvis.study.protocol import Protocol
from tests.stegvis.conftest import LEVELS, PROTOCOL, analysis_set_of, wave_data_of

SMALL, CLOSE = small_rule(5), close_rule(5)
LOW = PROTOCOL.additive_interaction.low_categories
WAVE = "2021-2023"
# Cuts that do not move with the sample, so that a category means the same in two releases.
FIXED = PROTOCOL.model_copy(
    update={"exposures": PROTOCOL.exposures.model_copy(update={"categories": "fixed_published"})}
)


def changed(**release: object) -> Protocol:
    return PROTOCOL.model_copy(update={"release": PROTOCOL.release.model_copy(update=release)})


# Counts are told or held back, never kept from the release before.
ANEW = FIXED.model_copy(update={"release": changed(carried_forward_share=0.0).release})


def results_of(cells, wave=WAVE, **fields):
    """Results of one model from (people, cases) per category, with the joint test of all."""
    template = ResultRow(wave, "main", "all", "age", "walking_met", "walking_met_category")
    rows = [ResultRow(**vars(template) | {"level": f"{k}", "n": n, "events": e}) for k, (n, e) in enumerate(cells)]
    total = {"n": sum(n for n, _ in cells), "events": sum(e for _, e in cells), "measure": "p_joint"}
    rows.append(ResultRow(**vars(template) | total))
    return to_frame([ResultRow(**vars(row) | fields).with_ratio(Ratio(0.8, 0.7, 0.9, 0.1, 0.01)) for row in rows])


def told(results, used=None, earlier=()):
    found = leaving(Tables.of_results(results), used or PROTOCOL, [Tables.of_results(each) for each in earlier])
    assert not found.exposed
    validate(found.tables.results)
    return found


def together(decided):
    """The tables and the log of all waves."""
    frames = zip(*(vars(each.tables).values() for each in decided), strict=True)
    tables = Tables(*(pd.concat(each, ignore_index=True) for each in frames))
    return Leaving(tables, pd.concat([each.held_back for each in decided], ignore_index=True), ())


def steps_of(remaining, wave=WAVE):
    names = ("cohort", "no_accelerometer_day", "baseline_low_back_pain", "followup_screen_missing", "covariate_missing")
    rows = [
        {"wave": wave, "step": step, "rule": rule, "excluded": before - left, "remaining": left, "status": "ok"}
        for step, (rule, before, left) in enumerate(zip(names, [remaining[0], *remaining], remaining, strict=False))
    ]
    return pd.DataFrame(rows)


def tables_of(people, used=FIXED, remaining=None):
    """The tables of a wave: enough analyses that the same people stand in many rows."""
    analyses = (
        main_models.main_rows, joint.joint_rows, additive.additive_rows, strata.stratified_rows,
        strata.within_intensity_rows, strata.within_volume_rows, sensitivity.sensitivity_rows,
        *time_use_models.ANALYSES,
    )  # fmt: skip
    results = fit(analyses, wave_data_of(people, used))
    n = len(people)
    steps = steps_of(remaining or [n + 900, n + 500, n + 300, n + 100, n])
    return Tables(results, steps, characteristics(people, used, LEVELS))


@pytest.fixture(scope="module")
def people():
    return analysis_set_of(1600, seed=4, of=FIXED)


@pytest.fixture(scope="module")
def computed(people):
    return tables_of(people)


# ---- small counts ----


def test_without_small_counts_everything_is_told():
    results = results_of([(50, 10), (60, 12), (70, 0)])
    found = told(results)
    pd.testing.assert_frame_equal(found.tables.results, results)
    assert found.held_back.empty


@pytest.mark.parametrize("few", [(50, 3), (50, 47)])
def test_few_cases_or_few_others_hide_the_row_and_one_more_with_their_estimates(few):
    found = told(results_of([few, (60, 30), (70, 35), (80, 40)]))
    results = found.tables.results
    assert results["status"].tolist() == ["suppressed", "suppressed", "ok", "ok", "ok"]
    assert results["events"].isna().tolist() == [True, True, False, False, False]
    assert results["n"].tolist() == [50, 60, 70, 80, 260]
    assert results.loc[:1, list(ESTIMATE_COLUMNS)].isna().all(axis=None)
    # Which of the two is the small one is told nowhere.
    assert set(found.held_back["rule"]) == {SMALL}
    assert results["note"].tolist()[:2] == [SMALL, SMALL]
    assert found.held_back["cell"].iloc[0] == f"{WAVE} / main / all / age / walking_met / walking_met_category / 0 / rr"


def test_few_people_hide_n_too():
    results = told(results_of([(4, 0), (60, 12), (70, 30)])).tables.results
    assert results["n"].isna().tolist() == [True, True, False, False]
    assert pd.isna(results["events"].iloc[0])


def test_two_models_of_the_same_people_hide_the_same_counts():
    age = results_of([(50, 3), (60, 12), (60, 12), (80, 35)])
    both = pd.concat([age, age.assign(model="adjusted")], ignore_index=True)
    hidden = told(both).tables.results.groupby("model")["events"].agg(lambda events: events.isna().tolist())
    assert hidden["age"] == hidden["adjusted"]
    assert sum(hidden["age"]) == 2


def test_a_note_names_no_level_with_few_cases():
    results = results_of([(50, 3), (60, 12), (70, 30)])
    note = "strict; level 1 of walking_met_category has fewer than 5 events"
    rows = results.assign(status="not_estimable", note=note, **dict.fromkeys(ESTIMATE_COLUMNS, float("nan")))
    notes = told(rows).tables.results["note"]
    assert notes.iloc[2] == "strict; a level has fewer than 5 events or non-events"
    assert not notes.str.contains("level 1").any()


def test_types_of_a_database_or_a_file_change_nothing(computed, tmp_path):
    computed.characteristics.to_csv(tmp_path / "c.csv", index=False)
    computed.attrition.to_csv(tmp_path / "a.csv", index=False)
    plain = Tables(
        computed.results.astype({"n": "float64", "events": "float64", "note": object}),
        pd.read_csv(tmp_path / "a.csv"), pd.read_csv(tmp_path / "c.csv"),
    )  # fmt: skip
    one, other = leaving(computed, FIXED), leaving(plain, FIXED)
    pd.testing.assert_frame_equal(one.tables.results, other.tables.results)
    pd.testing.assert_frame_equal(one.held_back, other.held_back)


def test_the_tables_together_give_no_small_count_away(people):
    """Margins, strata, nested samples, the flow and Table 1 at once: the attacker has all of them."""
    computed = tables_of(people.iloc[:300])
    found = leaving(computed, FIXED)
    assert not found.exposed
    counts = counted(computed, LOW).counts
    small = sorted(group for group, count in counts.values.items() if 0 < count < 5)
    assert len(small) > 10
    known = counted(found.tables, LOW).counts
    bounds = ranges(counts.relations, {group: known.values[group] for group in known.told}, small)
    assert all(high - low >= PROTOCOL.release.protection_width for low, high in bounds.values())
    # Hiding the small ones alone would not do.
    alone = {group: count for group, count in counts.values.items() if group in counts.told and group not in small}
    bounds = ranges(counts.relations, alone, small)
    assert sum(high == low for low, high in bounds.values()) > 5
    validate(found.tables.results)


def test_every_count_of_the_analyses_has_its_place(computed):
    """Rows that are not understood are judged alone; here there are none, and every relation that is stated is used."""
    counts = counted(computed, LOW).counts
    assert not [group for group in counts.values if any(each.startswith("as counted in") for each in group)]
    related = {group for total, parts in counts.relations for group in (total, *parts)}
    assert set(counts.told) <= related
    men = within((WAVE,), "sex=male", "walking_minutes=1 of 4")
    assert (within((WAVE,), "walking_minutes=1 of 4"), tuple(sorted([men, within((WAVE,), "sex=female", "walking_minutes=1 of 4")]))) in counts.relations  # noqa: E501  # fmt: skip
    assert any(total == within((WAVE,), "low=both low") for total, _ in counts.relations)
    assert any(within((WAVE,), "whole day=no") in parts for _, parts in counts.relations)
    assert any(total == within((WAVE,), CASE) and len(parts) == 2 for total, parts in counts.relations)


def test_a_category_whose_people_are_hidden_is_hidden_entirely(people):
    few = people[
        (people["walking_minutes_category"] != 4) | (people.groupby("walking_minutes_category").cumcount() < 3)
    ]
    table = leaving(tables_of(few), FIXED).tables.characteristics
    bare = table[table["category"] == ">=125"]
    assert bare["status"].eq("suppressed").all()
    assert bare[["n", "percent", "mean", "sd"]].isna().all(axis=None)


def test_a_small_step_of_the_flow_is_hidden_alike_in_every_wave(people):
    """The steps before the follow-up are the same people: one wave must not tell what another hides."""
    n = len(people)
    first = tables_of(people, remaining=[n + 900, n + 898, n + 300, n + 100, n])
    second_people = people.iloc[:-300].assign(wave="2024-2026")
    second = tables_of(second_people, remaining=[n + 900, n + 898, n + 300, n + 150, n - 300])
    one, other = (leaving(each, FIXED).tables.attrition for each in (first, second))
    before = ["cohort", "no_accelerometer_day", "baseline_low_back_pain"]
    hidden = [each.set_index("rule").loc[before, ["excluded", "remaining"]].isna() for each in (one, other)]
    pd.testing.assert_frame_equal(*hidden)
    assert hidden[0].loc["no_accelerometer_day", "excluded"]
    assert not ((one["remaining"].iloc[0] - one["remaining"].iloc[1:3]) == 2).any()


# ---- across waves ----


def test_what_pools_the_waves_does_not_give_a_wave_away():
    waves = pd.concat(
        [results_of([(50, 3), (60, 12), (70, 30)]), results_of([(55, 15), (65, 17), (75, 33)], "2024-2026")],
        ignore_index=True,
    )
    decided = together([told(rows) for _, rows in waves.groupby("wave")])
    pooled = results_of([(105, 18), (125, 29), (145, 63)], ACROSS, analysis="pooled")
    template = {"analysis": "wave_interaction", "wave": ACROSS}
    by_wave = [
        results_of(cells, **template | {"population": f"wave {wave}"}).iloc[:3]
        for wave, cells in ((WAVE, [(50, 3), (60, 12), (70, 30)]), ("2024-2026", [(55, 15), (65, 17), (75, 33)]))
    ]
    everything = pd.concat([waves, pooled, *by_wave], ignore_index=True)
    found = leaving_across(Tables.of_results(everything), decided, PROTOCOL)
    assert not found.exposed
    assert set(found.tables.results["wave"]) == {ACROSS}
    across = found.tables.results.set_index(["analysis", "population", "level"])["events"]
    assert pd.isna(across["wave_interaction", f"wave {WAVE}", "0"])
    # The other wave's and the pooled count would give it away together.
    assert pd.isna(across["wave_interaction", "wave 2024-2026", "0"]) or pd.isna(across["pooled", "all", "0"])


def test_decided_tables_of_other_rows_are_refused():
    computed = pd.concat([results_of([(50, 10), (60, 12)]), results_of([(105, 18), (125, 29)], ACROSS)])
    found = told(results_of([(60, 12), (50, 10)]))
    decided = replace(found, tables=Tables.of_results(found.tables.results.iloc[::-1]))
    with pytest.raises(ValueError, match="not of the rows that were computed"):
        leaving_across(Tables.of_results(computed), decided, PROTOCOL)


# ---- earlier releases ----


def differences(then: Tables, now: Tables, stated: Tables):
    """What an attacker with two releases can say of who joined: the bounds of each group's growth.

    He takes for granted that nobody left. ``stated``: the later tables as computed, for how their counts add up.
    """
    before, after = counted(then, LOW).counts, counted(now, LOW).counts
    all_relations = counted(stated, LOW).counts.relations
    relations = []
    for total, parts in all_relations:
        for kind in ("then", "now", "joined"):
            relations.append(((kind, *total), tuple((kind, *part) for part in parts)))
    groups = {group for total, parts in all_relations for group in (total, *parts)}
    relations += [(("now", *group), (("then", *group), ("joined", *group))) for group in sorted(groups)]
    known = {("then", *group): before.values[group] for group in before.told}
    known |= {("now", *group): after.values[group] for group in after.told}
    wanted = [("joined", *group) for group in sorted(groups)]
    return {group[1:]: bounds for group, bounds in ranges(relations, known, wanted).items()}


@pytest.fixture(scope="module")
def planted(people, computed):
    """A release, and the tables a day later, when one more person has answered: a woman with pain who walks little."""
    woman = people[(people["sex"] == "female") & (people["low_back_pain"] == 1) & (people["walking_minutes"] < 70)]
    more = pd.concat([people, woman.iloc[[0]].assign(person="p99999")], ignore_index=True)
    n = len(people)
    later = tables_of(more, remaining=[n + 901, n + 501, n + 301, n + 101, n + 1])
    return leaving(computed, FIXED).tables, later


HER = [
    (WAVE,), within((WAVE,), CASE), within((WAVE,), "sex=female"), within((WAVE,), "walking_minutes=1 of 4"),
    within((WAVE,), "walking_minutes=1 of 4", CASE), within((WAVE,), "sex=female", "walking_minutes=1 of 4", CASE),
]  # fmt: skip


def test_without_the_guard_a_person_who_joined_between_two_releases_is_found(planted):
    then, later = planted
    unguarded = leaving(later, FIXED)
    bounds = differences(then, unguarded.tables, later)
    assert [bounds[group] for group in HER] == [(1, 1)] * len(HER)
    assert bounds[within((WAVE,), "sex=male")] == (0, 0)


def test_with_the_guard_nobody_can_tell_whether_or_where_a_person_joined(planted):
    then, later = planted
    guarded = leaving(later, ANEW, [then])
    assert not guarded.exposed
    bounds = differences(then, guarded.tables, later)
    for group in HER:
        low, high = bounds[group]
        assert low == 0
        assert high >= PROTOCOL.release.protection_width
    # Nor by who is told that there was one: women and men, cases and others are all possible.
    elsewhere = [within((WAVE,), "sex=male"), within((WAVE,), OTHER), within((WAVE,), "walking_minutes=4 of 4")]
    assert sum(bounds[group][1] >= PROTOCOL.release.protection_width for group in elsewhere) >= 2
    assert CLOSE in set(guarded.held_back["rule"])


def test_the_guard_holds_where_she_moved_a_cut_so_that_its_label_changed(planted):
    then, later = planted
    labels = {"<78": "<77", "78-100": "77-100"}

    def renamed(column):
        for old, new in labels.items():
            column = column.str.replace(rf"(^| ){re.escape(old)}(?= |$)", rf"\g<1>{new}", regex=True)
        return column

    texts = ["level", "reference", "population"]
    before = replace(
        then,
        results=then.results.assign(**{name: renamed(then.results[name]) for name in texts}),
        characteristics=then.characteristics.assign(category=renamed(then.characteristics["category"])),
    )
    assert not before.results["level"].str.contains("<78").any()
    guarded = leaving(later, ANEW, [before])
    pd.testing.assert_frame_equal(guarded.tables.results, leaving(later, ANEW, [then]).tables.results)
    pd.testing.assert_frame_equal(guarded.held_back, leaving(later, ANEW, [then]).held_back)


def test_the_guard_keeps_estimates_of_many_people(planted):
    then, later = planted
    results = leaving(later, ANEW, [then]).tables.results
    joint_test = results[(results["analysis"] == "main") & (results["measure"] == "p_joint")]
    assert joint_test["n"].isna().all()
    assert joint_test["status"].eq("ok").all()
    assert joint_test["note"].str.contains(CLOSE, regex=False).all()


def test_after_the_guard_the_same_data_leave_alike(planted):
    then, later = planted
    first = leaving(later, ANEW, [then])
    again = leaving(later, ANEW, [then, first.tables])
    pd.testing.assert_frame_equal(first.tables.results, again.tables.results)
    pd.testing.assert_frame_equal(first.tables.characteristics, again.tables.characteristics)


def test_five_people_more_are_told():
    results = results_of([(50, 10), (60, 12), (70, 20)])
    five = results_of([(60, 15), (60, 12), (70, 20)])
    assert told(five, earlier=[results]).held_back.empty
    four = results_of([(54, 10), (60, 12), (70, 20)])
    assert not told(four, earlier=[results]).held_back.empty


def test_two_releases_do_not_hide_two_covers_of_the_same_count():
    """An attacker takes what is as it was for known: the cover told now would uncover the count hidden then."""
    now = results_of([(50, 3), (60, 12), (70, 30), (80, 11)])
    assert told(now).tables.results["events"].isna().tolist() == [True, False, False, True, False]
    then = now.assign(events=now["events"].where(~now["level"].isin(["0", "1"])))
    after = told(now, earlier=[then]).tables.results
    assert after["events"].isna().tolist() == [True, True, False, False, False]


def test_what_follows_from_knowing_who_left_holds_no_release_back_and_still_is_not_told():
    """Somebody eligible withdrew who had not answered: whoever knows that knows that one fewer is lost to follow-up."""

    def waves(of_all, first, eligible):
        everyone, one, other, whom = ("all",), (WAVE,), ("2024-2026",), ("2024-2026, eligible",)
        lost = within(whom, "lost=yes")
        counts = Counts()
        for group, count in ((everyone, of_all), (one, first), (other, 42), (whom, eligible)):
            counts.tell(group, count)
        counts.derive(lost, eligible - 42)
        counts.relate(everyone, [one, other])
        counts.relate(whom, [other, lost])
        return counts, lost

    before, lost = waves(129, 87, 112)
    now, _ = waves(128, 86, 111)
    decision = decide(now, PROTOCOL, [before])
    assert not decision.exposed
    told_now = {group: now.values[group] for group in now.told.keys() - decision.small - decision.close}
    low, high = ranges(now.relations, told_now, [lost])[lost]
    assert high - low >= PROTOCOL.release.protection_width


# ---- counts that stay as they were told ----

KEPT = kept_rule(FIXED)


def test_where_one_person_joined_the_counts_stay_as_they_were_told_and_the_estimates_are_todays(planted):
    then, later = planted
    found = leaving(later, FIXED, [then])
    assert not found.exposed
    now = found.tables
    for name, columns in (("results", ["n", "events"]), ("attrition", ["excluded", "remaining"]),
                          ("characteristics", ["n", "percent", "mean", "sd"])):  # fmt: skip
        pd.testing.assert_frame_equal(getattr(now, name)[columns], getattr(then, name)[columns])
    # Everything says so, whether it changed or not: nobody can tell where she is from what is said.
    assert now.results["note"].str.startswith(KEPT).all()
    assert set(found.held_back["rule"]) == {KEPT}
    assert kept_waves(found.held_back, FIXED) == {WAVE}
    told_now = now.results["status"] == "ok"
    pd.testing.assert_series_equal(now.results["estimate"][told_now], later.results["estimate"][told_now])
    assert (now.results["estimate"] != then.results["estimate"]).any()
    validate(now.results)


def test_kept_counts_are_kept_again_and_unchanged_data_are_told_without_a_word(planted, computed):
    then, later = planted
    once = leaving(later, FIXED, [then])
    again = leaving(later, FIXED, [then, once.tables])
    pd.testing.assert_frame_equal(once.tables.results, again.tables.results)
    back = leaving(computed, FIXED, [then, once.tables])
    pd.testing.assert_frame_equal(back.tables.results, then.results)


def test_counts_are_told_anew_once_one_has_changed_by_much():
    cells = [(50, 10), (60, 12), (70, 20), (1500, 300)]
    before = results_of(cells)
    few = told(results_of([(50, 11), (60, 12), (70, 20), (1515, 303)]), earlier=[before])
    assert kept_waves(few.held_back, PROTOCOL) == {WAVE}
    assert few.tables.results["n"].tolist() == before["n"].tolist()
    # 16 of 1,500 are more than a hundredth, 5 of 50 more than the smallest count.
    for many in ([(50, 11), (60, 12), (70, 20), (1516, 303)], [(55, 11), (60, 12), (70, 20), (1500, 303)]):
        assert not kept_waves(told(results_of(many), earlier=[before]).held_back, PROTOCOL)
    # A count that was told would be small today.
    small = told(results_of([(50, 4), *cells[1:]]), earlier=[results_of([(50, 6), *cells[1:]])])
    assert not kept_waves(small.held_back, PROTOCOL)


def test_a_share_of_none_keeps_no_counts():
    before, now = results_of([(50, 10), (60, 12), (70, 20)]), results_of([(50, 11), (60, 12), (70, 20)])
    assert set(told(now, changed(carried_forward_share=0.0), earlier=[before]).held_back["rule"]) == {CLOSE}
    assert set(told(now, earlier=[before]).held_back["rule"]) == {KEPT}


def test_a_row_the_release_before_does_not_have_has_no_count(planted):
    then, later = planted
    missing = (then.results["analysis"] == "stratified") & (then.results["measure"] == "rr")
    assert missing.any()
    found = leaving(later, FIXED, [replace(then, results=then.results[~missing])]).tables.results
    assert found.loc[missing, ["n", "events"]].isna().all(axis=None)
    assert found.loc[~missing, "n"].notna().any()


def test_kept_counts_of_a_wave_do_not_follow_from_those_across_waves():
    """The other wave tells its counts of today; the pooled ones would tell the kept one's by subtraction."""

    def everything(cases, other):
        first, second = [(50, cases), (60, 12), (70, 30)], other
        both = [(a + b, c + d) for (a, c), (b, d) in zip(first, second, strict=True)]
        return [results_of(first), results_of(second, "2024-2026"), results_of(both, ACROSS, analysis="pooled")]

    def released(parts, earlier=()):
        waves = [leaving(Tables.of_results(each), PROTOCOL, earlier) for each in parts[:2]]
        all_rows = Tables.of_results(pd.concat(parts, ignore_index=True))
        across = leaving_across(all_rows, together(waves), PROTOCOL, earlier)
        assert not across.exposed
        told_rows = [*(each.tables.results for each in waves), across.tables.results]
        return waves, across, Tables.of_results(pd.concat(told_rows, ignore_index=True))

    _, _, before = released(everything(15, [(55, 15), (65, 17), (75, 33)]))
    waves, across, _ = released(everything(16, [(155, 45), (165, 47), (175, 93)]), [before])
    assert kept_waves(waves[0].held_back, PROTOCOL) == {WAVE}
    assert waves[1].held_back.empty
    pooled = across.tables.results.set_index("level")["events"]
    assert pd.isna(pooled["0"])
    # Where the other wave did not change either, the pooled counts are kept as well.
    _, across, _ = released(everything(16, [(55, 15), (65, 17), (75, 33)]), [before])
    assert kept_waves(across.held_back, PROTOCOL) == {ACROSS}
    assert across.tables.results["n"].notna().all()


def test_a_new_wave_keeps_the_steps_that_the_others_told(planted):
    then, later = planted
    n = len(later.results)
    remaining = later.attrition["remaining"].tolist()
    fresh = Tables(
        later.results.assign(wave="2024-2026"),
        steps_of([*remaining[:3], 700, 650], "2024-2026"),
        later.characteristics.assign(wave="2024-2026"),
    )
    found = leaving(fresh, FIXED, [then])
    assert not found.exposed
    assert len(found.tables.results) == n
    steps = found.tables.attrition.set_index("rule")
    told_then, today = (each.attrition.set_index("rule") for each in (then, later))
    for rule in ("cohort", "no_accelerometer_day", "baseline_low_back_pain"):
        assert steps.loc[rule, "remaining"] == told_then.loc[rule, "remaining"] == today.loc[rule, "remaining"] - 1
    # What today's steps of the wave add up to is not told.
    assert steps.loc[["followup_screen_missing"], ["excluded", "remaining"]].isna().any(axis=None)


# ---- references from elsewhere ----

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
    hidden = leaving(Tables.of_results(results.iloc[:3]), used).tables.results["n"].isna().tolist()
    assert hidden == [n < 0 for n in example["output"][:3]]


def test_rounding_alone_is_no_guard_between_releases():
    example = SDC["release_differencing"]
    assert rounded(pd.Series(example["wave1"]), "nearest", 5).tolist() == example["wave1_r5"]
    assert rounded(pd.Series(example["wave2"]), "nearest", 5).tolist() == example["wave2_r5"]
    used = changed(rounding="nearest")
    first, second = (results_of([(n, n // 2) for n in example[wave]]) for wave in ("wave1", "wave2"))
    before = told(first, used).tables.results
    assert before["n"].tolist()[:4] == example["wave1_r5"]
    after = told(second, used, earlier=[before]).tables.results
    assert pd.isna(after["n"].iloc[0])
    assert [n for n in after["n"].iloc[1:4] if pd.notna(n)] == example["wave2_r5"][1:3]


def test_what_is_rounded_is_rounded_everywhere(computed):
    tables = leaving(computed, FIXED.model_copy(update={"release": changed(rounding="nearest").release})).tables
    for name, columns in (("results", ("n", "events")), ("attrition", ("remaining",)), ("characteristics", ("n",))):
        for column in columns:
            assert (getattr(tables, name)[column].dropna() % 5 == 0).all()
    table = tables.characteristics
    women = table[(table["level"] == "female") & (table["category"] == "all")].iloc[0]
    everyone = table[(table["variable"] == "people") & (table["category"] == "all")].iloc[0]
    assert women["percent"] == pytest.approx(100 * women["n"] / everyone["n"])


def test_too_close_is_the_whole_group_with_its_cases_and_others():
    then = counted(Tables.of_results(results_of([(50, 10), (60, 12)])), LOW).counts
    now = counted(Tables.of_results(results_of([(50, 11), (60, 12)])), LOW).counts
    first = within((WAVE,), "walking_met=1 of 2")
    close = too_close(now, differing(now, [then], 5))
    assert {first, within(first, CASE), within(first, OTHER), (WAVE,), within((WAVE,), CASE)} <= close
    assert within((WAVE,), "walking_met=2 of 2") not in close
    assert math.isinf(ranges(now.relations, {}, [(WAVE,)])[(WAVE,)][1])
