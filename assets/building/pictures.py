"""Small plots beside a materialization in the UI.

Belongs here: which stages have one, and what it shows: counts that went through disclosure control. Does not belong
here: the report's figures (``stegvis/reporting``), which are used where they fit.

Dagster has no picture among its metadata: a picture is Markdown with the image inside, and must stay small, since it is
kept in Dagster's event log.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import dagster as dg

from stegvis.assets.building.build import Build

if TYPE_CHECKING:
    import pandas as pd

LARGEST_BYTES = 100_000
BIN_MINUTES = 10


def pictures_of(rows: pd.DataFrame, also: Mapping[str, pd.DataFrame], build: Build) -> dict[str, dg.MetadataValue]:
    """The plots of a stage as metadata; none where a stage has none, or nothing can be drawn."""
    draw = PICTURES.get(build.recipe.name)
    mark = " of synthetic data" if build.landing.synthetic else ""
    found: dict[str, dg.MetadataValue] = {}
    try:
        drawn = {name: _png(svg) for name, svg in (draw(rows, also, build) if draw else {}).items() if svg}
    except Exception as error:
        # The rows are published: a missing plot must not call them failed. The class only, the text could hold a value.
        build.log.warning("the plots of %s could not be drawn: %s", build.recipe.name, type(error).__name__)
        return {}
    for name, png in drawn.items():
        if len(png) > LARGEST_BYTES:
            build.log.info("the plot %s of %s is too large for the UI", name, build.recipe.name)
        else:
            image = base64.b64encode(png).decode()
            found[name] = dg.MetadataValue.md(f"![plot{mark}](data:image/png;base64,{image})")
    return found


def _wave(rows: pd.DataFrame, also: Mapping[str, pd.DataFrame], build: Build) -> dict[str, str]:
    """Of a wave's published tables: the flow of people, and the main estimates."""
    from stegvis.reporting.flow import flow_diagram
    from stegvis.reporting.forest import forest_plot
    from stegvis.reporting.steps import described

    synthetic, smallest = build.landing.synthetic, build.protocol.disclosure.smallest_count
    return {
        "flow_diagram": flow_diagram(described(also["published_attrition"]), build.key, synthetic, smallest),
        "forest_plot": forest_plot(also["published_results"], "walking_minutes", build.key, synthetic, build.protocol),
    }


def _histogram(rows: pd.DataFrame, also: Mapping[str, pd.DataFrame], build: Build) -> dict[str, str]:
    import altair
    import pandas as pd
    import vl_convert

    minutes = rows["walking_minutes"].dropna()
    counts = (minutes // BIN_MINUTES * BIN_MINUTES).value_counts()
    shown = counts[counts >= build.protocol.disclosure.smallest_count].sort_index()
    if shown.empty:
        return {}
    bins = pd.DataFrame({"from": shown.index, "to": shown.index + BIN_MINUTES, "people": shown.to_numpy()})
    title = "People by walking minutes per day" + (" (synthetic data)" if build.landing.synthetic else "")
    chart = (
        altair.Chart(bins, title=title, width=420, height=180)
        .mark_bar()
        .encode(
            x=altair.X("from:Q", title="minutes per day; bins of too few people are left out"),
            x2="to",
            y=altair.Y("people:Q", title="people"),
        )
    )
    return {"histogram": str(vl_convert.vegalite_to_svg(chart.to_json()))}


def _png(svg: str) -> bytes:
    import vl_convert

    return bytes(vl_convert.svg_to_png(svg, scale=1))


PICTURES: dict[str, Callable[[pd.DataFrame, Mapping[str, pd.DataFrame], Build], dict[str, str]]] = {
    "walking_exposures": _histogram,
    "disclosure": _wave,
}
