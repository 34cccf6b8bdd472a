"""Disclosure control against earlier releases: differencing, and counts that are carried forward."""

from __future__ import annotations

import re
from dataclasses import replace

import pandas as pd
import pytest

from stegvis.disclosure.attack import ranges
from stegvis.disclosure.counts import CASE, OTHER, Counts, within
from stegvis.disclosure.decision import decide
from stegvis.disclosure.kept import kept_rule
from stegvis.disclosure.leaving import control_across_waves, control_disclosure, kept_waves
from stegvis.disclosure.tables import ACROSS, Tables, counted
from stegvis.statistics.results import validate
from tests.stegvis.conftest import PROTOCOL
from tests.stegvis.disclosure.made_tables import (
    ANEW,
    CLOSE,
    FIXED,
    LOW,
    WAVE,
    changed,
    controlled,
    results_of,
    steps_of,
    tables_of,
    together,
)

# ---- differencing ----


def differences(then: Tables, now: Tables, stated: Tables):
    """What an attacker with two releases can infer about who joined: the bounds of each group's growth.

    The attacker assumes that nobody withdrew. ``stated``: the later tables as computed, for how their counts add up.
    """
    before, after = counted(then, LOW).counts, counted(now, LOW).counts
    all_relations = counted(stated, LOW).counts.relations
    relations = []
    for total, parts in all_relations:
        for kind in ("then", "now", "joined"):
            relations.append(((kind, *total), tuple((kind, *part) for part in parts)))
    groups = {group for total, parts in all_relations for group in (total, *parts)}
    relations += [(("now", *group), (("then", *group), ("joined", *group))) for group in sorted(groups)]
    known = {("then", *group): before.values[group] for group in before.published}
    known |= {("now", *group): after.values[group] for group in after.published}
    wanted = [("joined", *group) for group in sorted(groups)]
    return {group[1:]: bounds for group, bounds in ranges(relations, known, wanted).items()}


@pytest.fixture(scope="module")
def planted(people, computed):
    """A release, and the tables a day later, when one more person has responded: a woman with pain who walks little."""
    woman = people[(people["sex"] == "female") & (people["low_back_pain"] == 1) & (people["walking_minutes"] < 70)]
    more = pd.concat([people, woman.iloc[[0]].assign(person="p99999")], ignore_index=True)
    n = len(people)
    later = tables_of(more, remaining=[n + 901, n + 501, n + 301, n + 101, n + 1])
    return control_disclosure(computed, FIXED).tables, later


HER = [
    (WAVE,), within((WAVE,), CASE), within((WAVE,), "sex=female"), within((WAVE,), "walking_minutes=1 of 4"),
    within((WAVE,), "walking_minutes=1 of 4", CASE), within((WAVE,), "sex=female", "walking_minutes=1 of 4", CASE),
]  # fmt: skip


def test_without_control_a_person_who_joined_between_two_releases_is_found(planted):
    then, later = planted
    unguarded = control_disclosure(later, FIXED)
    bounds = differences(then, unguarded.tables, later)
    assert [bounds[group] for group in HER] == [(1, 1)] * len(HER)
    assert bounds[within((WAVE,), "sex=male")] == (0, 0)


def test_with_control_nobody_can_infer_whether_or_where_a_person_joined(planted):
    then, later = planted
    guarded = control_disclosure(later, ANEW, [then])
    assert not guarded.unprotected
    bounds = differences(then, guarded.tables, later)
    for group in HER:
        low, high = bounds[group]
        assert low == 0
        assert high >= PROTOCOL.release.protection_width
    # Nor by someone who knows that one person joined: women and men, cases and others are all possible.
    elsewhere = [within((WAVE,), "sex=male"), within((WAVE,), OTHER), within((WAVE,), "walking_minutes=4 of 4")]
    assert sum(bounds[group][1] >= PROTOCOL.release.protection_width for group in elsewhere) >= 2
    assert CLOSE in set(guarded.suppressed["rule"])


def test_control_holds_where_the_person_moved_a_cut_so_that_its_label_changed(planted):
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
    guarded = control_disclosure(later, ANEW, [before])
    pd.testing.assert_frame_equal(guarded.tables.results, control_disclosure(later, ANEW, [then]).tables.results)
    pd.testing.assert_frame_equal(guarded.suppressed, control_disclosure(later, ANEW, [then]).suppressed)


