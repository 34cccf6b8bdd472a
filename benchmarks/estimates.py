"""All analyses of one wave: time and memory, and R fitting the published models beside it.

    python -m benchmarks.estimates HOME [--wave 2021-2023]

HOME has been refreshed (``stegvis demo`` makes one). Limits: the whole suite in 60 s and 1.5 GB. Beside wall time,
which other programs lengthen, stand processor seconds; set OPENBLAS_NUM_THREADS=1 to compare them. R runs one command
of ``commands.csv`` per published model (its joint test, so that each model is fitted once); it needs the package
sandwich. Without R this part is skipped with a message.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pandas as pd

from stegvis.analyses.suite import SUITE
from stegvis.analyses.wave_data import WaveData, fit, walking_days
from stegvis.reproduction import r
from stegvis.reproduction.commands import commands
from stegvis.statistics.levels import covariate_levels
from stegvis.storage.home import Home
from stegvis.storage.warehouse import Warehouse
from stegvis.storage.wave_people import DAYS, ELIGIBLE, PEOPLE
from stegvis.study.study import Study

SECONDS, GIGABYTES = 60.0, 1.5
PUBLISHED = ("risk_ratios", "dose_response", "sensitivity_models")
ONE_PER_MODEL = ("p_joint", "p_interaction", "p_likelihood_ratio", "p_overall")


def main() -> None:
    """Fit every group, then the published models in R, and print the time of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("--wave", default="2021-2023")
    asked = parser.parse_args()
    data = wave_data(Home.find(asked.home), asked.wave)
    print(f"{len(data.people):,} analyzed of {len(data.eligible):,} eligible participants")
    results, published = {}, 0.0
    begun, processor_begun = time.monotonic(), time.process_time()
    for group, analyses in SUITE.items():
        started, processor_started = time.monotonic(), time.process_time()
        results[group] = fit(analyses, data)
        took, processor = time.monotonic() - started, time.process_time() - processor_started
        published += took if group in PUBLISHED else 0
        print(f"  {group}: {len(results[group])} estimates, processor {processor:.2f} s, wall {took:.2f} s")
    seconds, processor = time.monotonic() - begun, time.process_time() - processor_begun
    print(f"  all groups: processor {processor:.2f} s, wall {seconds:.2f} s")
    gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{'PASS' if seconds <= SECONDS else 'FAIL'} the whole suite in {seconds:.1f} s (limit {SECONDS:g} s)")
    print(f"{'PASS' if gigabytes <= GIGABYTES else 'FAIL'} {gigabytes:.2f} GB at most (limit {GIGABYTES:g} GB)")
    in_r(data, pd.concat([results[group] for group in PUBLISHED], ignore_index=True), published)


def wave_data(home: Home, wave: str) -> WaveData:
    """The participants of a wave."""
    protocol = Study.shipped().protocol
    with Warehouse(home).session("benchmark", {"wave": wave}) as connection:
        return WaveData(
            people=connection.execute(PEOPLE).df(),
            eligible=connection.execute(ELIGIBLE).df(),
            days=walking_days(connection.execute(DAYS).df(), protocol),
            protocol=protocol,
            levels=covariate_levels(Study.shipped().codebook),
        )


def in_r(data: WaveData, results: pd.DataFrame, published: float) -> None:
    """Fit the published models in R, each once."""
    if shutil.which("Rscript") is None:
        print("R is not installed: not measured")
        return
    table = commands(results, data.protocol, data.levels)
    asked = table.loc[table["measure"].isin(ONE_PER_MODEL) & (table["r"] != "") & (results["status"] == "ok"), "r"]
    with tempfile.TemporaryDirectory() as folder:
        data.people.to_csv(Path(folder) / "analysis_set.csv", index=False)
        (Path(folder) / "repeat.R").write_text(r.settings(data.protocol, data.levels) + r.functions())
        lines = ['source("repeat.R")', 'people <- read_people("analysis_set.csv")', *asked]
        (Path(folder) / "all.R").write_text("\n".join(lines))
        started = time.monotonic()
        ran = subprocess.run(["Rscript", "all.R"], cwd=folder, capture_output=True, text=True, check=False)
        took = time.monotonic() - started
    if ran.returncode:
        print(f"R failed: {ran.stderr.strip().splitlines()[-1] if ran.stderr.strip() else 'no message'}")
        return
    print(f"R: {len(asked)} published models in {took:.1f} s; here, with every row made of them, {published:.1f} s")
    print(f"ratio {published / took:.2f}")


if __name__ == "__main__":
    main()
