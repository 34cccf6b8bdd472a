"""Time that disclosure control takes, and the numbers it suppresses, for the waves of a home and for all together.

    python -m benchmarks.disclosure HOME

HOME has been refreshed (``stegvis demo`` makes one). Each wave is controlled as its asset does, then everything
together as a release does; both without earlier releases and against all earlier releases of the home. The times are
compared with reading and naming the counts alone, without any linear program.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import duckdb
import pandas as pd

from stegvis.disclosure.leaving import control_across_waves, control_disclosure
from stegvis.disclosure.tables import Tables, counted
from stegvis.disclosure.taking_out import Controlled
from stegvis.storage.releases import published_tables
from stegvis.study.protocol import PROTOCOL_FILE, Protocol, read_protocol


def main(home: Path) -> int:
    """Print the time and the numbers suppressed; fail if a suppressed count can be inferred."""
    computed = tables_of(home)
    protocol = read_protocol(PROTOCOL_FILE)
    low = protocol.additive_interaction.low_categories
    started = time.perf_counter()
    counts = counted(computed, low).counts
    naming = time.perf_counter() - started
    published = sum(counts.published.values())
    print(f"{published:,} published counts of {len(counts.published):,} groups, {len(counts.relations):,} relations")
    print(f"reading and naming them {naming:6.2f} s")
    total = 0
    for name, earlier in (("no earlier release", []), ("all earlier releases", published_tables(home / "releases"))):
        started = time.perf_counter()
        suppressed, unprotected = controlled(computed, earlier, protocol)
        seconds = time.perf_counter() - started
        total += unprotected
        print(
            f"against {name:20s} ({len(earlier)}): {seconds:6.2f} s, {seconds / naming:.0f} times as long; "
            f"{suppressed:,} numbers suppressed, {unprotected} counts that can be inferred nevertheless"
        )
    return 1 if total else 0


def controlled(computed: Tables, earlier: list[Tables], protocol: Protocol) -> tuple[int, int]:
    """The number of suppressed numbers and of unprotected counts, of all waves together."""
    waves = list(computed.attrition["wave"].unique())
    parts = [
        control_disclosure(Tables(*(frame[frame["wave"] == wave] for frame in frames(computed))), protocol, earlier)
        for wave in waves
    ]
    together = Tables(
        *(pd.concat(each, ignore_index=True) for each in zip(*(frames(part.tables) for part in parts), strict=True))
    )
    log = pd.concat([part.suppressed for part in parts], ignore_index=True)
    across = control_across_waves(computed, Controlled(together, log, ()), protocol, earlier)
    return len(log) + len(across.suppressed), len(across.unprotected)


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
