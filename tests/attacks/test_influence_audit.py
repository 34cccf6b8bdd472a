"""The influence audit refuses an edition that gives the outcome of people who changed away, and grants others.

The attackers are those of ``stegvis/disclosure/influence.py``; first each is shown to win where few people change.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stegvis.analyses import main_models, strata
from stegvis.disclosure.audit import audit, is_main_ratio, refusal
from stegvis.disclosure.control import sets_behind
from stegvis.disclosure.influence import Moves, area_under_curve, guesses, moves
from stegvis.disclosure.people_sets import PeopleSets
from stegvis.disclosure.published import of_wave, with_main_ratios
from stegvis.disclosure.tables import typed
from tests.stegvis.conftest import PROTOCOL, analysis_set_of
from tests.stegvis.disclosure.made_tables import WAVE, computed_of

DIGITS = PROTOCOL.release.digits.ratios


@pytest.fixture(scope="module")
def computed() -> tuple[pd.DataFrame, PeopleSets]:
    analyses = (main_models.main_rows, strata.stratified_rows)
    tables, people = computed_of(analysis_set_of(1600, seed=4), analyses=analyses)
    tables = typed(tables)
    return tables.results, sets_behind(tables, people)


@pytest.fixture(scope="module")
def every_number(computed: tuple[pd.DataFrame, PeopleSets]) -> Moves:
    """What moves if all ratios, their standard errors and all counts are published anew."""
    results, sets = computed
    found = moves(results, sets, set(results.index), set(results.index), DIGITS, errors=True)
    assert found is not None
    return found


@pytest.mark.parametrize("attacker", ["one known", "all known"])
@pytest.mark.parametrize("changed", [1, 10, 50])
def test_each_attacker_wins_where_everything_is_published_anew(
    every_number: Moves, changed: int, attacker: str
) -> None:
    found = guesses(every_number, changed, draws=max(200 // changed, 5))
    margin = area_under_curve(found.margin, found.case)
    assert margin < 0.75
    assert area_under_curve(found.score[attacker], found.case) > margin + 0.2


def test_the_audit_refuses_few_changed_people_and_grants_many(computed: tuple[pd.DataFrame, PeopleSets]) -> None:
    results, sets = computed
    for changed in (1, 10, 50):
        found = audit(results, sets, changed, DIGITS)
        assert not found.passed
        assert found.attack > found.margin + 0.05
    found = audit(results, sets, 800, DIGITS)
    assert found.passed
    assert found.attack < found.margin + 0.02
    assert audit(results, sets, 0, DIGITS).passed
    assert "stegvis retract 2030" in refusal("2030")


def test_the_same_stand_ins_are_drawn_each_time(computed: tuple[pd.DataFrame, PeopleSets]) -> None:
    assert audit(*computed, 300, DIGITS) == audit(*computed, 300, DIGITS)


def test_stand_ins_come_from_every_stratum_in_proportion(every_number: Moves) -> None:
    found = guesses(every_number, changed=160, draws=1)
    drawn = np.bincount(found.stratum) / len(found.stratum)
    present = np.bincount(every_number.stratum) / len(every_number.stratum)
    assert np.abs(drawn - present).max() < 0.01


def test_an_edition_of_corrected_data_has_new_main_ratios_and_no_other_new_number() -> None:
    people = analysis_set_of(1600, seed=4)
    analyses = (main_models.main_rows, strata.stratified_rows)
    before, _ = computed_of(people, analyses=analyses)
    after, _ = computed_of(people.iloc[400:].reset_index(drop=True), analyses=analyses)
    made = with_main_ratios(typed(before), typed(after).results, 1, "new edition: corrected data")
    old, new = before.results.reset_index(drop=True), made.results.reset_index(drop=True)
    changed = (is_main_ratio(old) & (old["level"] != old["reference"])).to_numpy()
    pd.testing.assert_frame_equal(new[~changed], typed(before).results.reset_index(drop=True)[~changed])
    assert changed.sum() == 12
    assert new.loc[changed, ["std_error", "p_value", "e_value"]].isna().all(axis=None)
    assert (new.loc[changed, "estimate"] == new.loc[changed, "estimate"].round(1)).all()
    assert (new.loc[changed, "note"].str.startswith("new edition: corrected data")).all()
    pd.testing.assert_series_equal(new["n"], typed(before).results["n"].reset_index(drop=True))
    assert of_wave(made, WAVE) is not None
