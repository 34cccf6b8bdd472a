"""The picture of one recording: one row per day, hours from left to right, colored by activity.

It shows one person's data without an identifier. It is drawn only on request and is never part of a report.
Altair describes the chart and vl-convert draws it in this process: no browser, no network.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd

from stegvis.accelerometry.activity import ActivityCode
from stegvis.reporting import figure

TITLE = "Activity by day and hour"
# Each row consists of stacks of ten minutes, six per hour.
MINUTES = 10
HOUR_WIDTH, ROW_HEIGHT, MINUTES_WIDTH = 30, 40, 130
# Free space above and below the stacks of a row, as a share of its height.
MARGIN = 0.08
# Height of the bars beside the rows, in rows.
BAR = 0.4

# From the bottom of a stack to its top. Colors for color-blind readers (Okabe and Ito 2008), legible on white and on
# black; lying and sitting are the two blues, so that upright activities are conspicuous.
NONWEAR = "#c3c9d1"
COLORS: dict[ActivityCode, tuple[str, str]] = {
    ActivityCode.LYING: ("lying", "#0072b2"),
    ActivityCode.SITTING: ("sitting", "#56b4e9"),
    ActivityCode.STANDING: ("standing", "#e6c229"),
    ActivityCode.WALKING: ("walking", "#d55e00"),
    ActivityCode.RUNNING: ("running", "#cc79a7"),
    ActivityCode.CYCLING: ("cycling", "#009e73"),
    ActivityCode.NONWEAR: ("not worn", NONWEAR),
}
PAGE = "#ffffff"
# Replacements of colors on a dark screen, the same as on the pages of the report.
DARK = {
    PAGE: "#14181d",
    figure.INK: "#e8eaed",
    figure.MUTED: "#a9b2bd",
    figure.LINE: "#3d4753",
    NONWEAR: "#5a6470",
}


def week_picture(epochs: pd.DataFrame, days: pd.DataFrame, epoch_seconds: int) -> str:
    """The picture as an SVG text.

    Args:
        epochs: one row per epoch: ``epoch_start`` datetime64 and ``activity`` codes. Hours without epochs stay blank.
        days: of the same epochs, ``storage.day_sums.day_table``.
        epoch_seconds: length of an epoch, s.
    """
    every = pd.date_range(days["date"].min(), days["date"].max(), freq="D")
    rows = days.set_index("date").reindex(every)
    names = _names(lying=bool(days["lying"].notna().any()))
    text = StringIO()
    _chart(_stacks(epochs, every, epoch_seconds, names), _labels(rows), names).save(text, format="svg")
    svg = ElementTree.fromstring(text.getvalue())
    # A standalone picture needs its own background and its own dark colors.
    svg.insert(0, ElementTree.Element("rect", {"width": "100%", "height": "100%", "fill": PAGE}))
    style = ElementTree.Element("style")
    style.text = _style()
    svg.insert(0, style)
    return figure.finish(svg, "week", TITLE, week_description(rows))


def week_description(rows: pd.DataFrame) -> str:
    """Text alternative of the picture: the time in each activity by day.

    Args:
        rows: ``day_table`` by date; a day without any epoch has missing values.
    """
    parts = []
    for date, row in rows.iterrows():
        if row.isna().all():
            parts.append(f"{_day(date)}: not recorded")
            continue
        known = _names(lying=not pd.isna(row["lying"])).items()
        seconds = ((name, row[code.name.lower()]) for code, name in known)
        times = [f"{name} {_duration(length)}" for name, length in seconds if not pd.isna(length)]
        counts = "counts as a valid day" if row["valid"] else "is not a valid day"
        parts.append(f"{_day(date)}: {', '.join(times)}; {counts}")
    return "Time in each activity. " + ". ".join(parts) + "."


def _names(*, lying: bool) -> dict[ActivityCode, str]:
    """The activities' names; of a thigh sensor alone, lying is known only where it is certain."""
    names = {code: name for code, (name, _) in COLORS.items()}
    return names if lying else names | {ActivityCode.SITTING: "sitting or lying", ActivityCode.LYING: "certainly lying"}


def _day(date: Any) -> str:
    return f"{date:%a} {date.day} {date:%b %Y}"


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def _stacks(
    epochs: pd.DataFrame, every: pd.DatetimeIndex, epoch_seconds: int, names: Mapping[ActivityCode, str]
) -> pd.DataFrame:
    """Rectangles: ``hour``, ``hour_end``, ``top`` and ``bottom`` (in rows from the top) and ``activity``."""
    since = epochs["epoch_start"].to_numpy() - every[0].to_datetime64()
    number = since // np.timedelta64(MINUTES, "m")
    per_day = 24 * 60 // MINUTES
    columns = {name: epochs["activity"].to_numpy() == code for code, name in names.items()}
    share = pd.DataFrame(columns).groupby(number).sum() * epoch_seconds / (60 * MINUTES)
    top = share.cumsum(axis=1)
    day, part = np.divmod(share.index.to_numpy(dtype=np.int64), per_day)
    floor, height = day + 1 - MARGIN, 1 - 2 * MARGIN
    pieces = [
        pd.DataFrame(
            {
                "hour": part * MINUTES / 60,
                "hour_end": (part + 1) * MINUTES / 60,
                "top": floor - height * top[name].to_numpy(),
                "bottom": floor - height * (top[name] - share[name]).to_numpy(),
                "activity": name,
            }
        )[share[name].to_numpy() > 0]
        for name in share
    ]
    return pd.concat(pieces, ignore_index=True)


