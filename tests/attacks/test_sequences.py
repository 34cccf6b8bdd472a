"""Sequences of what happens to a home, and one pooled test for each attacker: no guess is better than the margins.

A few run in CI, 200 with ``make attacks``, in homes of 300 to 1,500 people.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.attacks.attackers import area_under_curve
from tests.attacks.sequences import Guessed, attack, play
from tests.sizes import FULL

SEQUENCES = 200 if FULL else 4
CHANGED = (1, 9, 10, 11, 50, 500, 2000) if FULL else (10, 50)
PEOPLE = (300, 600, 1500) if FULL else (600,)


def played(folder: Path, protected: bool, sequences: int) -> tuple[Guessed, int]:
    found, granted = Guessed(), 0
    for number in range(sequences):
        first, last, home = play(number, PEOPLE[number % len(PEOPLE)], CHANGED, protected)
        attack(folder / f"{protected}-{number}", first, last, home.gone, found)
        granted += home.granted
    return found, granted


@pytest.mark.slow
def test_no_guess_over_all_sequences_is_better_than_the_margins_and_each_wins_without_protection(
    tmp_path: Path,
) -> None:
    off, _ = played(tmp_path, protected=False, sequences=min(SEQUENCES, 20))
    on, granted = played(tmp_path, protected=True, sequences=SEQUENCES)
    case, margin = np.array(on.case), np.array(on.margin)
    chance = 2 * np.sqrt(1 / (12 * case.sum()) + 1 / (12 * (~case).sum()))
    for attacker in ("one known", "all known"):
        without = area_under_curve(off.score[attacker], off.case)
        assert without > area_under_curve(off.margin, off.case) + 0.05, attacker
        score = area_under_curve(on.score[attacker], case)
        assert score < max(area_under_curve(margin, case), 0.5) + chance, (attacker, granted)
    without, guess = off.covariates, on.covariates
    won = area_under_curve(without.score, without.true)
    assert won > area_under_curve(without.margin, without.true) + 0.05
    true = np.array(guess.true)
    chance = 2 * np.sqrt(1 / (12 * true.sum()) + 1 / (12 * (~true).sum()))
    assert area_under_curve(guess.score, true) < max(area_under_curve(guess.margin, true), 0.5) + chance
