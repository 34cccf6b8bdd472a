"""Time and memory that disclosure control takes, and the numbers it suppresses, for the waves of a home.

    python -m benchmarks.disclosure HOME

HOME has been refreshed (``stegvis demo`` makes one). Each wave is controlled as its asset does at its first
publication; afterwards it is carried forward, whatever the number of releases.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import duckdb
import pandas as pd

from stegvis.assets.fitted_models import GROUPS
from stegvis.disclosure.control import People, control_disclosure
from stegvis.disclosure.tables import COUNT_COLUMNS, Tables
from stegvis.storage.releases import newest_published, release_folders
from stegvis.study.protocol import PROTOCOL_FILE, read_protocol


def main(home: Path) -> int:
    """Print the time and the numbers suppressed; fail if a small count can be derived."""
    protocol, unprotected, total = read_protocol(PROTOCOL_FILE), 0, 0.0
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        waves = [row[0] for row in connection.execute("select distinct wave from fitted_models order by 1").fetchall()]
    for wave in waves:
        tables, people = of_wave(home, wave)
        counts = sum(int(getattr(tables, name)[list(of)].count().sum()) for name, of in COUNT_COLUMNS.items())
        started = time.perf_counter()
        found = control_disclosure(tables, people, protocol)
        seconds = time.perf_counter() - started
        total, unprotected = total + seconds, unprotected + found.unprotected
        lost = len(found.suppressed)
        print(f"{wave}: {seconds:6.2f} s, {lost:,} of {counts:,} counts suppressed ({lost / counts:.1%})")
    started = time.perf_counter()
    newest_published(home / "releases")
    read = time.perf_counter() - started
    print(f"what {len(release_folders(home / 'releases'))} earlier releases published: {read:.2f} s")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"together {total + read:.2f} s, at most {memory:.2f} GB")
    return 1 if unprotected else 0


def of_wave(home: Path, wave: str) -> tuple[Tables, People]:
    """What was computed for a wave, and who is behind it."""
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:

        def read(table: str, columns: str = "*", order: str = "rowid") -> pd.DataFrame:
            return connection.execute(f"select {columns} from {table} where wave = ? order by {order}", [wave]).df()

        tables = Tables(read("fitted_models"), read("attrition", order="step"), read("characteristics"))
        groups = [(read(group), read(f"{group}_people")) for group in GROUPS]
        return tables, People(
            groups, {wave: read("characteristics_people")}, read("exclusions", "wave, person, reason", "person")
        )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
