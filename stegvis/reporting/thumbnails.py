"""Small plots of published numbers, shown beside a table in the Dagster UI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from stegvis.reporting.words import Words

if TYPE_CHECKING:
    import pandas as pd

BIN_MINUTES = 10


def wave_pictures(
    attrition: pd.DataFrame, results: pd.DataFrame, wave: str, synthetic: bool, words: Words
) -> dict[str, str]:
    """The flow of people and the main estimates of a wave, from its published tables, as SVG."""
    from stegvis.reporting.flow import flow_diagram
    from stegvis.reporting.forest import forest_plot
    from stegvis.reporting.steps import described

    return {
        "flow_diagram": flow_diagram(
            described(attrition, words), wave, synthetic, words.protocol.disclosure.smallest_count
        ),
        "forest_plot": forest_plot(results, "walking_minutes", wave, synthetic, words),
    }


def walking_histogram(minutes: pd.Series[float], smallest_count: int, synthetic: bool) -> Mapping[str, str]:
    """People by walking minutes per day as SVG; bins of fewer people than ``smallest_count`` are not shown."""
    import altair
    import pandas as pd
    import vl_convert

    counts = (minutes.dropna() // BIN_MINUTES * BIN_MINUTES).value_counts()
    shown = counts[counts >= smallest_count].sort_index()
    if shown.empty:
        return {}
    bins = pd.DataFrame({"from": shown.index, "to": shown.index + BIN_MINUTES, "people": shown.to_numpy()})
    title = "People by walking minutes per day" + (" (synthetic data)" if synthetic else "")
    chart = (
        altair.Chart(bins, title=title, width=420, height=180)
        .mark_bar()
        .encode(
            x=altair.X("from:Q", title="minutes per day; bins of too few people are not shown"),
            x2="to",
            y=altair.Y("people:Q", title="people"),
        )
    )
    return {"histogram": str(vl_convert.vegalite_to_svg(chart.to_json()))}


def png(svg: str) -> bytes:
    """A picture as PNG."""
    import vl_convert

    from stegvis.reporting.plot import standalone

    return bytes(vl_convert.svg_to_png(standalone(svg), scale=1))
