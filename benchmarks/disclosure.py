"""Time and memory of disclosure control, and the numbers it suppresses: every wave of a home, and across its waves.

    python -m benchmarks.disclosure HOME [--releases 10]

HOME has been refreshed (``stegvis demo`` makes one). Each wave is controlled as its asset does at its first
publication, the results across waves as the release does. What earlier releases published is read as a home with so
many releases reads it. Memory is the peak of the process (VmHWM), libraries included.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pandas as pd

from stegvis.disclosure.control import People, control_across_waves, control_disclosure, sets_behind
from stegvis.disclosure.suppression import Controlled
from stegvis.disclosure.tables import COUNT_COLUMNS, ROW_KEYS, Tables, typed
from stegvis.statistics.results import GROUPS
from stegvis.storage.releases import MANIFEST, newest_published, release_folders
from stegvis.study.study import Study
from stegvis.study.waves import ACROSS

# How the log names a cell.
_CELL = {**ROW_KEYS, "attrition": ["rule"], "characteristics": ROW_KEYS["characteristics"][1:]}


@dataclass
class Bench:
    """A home's warehouse, and what disclosure control of its tables took."""

    connection: duckdb.DuckDBPyConnection
    smallest: int
    seconds: float = 0.0
    unprotected: int = 0
    made: list[Tables] = field(default_factory=list)

    def read(self, table: str, where: str = "true", columns: str = "*", order: str = "rowid") -> pd.DataFrame:
        """Rows of a table."""
        return self.connection.execute(f"select {columns} from {table} where {where} order by {order}").df()

    def tables(self, where: str) -> Tables:
        """The tables of some waves, as they were computed."""
        return Tables(
            self.read("fitted_models", where),
            self.read("attrition", where, order="wave, step"),
            self.read("characteristics", where),
        )

    def people(self, where: str) -> People:
        """The people behind the tables of some waves."""
        groups = [(self.read(group, where), self.read(f"{group}_people", where)) for group in GROUPS]
        table_one = self.read("characteristics_people", where)
        return People(
            [
                (rows, members[members["wave"] == wave])
                for of_group, members in groups
                for wave, rows in of_group.groupby("wave")
            ],
            {str(wave): rows for wave, rows in table_one.groupby("wave")},
            self.read("exclusions", where, "wave, person, reason", "wave, person"),
        )

    def run(self, name: str, tables: Tables, people: People, control: Callable[[], Controlled]) -> Tables:
        """Control tables, and say what it took and cost."""
        mine = {each: frame[frame["wave"] == name] for each, frame in vars(tables).items()}
        counts = sum(int(mine[each][list(of)].count().sum()) for each, of in COUNT_COLUMNS.items())
        started = time.perf_counter()
        found = control()
        seconds = time.perf_counter() - started
        self.seconds, self.unprotected = self.seconds + seconds, self.unprotected + found.unprotected
        lost = len(found.suppressed)
        place = "across waves" if name == ACROSS else name
        print(f"{place}: {seconds:6.2f} s, {lost:,} of {counts:,} counts suppressed ({lost / counts:.1%})")
        print(f"    {different(name, typed(tables), people, found, self.smallest)}")
        return found.tables


def main(home: Path, releases: int) -> int:
    """Print time, memory and the numbers suppressed; fail if a small count can be derived."""
    protocol = Study.shipped().protocol
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        bench = Bench(connection, protocol.disclosure.smallest_count)
        for wave in bench.read("attrition", columns="distinct wave", order="wave")["wave"]:
            of_wave = f"wave = '{wave}'"
            tables, people = bench.tables(of_wave), bench.people(of_wave)
            bench.made.append(
                bench.run(wave, tables, people, lambda t=tables, p=people: control_disclosure(t, p, protocol))
            )
        across, tables, people = bench.read("pooled_models"), bench.tables("true"), bench.people("true")
        every = Tables(pd.concat([tables.results, across], ignore_index=True), tables.attrition, tables.characteristics)
        behind = People(
            [*people.results, (across, bench.read("pooled_models_people"))], people.characteristics, people.exclusions
        )
        published = Tables(*(pd.concat([getattr(each, name) for each in bench.made]) for name in ROW_KEYS))
        bench.run(ACROSS, every, behind, lambda: control_across_waves(every, published, behind, protocol))
    read = reading_time(home / "releases", releases)
    print(f"what {releases} earlier releases published: {read:.2f} s")
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text(encoding="utf-8"))
    memory = f"{int(peak.group(1)) / 1e6:.2f} GB" if peak else "unknown"
    print(f"together {bench.seconds + read:.2f} s; peak memory {memory}")
    return 1 if bench.unprotected else 0


def different(wave: str, tables: Tables, people: People, found: Controlled, smallest: int) -> str:
    """How many different groups of people the counts are about, and how many of these are suppressed."""
    sets = sets_behind(tables, people)
    cells: dict[tuple[str, str, str], int] = {}
    for name, columns in COUNT_COLUMNS.items():
        rows = getattr(tables, name)
        rows = rows[rows["wave"] == wave]
        for index, key in zip(rows.index, rows[_CELL[name]].itertuples(index=False, name=None), strict=True):
            cell = " / ".join(str(part) for part in key if part)
            places = {(name, cell, column): (name, index, column) for column in columns}
            cells |= {at: sets.of[place] for at, place in places.items() if place in sets.of}
    log = found.suppressed[["table", "cell", "column"]].itertuples(index=False, name=None)
    gone = {cells[place] for place in log if place in cells}
    small = {number for number in gone if sets.sizes[number] < smallest}
    counts = sum(number in small for number in cells.values())
    return (
        f"{len(gone):,} of {len(set(cells.values())):,} different groups; {len(small):,} of them are smaller than "
        f"{smallest}, and are behind {counts:,} counts"
    )


def reading_time(folder: Path, releases: int) -> float:
    """Seconds to read what was published by so many releases: the newest of the home, under other names."""
    newest = release_folders(folder)[-1]
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(releases):
            copy = Path(scratch) / "releases" / f"{newest.name}-{number:02d}"
            shutil.copytree(newest, copy)
            for name in (copy, copy / MANIFEST):
                name.chmod(0o700)
            facts = json.loads((copy / MANIFEST).read_text(encoding="utf-8"))
            (copy / MANIFEST).write_text(json.dumps(facts | {"release": copy.name}), encoding="utf-8")
        started = time.perf_counter()
        newest_published(Path(scratch) / "releases")
        return time.perf_counter() - started


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("--releases", type=int, default=10)
    options = parser.parse_args()
    sys.exit(main(options.home, options.releases))
