"""How long disclosure control takes, and what it holds back: a home's waves, and all of them together.

    python -m benchmarks.disclosure HOME

HOME has been refreshed (``stegvis demo`` makes one). Each wave is decided on as its stage does it, then everything
together as a release does it; both against no earlier release and against all that the home has. The peer is the time
that reading and naming the counts takes, without any linear program.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import duckdb
import pandas as pd

from stegvis.disclosure.leaving import leaving, leaving_across
from stegvis.disclosure.tables import Tables, counted
from stegvis.disclosure.taking_out import Leaving
from stegvis.storage.releases import published_tables
from stegvis.study.protocol import protocol


def main(home: Path) -> int:
    """Decide, print what it took and how many numbers went, and fail if a hidden count could be worked out."""
    computed = tables_of(home)
    low = protocol().additive_interaction.low_categories
    started = time.perf_counter()
    counts = counted(computed, low).counts
    naming = time.perf_counter() - started
    told = sum(counts.told.values())
    print(f"{told:,} released counts of {len(counts.told):,} groups, {len(counts.relations):,} relations")
    print(f"reading and naming them {naming:6.2f} s")
    exposed = 0
    for name, earlier in (("no earlier release", []), ("all earlier releases", published_tables(home / "releases"))):
        started = time.perf_counter()
        held_back, exposed_now = decided(computed, earlier)
        seconds = time.perf_counter() - started
        exposed += exposed_now
        print(
            f"against {name:20s} ({len(earlier)}): {seconds:6.2f} s, {seconds / naming:.0f} times as long; "
            f"{held_back:,} numbers held back, {exposed_now} that could be worked out all the same"
        )
    return 1 if exposed else 0


def decided(computed: Tables, earlier: list[Tables]) -> tuple[int, int]:
    """How many numbers are held back, and how many counts could be worked out, of all waves together."""
    waves = list(computed.attrition["wave"].unique())
    parts = [
        leaving(Tables(*(frame[frame["wave"] == wave] for frame in frames(computed))), protocol(), earlier)
        for wave in waves
    ]
    together = Tables(
        *(pd.concat(each, ignore_index=True) for each in zip(*(frames(part.tables) for part in parts), strict=True))
    )
    log = pd.concat([part.held_back for part in parts], ignore_index=True)
    across = leaving_across(computed, Leaving(together, log, ()), protocol(), earlier)
    return len(log) + len(across.held_back), len(across.exposed)


def frames(tables: Tables) -> tuple[pd.DataFrame, ...]:
    """The three tables, in the order that ``Tables`` takes them."""
    return tables.results, tables.attrition, tables.characteristics


def tables_of(home: Path) -> Tables:
    """Everything that was computed, before disclosure control."""
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        fitted = connection.execute("select * from fitted_models order by wave, rowid").df()
        pooled = connection.execute("select * from pooled_models order by rowid").df()
        attrition = connection.execute("select * from attrition order by wave, step").df()
        characteristics = connection.execute("select * from characteristics order by wave, rowid").df()
    return Tables(pd.concat([fitted, pooled], ignore_index=True), attrition, characteristics)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
