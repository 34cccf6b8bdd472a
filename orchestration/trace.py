"""From a number in a release back to where it came from: ``lineage.json``, followed from a result to the deliveries.

Only the release's own folder is read, so that a copy of it can be traced as well.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from stegvis.statistics.results import KEY_COLUMNS

LINEAGE = "lineage.json"
SELECTORS = KEY_COLUMNS


class TraceError(ValueError):
    """The release cannot be traced, or no row matches; the message says why."""


def trace(release: Path, wanted: dict[str, str]) -> dict[str, Any]:
    """Where the rows of a release come from.

    Args:
        release: its folder.
        wanted: values of key columns of ``results.csv``; columns that are not named may have any value.

    Returns:
        ``rows`` that match; ``stages``: every table partition they were made from, the nearest first, each with its
        run, time, method, and what it was made from; ``sql``: the text of their SELECTs by file name.

    Raises:
        TraceError: no release, no lineage in it, or no row.
    """
    try:
        lineage = json.loads((release / LINEAGE).read_text(encoding="utf-8"))
        with (release / "results.csv").open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if all(row[name] == value for name, value in wanted.items())]
    except FileNotFoundError as error:
        raise TraceError(
            f"{release} is not a release that can be traced: it has no {Path(error.filename).name}"
        ) from None
    if not rows:
        raise TraceError("no row of results.csv matches; its key columns are " + ", ".join(SELECTORS))
    tables = {(table["asset"], table["partition"]): table for table in lineage["stages"]}
    reached: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        asset = lineage["analyses"].get(row["analysis"])
        if asset is None:
            raise TraceError(f"lineage.json does not say which table holds the analysis {row['analysis']}")
        place = next((each for each in ((asset, row["wave"]), (asset, "")) if each in tables), None)
        if place is None:
            raise TraceError(f"lineage.json has no {asset} of {row['wave']}")
        _follow(place, tables, reached)
    order = list(tables)
    found = sorted(reached.values(), key=lambda table: order.index((table["asset"], table["partition"])), reverse=True)
    named = {name for table in found for name in table["method"]}
    return {
        "release": release.name,
        "rows": rows,
        "stages": found,
        "sql": {name: text for name, text in lineage["sql"].items() if name in named},
    }


def _follow(place: tuple[str, str], tables: dict[Any, Any], reached: dict[Any, Any]) -> None:
    if place in reached:
        return
    reached[place] = tables[place]
    for name in tables[place]["made_from"]:
        asset, _, rest = name.partition("[")
        upstream = (asset, rest.rstrip("]"))
        if upstream in tables:
            _follow(upstream, tables, reached)