def _labels(rows: pd.DataFrame) -> pd.DataFrame:
    """For each row: ``day``, ``minutes`` walked, their ``label``, and the position of their bar."""
    minutes = rows["walking"] / 60
    label = [
        "not recorded" if np.isnan(walked) else f"{walked:.0f}" + ("" if valid else ", day not valid")
        for walked, valid in zip(minutes, rows["valid"].eq(True), strict=True)
    ]
    middle = np.arange(len(rows)) + 0.5
    return pd.DataFrame(
        {
            "day": [f"{date:%a} {date.day} {date:%b}" for date in rows.index],
            "minutes": minutes.fillna(0).to_numpy(),
            "label": label,
            "top": middle - BAR / 2,
            "middle": middle,
            "bottom": middle + BAR / 2,
        }
    )


def _chart(stacks: pd.DataFrame, labels: pd.DataFrame, names: Mapping[ActivityCode, str]) -> Any:
    import altair as alt

    alt.data_transformers.disable_max_rows()
    days = len(labels)
    height = ROW_HEIGHT * days
    vertical = alt.Scale(domain=[0, days], reverse=True, nice=False)
    y = alt.Y("middle:Q", scale=vertical, axis=None)
    hours = alt.Axis(values=list(range(0, 25, 3)), title="Hour of the day", format="02d", grid=False)
    color = alt.Color(
        "activity:N",
        scale=alt.Scale(domain=list(names.values()), range=[color for _, color in COLORS.values()]),
        legend=alt.Legend(title=None, orient="bottom", direction="horizontal", columns=len(names)),
    )
    x_scale = alt.Scale(domain=[0, 24], nice=False)
    bars = alt.Chart(stacks).mark_rect().encode(
        x=alt.X("hour:Q", scale=x_scale, axis=hours),
        x2="hour_end:Q",
        y=alt.Y("top:Q", scale=vertical, axis=None),
        y2="bottom:Q",
        color=color,
    )  # fmt: skip
    beside_rows = alt.Chart(labels)
    words: dict[str, Any] = {"color": figure.INK, "fontSize": 13, "baseline": "middle"}
    beginning = alt.datum(0, scale=x_scale)
    names_of_days = beside_rows.mark_text(align="right", dx=-8, **words).encode(x=beginning, y=y, text="day:N")
    week = alt.layer(bars, names_of_days).properties(width=24 * HOUR_WIDTH, height=height)

    longest = max(float(labels["minutes"].max()), 1.0)
    minutes = alt.X("minutes:Q", scale=alt.Scale(domain=[0, longest], nice=False), axis=None, title=None)
    walked = beside_rows.mark_rect(color=COLORS[ActivityCode.WALKING][1]).encode(
        x=minutes, x2=alt.datum(0), y=alt.Y("top:Q", scale=vertical, axis=None), y2="bottom:Q"
    )
    numbers = beside_rows.mark_text(align="left", dx=5, **words).encode(x=minutes, y=y, text="label:N")
    beside = alt.layer(walked, numbers).properties(
        width=MINUTES_WIDTH,
        height=height,
        title=alt.TitleParams("Minutes walked", fontSize=13, fontWeight="normal", anchor="start", color=figure.INK),
    )
    title = alt.TitleParams(TITLE, color=figure.INK, anchor="start", fontSize=16)
    text = {"labelColor": figure.INK, "titleColor": figure.INK, "labelFontSize": 13, "titleFontSize": 13}
    return (
        alt.hconcat(week, beside, spacing=24)
        .properties(title=title, background="transparent", padding=16)
        .configure(font=figure.MEASURED_WITH)
        .configure_axis(**text, domainColor=figure.MUTED, tickColor=figure.MUTED, titleFontWeight="normal")
        .configure_view(stroke=None)
        .configure_legend(labelColor=figure.INK, labelFontSize=13, symbolType="square", symbolSize=120)
    )


def _style() -> str:
    """Sharp borders between stacks, and dark colors on a dark screen."""
    swaps = " ".join(
        f'[{paint}="{light}"] {{ {paint}: {dark}; }}' for light, dark in DARK.items() for paint in ("fill", "stroke")
    )
    return f".mark-rect path {{ shape-rendering: crispEdges; }} @media (prefers-color-scheme: dark) {{ {swaps} }}"
