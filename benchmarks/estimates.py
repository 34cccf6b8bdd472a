"""All analyses of one wave: time and memory, and R fitting the published models beside it.

    python -m benchmarks.estimates HOME [--wave 2021-2023] [--json]

HOME has been refreshed (``stegvis demo`` makes one). Limits: the whole suite in 60 s and 1.5 GB. Beside wall time,
which other programs lengthen, stand processor seconds; set OPENBLAS_NUM_THREADS=1 to compare them. R runs one command
of ``commands.csv`` per published model (its joint test, so that each model is fitted once); it needs the package
sandwich. Without R this part is skipped with a message. R's processor seconds begin when its packages and the data are
loaded, as ours do. ``--json`` prints the figures as one line of JSON instead.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.measure import Clock, Cost
from stegvis.analyses.shared_wave import from_either, shared_wave
from stegvis.analyses.suite import SUITE
from stegvis.analyses.wave_data import WaveData, fit, walking_days
from stegvis.reproduction import r
from stegvis.reproduction.commands import commands
from stegvis.sql import sql_text
from stegvis.statistics.levels import covariate_levels
from stegvis.storage.home import Home
from stegvis.storage.warehouse import Warehouse
from stegvis.storage.wave_people import DAYS, ELIGIBLE, PEOPLE, with_numbered_people
from stegvis.study.study import Study

SECONDS, GIGABYTES = 60.0, 1.5
PUBLISHED = ("risk_ratios", "dose_response", "sensitivity_models")
ONE_PER_MODEL = ("p_joint", "p_interaction", "p_likelihood_ratio", "p_overall")


# What R prints last: its processor seconds, of itself and of what it started, since the data were read; wall seconds,
# and the peak of its memory in kilobytes (what ``wait4`` says includes that of the process which started it).
R_CLOCK = """
took <- proc.time() - begun
peak <- grep("VmHWM", readLines("/proc/self/status"), value = TRUE)
cat("processor", sum(took[c(1, 2, 4, 5)], na.rm = TRUE), took[3], gsub("[^0-9]", "", peak), "\\n")
"""


def main() -> None:
    """Fit every group, then the published models in R, and print the time of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("--wave", default="2021-2023")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    data = wave_data(Home.find(asked.home), asked.wave)
    whole, costs, results = Clock(), dict[str, Cost](), dict[str, pd.DataFrame]()
    for group, analyses in SUITE.items():
        clock = Clock()
        results[group] = fit(analyses, data)
        costs[group] = clock.cost()
    everything = whole.cost()
    together = in_two_processes(data, results)
    models, in_r = r_fits(data, pd.concat([results[group] for group in PUBLISHED], ignore_index=True))
    if asked.json:
        published = [costs[group] for group in PUBLISHED]
        mine = Cost(sum(c.processor for c in published), sum(c.wall for c in published), everything.megabytes)
        facts = {"models": models, "published": asdict(mine), "suite": asdict(everything), "two_processes": together}
        rows = sum(len(each) for each in results.values())
        print(json.dumps(facts | {"rows": rows, "people": len(data.people), "r": asdict(in_r) if in_r else None}))
        return
    print(f"{len(data.people):,} analyzed of {len(data.eligible):,} eligible participants")
    for group, cost in costs.items():
        print(f"  {group}: {len(results[group])} estimates, processor {cost.processor:.2f} s, wall {cost.wall:.2f} s")
    print(f"  all groups: processor {everything.processor:.2f} s, wall {everything.wall:.2f} s")
    if together:
        print(f"  all groups in two processes: wall {together:.2f} s, the same rows")
    seconds, gigabytes = everything.wall, everything.megabytes / 1000
    print(f"{'PASS' if seconds <= SECONDS else 'FAIL'} the whole suite in {seconds:.1f} s (limit {SECONDS:g} s)")
    print(f"{'PASS' if gigabytes <= GIGABYTES else 'FAIL'} {gigabytes:.2f} GB at most (limit {GIGABYTES:g} GB)")
    if in_r:
        took = sum(costs[group].processor for group in PUBLISHED)
        print(
            f"R: {models} published models in {in_r.processor:.1f} s of processor; here, every row of them, {took:.1f}"
        )
        print(f"ratio {took / in_r.processor:.2f}")
    else:
        print("R is not installed: not measured")


def wave_data(home: Home, wave: str) -> WaveData:
    """The participants of a wave."""
    protocol = Study.shipped().protocol
    values = ("exposures.minimum_valid_days", "models.adjusted", "exclusions.complete_case")
    variables = {"wave": wave} | {name: protocol.value(name) for name in values}
    with Warehouse(home).session("benchmark", variables) as connection:
        people, eligible, days = with_numbered_people([connection.execute(q).df() for q in (PEOPLE, ELIGIBLE, DAYS)])
        cohort = connection.execute(sql_text("cohort_selection")).df()
    return WaveData(
        people=people,
        eligible=eligible,
        days=walking_days(days, protocol),
        protocol=protocol,
        levels=covariate_levels(Study.shipped().codebook),
        cohort=cohort,
    )


def in_two_processes(data: WaveData, expected: Mapping[str, pd.DataFrame]) -> float | None:
    """The seconds in which two processes fit all groups, from the start of the second one; None with one processor.

    Raises:
        RuntimeError: other rows came out.
    """
    began = time.monotonic()
    shared = shared_wave(data, SUITE)
    if shared is None:
        return None
    found = {
        group: fit([from_either(group, n, each, shared, _forget) for n, each in enumerate(SUITE[group])], data)
        for group in sorted(SUITE)  # as Dagster makes them
    }
    seconds = time.monotonic() - began
    if not all(found[group].equals(expected[group]) for group in SUITE):
        raise RuntimeError("two processes made other rows than one")
    return seconds


def _forget(_name: str, _value: Any) -> None:
    """What is read of the protocol is not recorded here."""


def r_fits(data: WaveData, results: pd.DataFrame) -> tuple[int, Cost | None]:
    """Fit the published models in R, each once.

    Returns:
        How many they are, and what R needed; None without R.

    Raises:
        RuntimeError: R failed.
    """
    table = commands(results, data.protocol, data.levels)
    asked = table.loc[table["measure"].isin(ONE_PER_MODEL) & (table["r"] != "") & (results["status"] == "ok"), "r"]
    if shutil.which("Rscript") is None:
        return len(asked), None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data.people.to_csv(folder / "analysis_set.csv", index=False)
        (folder / "repeat.R").write_text(r.settings(data.protocol, data.levels) + r.functions())
        lines = ['source("repeat.R")', 'people <- read_people("analysis_set.csv")', "begun <- proc.time()"]
        (folder / "all.R").write_text("\n".join([*lines, *asked, R_CLOCK]))
        done = subprocess.run(["Rscript", "all.R"], cwd=folder, capture_output=True, text=True, check=False)
    last = done.stdout.strip().splitlines()[-1:]
    if done.returncode or not last or not last[0].startswith("processor "):
        raise RuntimeError(f"R failed: {done.stderr.strip()[-300:] or 'no message'}")
    processor, wall, kilobytes = (float(number) for number in last[0].split()[1:])
    return len(asked), Cost(processor, wall, kilobytes / 1024)


if __name__ == "__main__":
    main()
