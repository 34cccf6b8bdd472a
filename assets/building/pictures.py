"""Small plots beside a materialization in the UI.

Belongs here: which stages have one, and what it shows: counts that went through disclosure control. Does not belong
here: the report's figures (``study/reporting``), which are used where they fit.

Dagster has no picture among its metadata: a picture is Markdown with the image inside, and must stay small, since it is
kept in Dagster's event log.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING

import dagster as dg

from assets.building.build import Build

if TYPE_CHECKING:
    import pandas as pd

LARGEST_BYTES = 100_000
BIN_MINUTES = 10


def picture_of(rows: pd.DataFrame, build: Build) -> dict[str, dg.MetadataValue]:
    """The plot of a stage's rows as metadata; none where a stage has none, or there is nothing to draw."""
    draw = PICTURES.get(build.recipe.name)
    svg = draw(rows, build) if draw else ""
    if not svg:
        return {}
    png = _png(svg)
    if len(png) > LARGEST_BYTES:
        build.log.info("the plot of %s is too large for the UI", build.recipe.name)
        return {}
    mark = " of synthetic data" if _synthetic(build) else ""
    return {"plot": dg.MetadataValue.md(f"![plot{mark}](data:image/png;base64,{base64.b64encode(png).decode()})")}


def _flow(rows: pd.DataFrame, build: Build) -> str:
    from study.disclosure import suppress_attrition
    from study.reporting.flow import flow_diagram
    from study.reporting.steps import described

    steps, _ = suppress_attrition(rows, build.protocol.disclosure.smallest_count)
    return flow_diagram(described(steps), build.key, _synthetic(build))


def _histogram(rows: pd.DataFrame, build: Build) -> str:
    import altair
    import pandas as pd
    import vl_convert

    minutes = rows["walking_minutes"].dropna()
    counts = (minutes // BIN_MINUTES * BIN_MINUTES).value_counts()
    shown = counts[counts >= build.protocol.disclosure.smallest_count].sort_index()
    if shown.empty:
        return ""
    bins = pd.DataFrame({"from": shown.index, "to": shown.index + BIN_MINUTES, "people": shown.to_numpy()})
    title = "People by walking minutes per day" + (" (synthetic data)" if _synthetic(build) else "")
    chart = (
        altair.Chart(bins, title=title, width=420, height=180)
        .mark_bar()
        .encode(
            x=altair.X("from:Q", title="minutes per day; bins of too few people are left out"),
            x2="to",
            y=altair.Y("people:Q", title="people"),
        )
    )
    return str(vl_convert.vegalite_to_svg(chart.to_json()))


def _forest(rows: pd.DataFrame, build: Build) -> str:
    from study.disclosure import suppress_results
    from study.reporting.forest import forest_plot

    results, _ = suppress_results(rows, build.protocol.disclosure.smallest_count)
    return forest_plot(results, "walking_minutes", build.key, _synthetic(build))


def _png(svg: str) -> bytes:
    import vl_convert

    return bytes(vl_convert.svg_to_png(svg, scale=1))


def _synthetic(build: Build) -> bool:
    return any(drop.synthetic for drop in build.landing.accepted)


PICTURES: dict[str, Callable[[pd.DataFrame, Build], str]] = {
    "walking_exposures": _histogram,
    "attrition": _flow,
    "fitted_models": _forest,
}
