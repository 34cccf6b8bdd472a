"""At the limits: a million people, or a landing zone with thousands of drops.

    python -m benchmarks.limits people [--people 1000000]
    python -m benchmarks.limits drops [--drops 5000]

``people``: one wave with day totals, from the deliveries to the cohort, exclusions, days and risk ratios. ``drops``: a
landing zone of batches, waves and corrections, one batch of 10,000 files and one person with 400 recordings, scanned
once and then again while nothing has changed. Limits: 120 s of processor and 6 GB; 0.5 s of processor. Each is a
process of its own; ends with 1 if a limit is exceeded.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from pathlib import Path

import dagster as dg

from benchmarks.compare_home import STEGVIS
from benchmarks.measure import Clock, Cost, alone, command
from stegvis.orchestration.asset_definitions import asset_definitions
from stegvis.orchestration.home_state import home_state
from stegvis.orchestration.instance import open_instance, register_partitions
from stegvis.orchestration.plan import groups
from stegvis.storage.home import Home
from stegvis.storage.landing import scan

SECONDS, GIGABYTES, SCAN_SECONDS = 120.0, 6.0, 0.5
# Deliveries of waves, and of how many waves they are: the others are later parts.
WAVES, YEARS = 200, 30
UNTIL_RISK_RATIOS = (
    "withdrawals",
    "baseline_questionnaire",
    "epoch_classification",
    "daily_exposures",
    "cohort",
    "walking_exposures",
    "followup_questionnaire",
    "outcome_questionnaire",
    "exclusions",
    "eligible_people",
    "analysis_set",
    "risk_ratios",
)


def main() -> None:
    """Measure one of the two and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("people", "drops"))
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--drops", type=int, default=5000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stegvis-benchmark-") as name:
        home = Path(name) / "home"
        command([*STEGVIS, "init", home, "--study", "hunt4_walking"])
        within = of_people(home, asked.people) if asked.what == "people" else of_drops(home, asked.drops)
    sys.exit(0 if within else 1)


def of_people(home: Path, people: int) -> bool:
    """Whether so many people stay within the limits."""
    command([*STEGVIS, "twin", "--out", home / "landing", "--people", str(people), "--waves", "1"])
    print(f"{people:,} people, from the deliveries to the risk ratios of a wave:")
    cost = alone(until_risk_ratios, home)
    return _within(cost, SECONDS, GIGABYTES)


def until_risk_ratios(root: Path) -> Cost:
    """Make the tables up to the risk ratios; what it took.

    Raises:
        RuntimeError: one of them was not made.
    """
    home, clock = Home.find(root), Clock()
    with open_instance(home) as instance:
        landing = scan(home.landing, home.hash_cache)
        register_partitions(landing, instance)
        job = asset_definitions(home).resolve_implicit_global_asset_job_def()
        for kind, key, stages in groups(home_state(home, instance, landing)):
            chosen = [table for table in stages if table.name in UNTIL_RISK_RATIOS]
            if not chosen:
                continue
            done = job.execute_in_process(
                instance=instance,
                asset_selection=[dg.AssetKey(member) for table in chosen for member in table.members],
                partition_key=key if kind else None,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
            if not done.success:
                raise RuntimeError(f"{', '.join(table.name for table in chosen)} was not made")
    return clock.cost()


def of_drops(home: Path, drops: int) -> bool:
    """Whether a landing zone with so many drops is looked at again within the limit."""
    landing = home / "landing"
    _drop(landing / "baseline" / "2019-06", {"participants.csv": b"person\n1\n"})
    for number in range(drops):
        _drop(landing / "recordings" / f"b{number:04}", {"days.csv": f"person\n{number}\n".encode()})
    for wave in range(WAVES):
        part, year = divmod(wave, YEARS)
        name = f"{2000 + 3 * year}-{2001 + 3 * year}" + (f".{part + 1}" if part else "")
        _drop(landing / "followup" / name, {"questionnaire.csv": f"person\n{wave}\n".encode()})
    _drop(landing / "recordings" / "big", {f"P{n:05}.epochs.parquet": str(n).encode() for n in range(10_000)})
    for number in range(400):
        files = {f"P00001_{place}.cwa": f"{place} {number}".encode() for place in ("back", "thigh")}
        _drop(landing / "recordings" / f"often.{number}", files)
    first, again = alone(scanned, home), alone(scanned, home)
    print(f"{drops + WAVES + 402:,} drops: the first scan {first.processor:.2f} s of processor; again:")
    return _within(again, SCAN_SECONDS, GIGABYTES)


def scanned(root: Path) -> Cost:
    """Scan the landing zone of a home.

    Raises:
        RuntimeError: a drop was not accepted.
    """
    home = Home.find(root)
    clock = Clock()
    found = scan(home.landing, home.hash_cache)
    cost = clock.cost()
    if unused := [*found.waiting, *found.rejected, *found.alarms]:
        raise RuntimeError(f"{len(unused)} drops were not accepted: {unused[0].reason}")
    return cost


def _drop(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    listed = {name: {"sha256": hashlib.sha256(content).hexdigest()} for name, content in files.items()}
    (folder / "drop.json").write_text(json.dumps({"files": listed, "synthetic": True}))


def _within(cost: Cost, seconds: float, gigabytes: float) -> bool:
    within = cost.processor <= seconds and cost.megabytes <= 1000 * gigabytes
    print(
        f"{'PASS' if within else 'FAIL'} {cost.processor:.2f} s of processor, {cost.wall:.2f} s, "
        f"{cost.megabytes / 1000:.2f} GB (limits {seconds:g} s, {gigabytes:g} GB)"
    )
    return within


if __name__ == "__main__":
    main()
