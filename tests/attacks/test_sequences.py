"""Sequences of what happens to a home, and one pooled test for each attacker: no guess is better than the margins.

A few run in CI, 200 with ``make attacks``, in homes of 300 to 1,500 people.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks.sequences import ATTACKERS, Guesses, attack, play
from tests.sizes import FULL

SEQUENCES = 200 if FULL else 6
CHANGED = (1, 9, 10, 11, 50, 500, 2000) if FULL else (10, 11, 50)
PEOPLE = (300, 600, 1500) if FULL else (600,)


def played(folder: Path, protected: bool, sequences: int) -> tuple[dict[str, Guesses], int]:
    found, granted = {name: Guesses() for name in ATTACKERS}, 0
    for number in range(sequences):
        first, last, home = play(number, PEOPLE[number % len(PEOPLE)], CHANGED, protected)
        attack(folder / f"{protected}-{number}", first, last, home, found)
        granted += home.granted
    return found, granted


@pytest.mark.slow
def test_no_guess_over_all_sequences_is_better_than_the_margins_and_each_wins_without_protection(
    tmp_path: Path,
) -> None:
    off, _ = played(tmp_path, protected=False, sequences=min(SEQUENCES, 42))
    on, granted = played(tmp_path, protected=True, sequences=SEQUENCES)
    for attacker in ATTACKERS:
        margin, score = off[attacker].areas()
        print(f"{attacker}, off: margins {margin:.3f}, attack {score:.3f}, {len(off[attacker].true)} guesses")
        assert score > margin + 0.05, attacker
        margin, score = on[attacker].areas()
        print(f"{attacker}, on: margins {margin:.3f}, attack {score:.3f}, {len(on[attacker].true)} guesses")
        assert score < max(margin, 0.5) + on[attacker].chance(), (attacker, granted)