def test_control_keeps_estimates_of_many_people(planted):
    then, later = planted
    results = control_disclosure(later, ANEW, [then]).tables.results
    joint_test = results[(results["analysis"] == "main") & (results["measure"] == "p_joint")]
    assert joint_test["n"].isna().all()
    assert joint_test["status"].eq("ok").all()
    assert joint_test["note"].str.contains(CLOSE, regex=False).all()


def test_after_control_the_same_data_are_published_alike(planted):
    then, later = planted
    first = control_disclosure(later, ANEW, [then])
    again = control_disclosure(later, ANEW, [then, first.tables])
    pd.testing.assert_frame_equal(first.tables.results, again.tables.results)
    pd.testing.assert_frame_equal(first.tables.characteristics, again.tables.characteristics)


def test_five_people_more_are_published():
    results = results_of([(50, 10), (60, 12), (70, 20)])
    five = results_of([(60, 15), (60, 12), (70, 20)])
    assert controlled(five, earlier=[results]).suppressed.empty
    four = results_of([(54, 10), (60, 12), (70, 20)])
    assert not controlled(four, earlier=[results]).suppressed.empty


def test_two_releases_do_not_use_different_complements_of_the_same_count():
    """An attacker takes unchanged counts as known: the complement published now would reveal the suppressed count."""
    now = results_of([(50, 3), (60, 12), (70, 30), (80, 11)])
    assert controlled(now).tables.results["events"].isna().tolist() == [True, False, False, True, False]
    then = now.assign(events=now["events"].where(~now["level"].isin(["0", "1"])))
    after = controlled(now, earlier=[then]).tables.results
    assert after["events"].isna().tolist() == [True, True, False, False, False]


def test_what_follows_from_knowing_who_withdrew_blocks_no_release_and_is_still_not_published():
    """An eligible non-respondent withdrew: whoever knows that knows that one fewer is lost to follow-up."""

    def waves(of_all, first, eligible):
        everyone, one, other, whom = ("all",), (WAVE,), ("2024-2026",), ("2024-2026, eligible",)
        lost = within(whom, "lost=yes")
        counts = Counts()
        for group, count in ((everyone, of_all), (one, first), (other, 42), (whom, eligible)):
            counts.publish(group, count)
        counts.derive(lost, eligible - 42)
        counts.relate(everyone, [one, other])
        counts.relate(whom, [other, lost])
        return counts, lost

    before, lost = waves(129, 87, 112)
    now, _ = waves(128, 86, 111)
    decision = decide(now, PROTOCOL, [before])
    assert not decision.unprotected
    published_now = {group: now.values[group] for group in now.published.keys() - decision.small - decision.close}
    low, high = ranges(now.relations, published_now, [lost])[lost]
    assert high - low >= PROTOCOL.release.protection_width


# ---- counts carried forward ----

KEPT = kept_rule(FIXED)


def test_where_one_person_joined_the_counts_are_carried_forward_and_the_estimates_are_current(planted):
    then, later = planted
    found = control_disclosure(later, FIXED, [then])
    assert not found.unprotected
    now = found.tables
    for name, columns in (("results", ["n", "events"]), ("attrition", ["excluded", "remaining"]),
                          ("characteristics", ["n", "percent", "mean", "sd"])):  # fmt: skip
        pd.testing.assert_frame_equal(getattr(now, name)[columns], getattr(then, name)[columns])
    # Every row says so, whether it changed or not: the notes do not reveal where the person is.
    assert now.results["note"].str.startswith(KEPT).all()
    assert set(found.suppressed["rule"]) == {KEPT}
    assert kept_waves(found.suppressed, FIXED) == {WAVE}
    published_now = now.results["status"] == "ok"
    pd.testing.assert_series_equal(now.results["estimate"][published_now], later.results["estimate"][published_now])
    assert (now.results["estimate"] != then.results["estimate"]).any()
    validate(now.results)


def test_counts_are_carried_forward_again_and_unchanged_data_get_no_note(planted, computed):
    then, later = planted
    once = control_disclosure(later, FIXED, [then])
    again = control_disclosure(later, FIXED, [then, once.tables])
    pd.testing.assert_frame_equal(once.tables.results, again.tables.results)
    back = control_disclosure(computed, FIXED, [then, once.tables])
    pd.testing.assert_frame_equal(back.tables.results, then.results)


