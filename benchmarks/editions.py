"""What a new edition of corrected data would say of the people who changed, by what it publishes anew.

    python -m benchmarks.editions HOME [--wave WAVE] [--changed 10 50 150 500]

HOME has been refreshed (``stegvis demo --people 8000 --waves 1`` has about 1,600 analyzed people). As many people
as would have changed are removed as stand-ins, as the audit does. The attackers of ``stegvis/disclosure/influence.py``
guess their outcome: the area under the curve of the better one. The last column is the audit's own answer.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import duckdb

from benchmarks.disclosure import Bench
from stegvis.disclosure.audit import audit, is_main_ratio
from stegvis.disclosure.control import sets_behind
from stegvis.disclosure.influence import Moves, area_under_curve, guesses, moves
from stegvis.disclosure.tables import typed
from stegvis.study.study import Study

# Decimals of a ratio at which an edition is tried after the protocol's.
_FEWER = 1
# Draws of stand-ins: of few people more.
_GUESSES, _FEWEST, _MOST = 4_000, 3, 400


def main(home: Path, wave: str | None, changed: Sequence[int]) -> None:
    """Print the table."""
    protocol = Study.shipped().protocol
    digits = protocol.release.digits.ratios
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        bench = Bench(connection, protocol.disclosure.smallest_count)
        wave = wave or str(bench.read("attrition", columns="distinct wave", order="wave")["wave"].iloc[0])
        tables = typed(bench.tables(f"wave = '{wave}'"))
        sets = sets_behind(tables, bench.people(f"wave = '{wave}'"))
    results, every = tables.results, set(tables.results.index)
    main_ratios = set(results.index[is_main_ratio(results)])
    published = [
        moves(results, sets, every, every, digits, errors=True),
        moves(results, sets, every, set(), digits, errors=True),
        moves(results, sets, main_ratios, set(), digits, errors=False),
    ]
    if any(each is None for each in published):
        raise SystemExit(f"wave {wave} has no main ratio")
    first = published[0]
    assert first is not None
    print(f"wave {wave}: {len(first.case):,} people, {first.case.mean():.0%} with the outcome; {digits} decimals\n")
    heads = [
        "changed people",
        "published groups alone",
        "all counts and ratios",
        "all ratios",
        "main ratios and intervals",
    ]
    print(f"| {' | '.join([*heads, 'the audit'])} |")
    print("|---|---|---|---|---|---|")
    for number in changed:
        areas = [area(each, number) for each in published if each is not None]
        passed = [decimals for decimals in (digits, _FEWER) if audit(results, sets, number, decimals).passed]
        answer = f"granted with {passed[0]} decimal{'s' if passed[0] > 1 else ''}" if passed else "refused"
        cells = [f"{areas[0][0]:.2f}", *(f"{attack:.2f}" for _, attack in areas), answer]
        print(f"| {number:,} | {' | '.join(cells)} |", flush=True)


def area(people: Moves, changed: int) -> tuple[float, float]:
    """The area under the curve of a guess from the published groups, and of the better attacker."""
    found = guesses(people, changed, min(max(_GUESSES // changed, _FEWEST), _MOST))
    attack = max(area_under_curve(score, found.case) for score in found.score.values())
    return area_under_curve(found.margin, found.case), attack


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("--wave")
    parser.add_argument("--changed", type=int, nargs="+", default=[10, 50, 150, 500])
    options = parser.parse_args()
    main(options.home, options.wave, options.changed)
