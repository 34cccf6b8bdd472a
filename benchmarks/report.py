"""How long the pages of a release take, and how large they are: a home's waves, drawn from what its warehouse holds.

    python -m benchmarks.report HOME

HOME has been refreshed (``stegvis demo`` makes one). Bars: three waves in 20 s, no page above 1.5 MB. The peer is the
same pages without the drawing of their figures.
"""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path
from unittest import mock

import duckdb
import pandas as pd
from stegvis.assets.building.build import Build
from stegvis.assets.building.graph import recipes
from stegvis.assets.report import wave_report

from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.page import render_wave
from stegvis.reporting.plain import render_plain
from stegvis.storage.home import Home
from stegvis.storage.landing import scan
from stegvis.storage.warehouse import Partition
from stegvis.study.protocol import protocol

LARGEST = 1_500_000
SECONDS_FOR_THREE = 20.0
PACKAGE = "stegvis.reporting.figure.vl_convert_svg"


def main(home: Path) -> int:
    """Draw every wave's pages, print what it took, and say whether the claim holds."""
    place = Home.find(home)
    landing = scan(place.landing, place.hash_cache)
    build = Build(recipes()["report"], Partition(None, ""), protocol(), place, landing, logging.getLogger("pages"))
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        waves = [row[0] for row in connection.execute("select distinct wave from report order by wave").fetchall()]
        reports = [wave_report(connection, build, wave) for wave in waves]
    started = time.perf_counter()
    render_wave(reports[0])
    print(f"first wave, libraries loaded on the way   {time.perf_counter() - started:6.2f} s")
    seconds, pages = drawn(reports)
    with mock.patch(PACKAGE, return_value='<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>'):
        bare, _ = drawn(reports)
    latest = home / "releases" / "latest"
    started = time.perf_counter()
    pages |= render_plain(pd.read_parquet(latest / "results.parquet"), pd.read_csv(latest / "attrition.csv"), True)
    plain = time.perf_counter() - started
    for name, html in pages.items():
        print(f"{name:40s} {len(html.encode()) / 1000:8.0f} kB")
    print(f"{len(reports)} waves {seconds:6.2f} s; without drawing {bare:6.2f} s ({seconds / bare:.1f} times as long)")
    print(f"both plain pages {plain:6.2f} s")
    holds = seconds * 3 / len(reports) <= SECONDS_FOR_THREE and all(len(h.encode()) <= LARGEST for h in pages.values())
    print(
        f"three waves in {SECONDS_FOR_THREE:.0f} s, no page above {LARGEST / 1e6} MB: {'holds' if holds else 'FAILS'}"
    )
    return 0 if holds else 1


def drawn(reports: list[WaveReport]) -> tuple[float, dict[str, str]]:
    """Seconds for all pages of all waves, and the pages by file name."""
    started = time.perf_counter()
    pages = {name: html for report in reports for name, html in render_wave(report).items()}
    return time.perf_counter() - started, pages


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