def test_counts_are_new_once_one_has_changed_by_much():
    cells = [(50, 10), (60, 12), (70, 20), (1500, 300)]
    before = results_of(cells)
    few = controlled(results_of([(50, 11), (60, 12), (70, 20), (1515, 303)]), earlier=[before])
    assert kept_waves(few.suppressed, PROTOCOL) == {WAVE}
    assert few.tables.results["n"].tolist() == before["n"].tolist()
    # 16 of 1,500 are more than a hundredth, 5 of 50 more than the smallest count.
    for many in ([(50, 11), (60, 12), (70, 20), (1516, 303)], [(55, 11), (60, 12), (70, 20), (1500, 303)]):
        assert not kept_waves(controlled(results_of(many), earlier=[before]).suppressed, PROTOCOL)
    # A published count would be small now.
    small = controlled(results_of([(50, 4), *cells[1:]]), earlier=[results_of([(50, 6), *cells[1:]])])
    assert not kept_waves(small.suppressed, PROTOCOL)


def test_with_a_share_of_0_no_counts_are_carried_forward():
    before, now = results_of([(50, 10), (60, 12), (70, 20)]), results_of([(50, 11), (60, 12), (70, 20)])
    assert set(controlled(now, changed(carried_forward_share=0.0), earlier=[before]).suppressed["rule"]) == {CLOSE}
    assert set(controlled(now, earlier=[before]).suppressed["rule"]) == {KEPT}


def test_a_row_that_the_previous_release_lacks_has_no_count(planted):
    then, later = planted
    missing = (then.results["analysis"] == "stratified") & (then.results["measure"] == "rr")
    assert missing.any()
    found = control_disclosure(later, FIXED, [replace(then, results=then.results[~missing])]).tables.results
    assert found.loc[missing, ["n", "events"]].isna().all(axis=None)
    assert found.loc[~missing, "n"].notna().any()


def test_counts_carried_forward_cannot_be_inferred_from_results_across_waves():
    """The other wave has new counts; pooled ones would reveal the unpublished new counts by subtraction."""

    def everything(cases, other):
        first, second = [(50, cases), (60, 12), (70, 30)], other
        both = [(a + b, c + d) for (a, c), (b, d) in zip(first, second, strict=True)]
        return [results_of(first), results_of(second, "2024-2026"), results_of(both, ACROSS, analysis="pooled")]

    def released(parts, earlier=()):
        waves = [control_disclosure(Tables.of_results(each), PROTOCOL, earlier) for each in parts[:2]]
        all_rows = Tables.of_results(pd.concat(parts, ignore_index=True))
        across = control_across_waves(all_rows, together(waves), PROTOCOL, earlier)
        assert not across.unprotected
        published_rows = [*(each.tables.results for each in waves), across.tables.results]
        return waves, across, Tables.of_results(pd.concat(published_rows, ignore_index=True))

    _, _, before = released(everything(15, [(55, 15), (65, 17), (75, 33)]))
    waves, across, _ = released(everything(16, [(155, 45), (165, 47), (175, 93)]), [before])
    assert kept_waves(waves[0].suppressed, PROTOCOL) == {WAVE}
    assert waves[1].suppressed.empty
    pooled = across.tables.results.set_index("level")["events"]
    assert pd.isna(pooled["0"])
    # Where the other wave did not change either, the pooled counts are carried forward as well.
    _, across, _ = released(everything(16, [(55, 15), (65, 17), (75, 33)]), [before])
    assert kept_waves(across.suppressed, PROTOCOL) == {ACROSS}
    assert across.tables.results["n"].notna().all()


def test_a_new_wave_has_the_published_steps_of_the_others(planted):
    then, later = planted
    n = len(later.results)
    remaining = later.attrition["remaining"].tolist()
    fresh = Tables(
        later.results.assign(wave="2024-2026"),
        steps_of([*remaining[:3], 700, 650], "2024-2026"),
        later.characteristics.assign(wave="2024-2026"),
    )
    found = control_disclosure(fresh, FIXED, [then])
    assert not found.unprotected
    assert len(found.tables.results) == n
    steps = found.tables.attrition.set_index("rule")
    published_then, today = (each.attrition.set_index("rule") for each in (then, later))
    for rule in ("cohort", "no_accelerometer_day", "baseline_low_back_pain"):
        assert steps.loc[rule, "remaining"] == published_then.loc[rule, "remaining"] == today.loc[rule, "remaining"] - 1
    # The later steps that would reveal the new counts are suppressed.
    assert steps.loc[["followup_screen_missing"], ["excluded", "remaining"]].isna().any(axis=None)
