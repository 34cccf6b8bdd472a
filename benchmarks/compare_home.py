"""A home with the whole cohort: refreshes, commands, and the estimates of a wave.

    python -m benchmarks --only home [--cohort 56042]

The peer of refreshes is a plain pandas count of the same deliveries (``tests/oracle_flow.py``): it knows the rules, but
fits no model, and checks and records nothing. The peer of commands is a Python process that only imports Dagster. The
peer of estimates is R, which fits the published models.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.measure import ONE_THREAD, ROOT, Cost, Measure, Peer, alone, cheapest, command
from benchmarks.peers import Peers
from benchmarks.refresh import BATCHES, WAVES, register_many

STEGVIS = (sys.executable, "-m", "stegvis.orchestration")
DEFINITIONS = "import stegvis.orchestration.definitions"
WAVE = "2021-2023"
COUNT = "from pathlib import Path; from tests.oracle_flow import flow_from_deliveries; flow_from_deliveries(Path({!r}))"
PLAIN = "tests/oracle_flow.py: flow_from_deliveries(LANDING)"
MADE = "Stegvis checks, fits every model, controls disclosure, draws the report and publishes; pandas counts the flow."
IMPORT = 'python -c "import dagster"'


def compare(folder: Path, peers: Peers, cohort: int, epochs: int, repeats: int) -> list[Measure]:
    """Everything that is measured on one home of so many people, some of them delivered as epochs."""
    home = folder / "home"
    twin = ("--people", str(cohort), "--epochs", str(epochs), "--waves", "3")
    command([*STEGVIS, "init", home, "--study", "hunt4_walking"])
    command([*STEGVIS, "twin", "--out", home / "landing", *twin])
    built = _built(home, f"{cohort:,} people, {epochs:,} of them delivered as epochs, two waves.", repeats)
    command([*STEGVIS, "refresh", "--home", home])  # the first after a build takes more than the others
    few = _commands(home, repeats)
    fitted = estimates(home, peers)
    alone(register_many, home)
    return [*built, *few, *_commands(home, repeats, many=True), fitted]


def _built(home: Path, cohort: str, repeats: int) -> list[Measure]:
    """A full build without the last wave, then that wave."""
    last = max((home / "landing" / "followup").iterdir())
    later = home.parent / "later"
    last.rename(later)
    plain = _plain_count(home / "landing", repeats)
    refresh = (*STEGVIS, "refresh", "--home", home)
    full = _said("full build", command(refresh))
    later.rename(last)
    wave = _said("new wave", command(refresh))
    third = f"A third wave, on the home of the full build: {_share(wave, full)} of it. {MADE}"
    return [
        Measure(name, title, about, "stegvis refresh", cost, [Peer("plain pandas", PLAIN, counted, yardstick=True)])
        for name, title, about, cost, counted in (
            ("full_build", "From deliveries to a release", f"{cohort} {MADE}", full, plain),
            ("new_wave", "A new wave", third, wave, _plain_count(home / "landing", repeats)),
        )
    ]


def _commands(home: Path, repeats: int, *, many: bool = False) -> list[Measure]:
    """Commands with nothing to do, by turns with an import of Dagster; ``many``: with many batches and waves."""
    load = f"import os; os.environ['STEGVIS_HOME'] = {str(home)!r}; {DEFINITIONS}"
    runs: dict[str, tuple[str, str, tuple[str | Path, ...]]] = {
        "nothing_new": ("A refresh with nothing to do", "stegvis refresh", (*STEGVIS, "refresh", "--home", home)),
        "status": ("Status of the home", "stegvis status", (*STEGVIS, "status", "--home", home)),
        "definitions": ("The definitions", f'python -c "{DEFINITIONS}"', (sys.executable, "-c", load)),
    }
    if many:  # nothing of these batches and waves was delivered, so a refresh would not be one
        del runs["nothing_new"]
    costs: dict[str, list[Cost]] = {name: [] for name in ("import", *runs)}
    for _ in range(repeats):
        costs["import"].append(command((sys.executable, "-c", "import dagster")))
        for name, (_title, _how, arguments) in runs.items():
            costs[name].append(command(arguments))
    imported = Peer("import of Dagster", IMPORT, cheapest(costs["import"]), yardstick=True)
    found, registered = [], f"{BATCHES} batches and {WAVES} waves are registered."
    for name, (title, how, _arguments) in runs.items():
        cost = _said(title, cheapest(costs[name]))
        if many:
            title = f"{title}, {BATCHES} batches and {WAVES} waves"
            measure = Measure(f"{name}_many", title, registered, how, cost, [imported])
        else:
            measure = Measure(name, title, "Everything is up to date.", how, cost, [imported])
        found.append(measure)
    return found


def estimates(home: Path, peers: Peers) -> Measure:
    """The published models of a wave, here and in R."""
    run = [sys.executable, "-m", "benchmarks.estimates", str(home), "--wave", WAVE, "--json"]
    done = subprocess.run(run, cwd=ROOT, env={**os.environ, **ONE_THREAD}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the estimates could not be measured: {done.stderr[-800:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    suite = Cost(**found["suite"])
    other = Cost(**found["r"]) if found["r"] else None
    both = f", in two processes {found['two_processes']:.1f} s of time" if found["two_processes"] else ""
    about = (
        f"{found['people']:,} people of wave {WAVE}. Stegvis makes every published row of {found['models']} models; R "
        "fits each of these models once, with its joint test. Both after loading. "
        f"All {found['rows']:,} rows of the wave's suite take {suite.processor:.1f} s of processor here{both}."
    )
    how = f"python -m benchmarks.estimates HOME --wave {WAVE}"
    why = "" if other else peers.missing("R")
    cost = _said("published models", Cost(**found["published"]))
    return Measure("published_models", "The published models of a wave", about, how, cost, [Peer("R", how, other, why)])


def _plain_count(landing: Path, repeats: int) -> Cost:
    """The peer, on the deliveries that it can read: all but signals."""
    copy = landing.parent.parent / "peer"
    shutil.copytree(landing, copy, ignore=lambda _folder, names: [name for name in names if name == "signals"])
    counted = [command([sys.executable, "-c", COUNT.format(str(copy))]) for _ in range(repeats)]
    cost = _said("plain pandas", cheapest(counted))
    shutil.rmtree(copy)
    return cost


def _share(part: Cost, whole: Cost) -> str:
    return f"{part.processor / whole.processor:.0%} of the processor seconds, {part.wall / whole.wall:.0%} of the time"


def _said(name: str, cost: Cost) -> Cost:
    print(f"  {name}: {cost.processor:.2f} s of processor, {cost.wall:.2f} s", flush=True)
    return cost
