"""Time and size of the pages of a release, rendered from the warehouse of a home.

    python -m benchmarks.report HOME

HOME has been refreshed (``stegvis demo`` makes one). Limits: three waves in 8 s, no page above 1.5 MB.
"""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path

import duckdb
import pandas as pd

from stegvis.assets.graph import tables
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.page import render_wave
from stegvis.reporting.plain import render_plain
from stegvis.storage.home import Home
from stegvis.storage.landing import scan
from stegvis.storage.reader import Reader
from stegvis.storage.report_inputs import study_words, wave_report
from stegvis.storage.sources import Sources
from stegvis.storage.warehouse import WHOLE, Warehouse
from stegvis.study.study import Study

LARGEST = 1_500_000
SECONDS_FOR_THREE = 8.0


def main(home: Path) -> int:
    """Render the pages of every wave, print time and size, and whether they are within the limits."""
    place = Home.find(home)
    landing = scan(place.landing, place.hash_cache)
    study = Study.of(place.root)
    reader = Reader(Warehouse(place), "report", tables()["report"].readable, WHOLE, study)
    sources = Sources(reader, study, place, landing, logging.getLogger("pages"))
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        waves = [row[0] for row in connection.execute("select distinct wave from report order by wave").fetchall()]
        reports = [wave_report(connection, sources, wave) for wave in waves]
    started = time.perf_counter()
    render_wave(reports[0])
    print(f"first wave, including library imports     {time.perf_counter() - started:6.2f} s")
    seconds, pages = rendered(reports)
    latest = home / "releases" / "latest"
    started = time.perf_counter()
    results, attrition = pd.read_parquet(latest / "results.parquet"), pd.read_csv(latest / "attrition.csv")
    pages |= render_plain(results, attrition, True, study_words(study), study.claims, study.about)
    plain = time.perf_counter() - started
    for name, html in pages.items():
        print(f"{name:40s} {len(html.encode()) / 1000:8.0f} kB")
    print(f"{len(reports)} waves {seconds:6.2f} s")
    print(f"both plain-language pages {plain:6.2f} s")
    holds = seconds * 3 / len(reports) <= SECONDS_FOR_THREE and all(len(h.encode()) <= LARGEST for h in pages.values())
    print(
        f"three waves in {SECONDS_FOR_THREE:.0f} s, no page above {LARGEST / 1e6} MB: {'holds' if holds else 'FAILS'}"
    )
    return 0 if holds else 1


def rendered(reports: list[WaveReport]) -> tuple[float, dict[str, str]]:
    """Seconds for all pages of all waves, and the pages by file name."""
    started = time.perf_counter()
    pages = {name: html for report in reports for name, html in render_wave(report).items()}
    return time.perf_counter() - started, pages


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
