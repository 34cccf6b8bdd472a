"""Stegvis beside its peers in the same run: ``make bench``, or ``python -m benchmarks [--size small|full]``.

A run of everything writes ``benchmarks/runs/<size>.json``, adds its ratios to ``benchmarks/history.jsonl`` and makes
``docs/performance.md`` anew; commit the three. It ends with 1 if a ratio became worse by half. ``--only`` measures a
part, and only prints. ``--page`` only makes the page, ``--check`` only compares the history.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import compare_days, compare_home, compare_raw, growth, history, page
from benchmarks.measure import ROOT, Measure, alone, as_json, machine, rounded
from benchmarks.peers import Peers
from stegvis.version import commit

# Of each size: people delivered as epochs and as rows, days of the raw pair, people of the cohort and how many of them
# are delivered as epochs, people and weeks that growth begins with, and how often short measurements are repeated.
SIZES: dict[str, dict[str, int]] = {
    "small": {"people": 200, "days": 1, "cohort": 56_042, "epochs": 0, "first": 7_000, "weeks": 50, "repeats": 2},
    "full": {
        "people": 500,
        "days": 7,
        "cohort": 56_042,
        "epochs": 20_000,
        "first": 7_000,
        "weeks": 250,
        "repeats": 3,
    },
}
PARTS = ("days", "raw", "home", "growth")


def run(size: str, settings: Mapping[str, int], parts: list[str], peers: Peers) -> dict[str, Any]:
    """Measure these parts, each in a temporary folder of its own."""
    facts: dict[str, Any] = {"size": size, "settings": dict(settings), "machine": alone(machine)}
    facts |= {"date": f"{datetime.now(UTC):%Y-%m-%d}", "commit": alone(commit) or "unknown", "peers": peers.versions()}
    measures, repeats = list[Measure](), settings["repeats"]
    for part in parts:
        started = time.perf_counter()
        print(f"{part} ...", flush=True)
        folder = Path(tempfile.mkdtemp(prefix="stegvis-benchmark-"))
        try:
            if part == "days":
                measures += compare_days.compare(folder, peers, settings["people"], repeats)
                measures += compare_days.everybody(folder / "everybody") if size == "full" else []
            elif part == "raw":
                measures += compare_raw.compare(peers, settings["days"], repeats)
            elif part == "home":
                measures += compare_home.compare(folder, peers, settings["cohort"], settings["epochs"], repeats)
            else:
                facts["growth"] = rounded(growth.compare(folder, settings["first"], settings["weeks"]))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        print(f"{part}: {time.perf_counter() - started:.0f} s", flush=True)
    return facts | {"measures": as_json(measures)}


def main() -> int:
    """Measure, record, and compare with the run before."""
    asked = _options()
    if asked.check or asked.page:
        if asked.page:
            alone(page.write)
        return _verdict()
    settings = dict(SIZES[asked.size])
    changed = {name: getattr(asked, name) for name in settings if getattr(asked, name) is not None}
    parts = asked.only or list(PARTS)
    found = run(asked.size, settings | changed, parts, Peers.installed(asked.peers))
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    own = ROOT / "build" / "benchmarks" / f"{datetime.now(UTC):%Y-%m-%dT%H%M%S}-{asked.size}.json"
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text(text, encoding="utf-8")
    for name, ratio in history.ratios_of(Measure.read(each) for each in found["measures"]).items():
        print(f"{ratio:10.3g}  {name}")
    print(own.relative_to(ROOT))
    if changed or parts != list(PARTS):
        print("not recorded: only a run of everything, in a size of its own, is comparable with the ones before")
        return 0
    (page.RUNS / f"{asked.size}.json").write_text(text, encoding="utf-8")
    history.append(history.entry(found, dict(each.split("=", 1) for each in asked.accept)))
    alone(page.write)
    return _verdict()


def _verdict() -> int:
    worse = history.worsened(history.read())
    print("\n".join(["worse by half than in the run before:", *worse] if worse else ["no ratio is worse by half"]))
    return 1 if worse else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=list(SIZES), default="small")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="measure these parts and only print")
    parser.add_argument("--peers", type=Path, help="Python of an environment with benchmarks/peers.txt")
    parser.add_argument("--accept", nargs="*", default=[], metavar="RATIO=REASON", help="a ratio meant to be worse")
    parser.add_argument("--page", action="store_true", help="only make docs/performance.md")
    parser.add_argument("--check", action="store_true", help="only compare the history")
    for name in SIZES["small"]:
        parser.add_argument(f"--{name}", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
