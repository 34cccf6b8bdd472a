"""1, 2, 4 and 8 times the people: does processor time grow in proportion, and does memory?

    python -m benchmarks.growth [--people 7000] [--weeks 50]

Two series. People: a cohort with day totals and one wave, from deliveries to a release (``stegvis refresh``). Weeks:
delivered 5-second epochs of so many people, to ``daily_exposures``. Each point is a process of its own.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.compare_days import deliver, from_delivery
from benchmarks.compare_home import STEGVIS
from benchmarks.measure import Cost, alone, command

TIMES = (1, 2, 4, 8)


def compare(folder: Path, people: int, weeks: int) -> dict[str, list[dict[str, Any]]]:
    """Both series, a point for each size: ``n`` and its cost."""
    found: dict[str, list[dict[str, Any]]] = {"people": [], "weeks": []}
    for times in TIMES:
        number = people * times
        found["people"].append({"n": number} | asdict(of_people(folder / f"people-{number}", number)))
        number = weeks * times
        place = folder / f"weeks-{number}"
        alone(deliver, number, place)
        found["weeks"].append({"n": number} | asdict(alone(from_delivery, place, 0)))
        for name, points in found.items():
            last = points[-1]
            print(
                f"  {last['n']:,} {name}: {last['processor']:.1f} s of processor, {last['megabytes']:,.0f} MB",
                flush=True,
            )
    return found


def of_people(folder: Path, people: int) -> Cost:
    """A full build of one wave; on disk, everything in the home but its deliveries."""
    home = folder / "home"
    command([*STEGVIS, "init", home, "--study", "hunt4_walking"])
    command([*STEGVIS, "twin", "--out", home / "landing", "--people", str(people), "--waves", "1"])
    cost = command([*STEGVIS, "refresh", "--home", home])
    files = [file for file in home.rglob("*") if file.is_file() and home / "landing" not in file.parents]
    return Cost(cost.processor, cost.wall, cost.megabytes, sum(file.stat().st_size for file in files) / 1e6)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=7000)
    parser.add_argument("--weeks", type=int, default=50)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stegvis-benchmark-") as name:
        compare(Path(name), asked.people, asked.weeks)


if __name__ == "__main__":
    main()
