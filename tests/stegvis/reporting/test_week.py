"""The picture of a week: what it shows, as a drawing and as text."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

import stegvis.sql
from stegvis.accelerometry.activity import ActivityCode
from stegvis.data_files import data_file
from stegvis.reporting.week import COLORS, DARK, _names, _stacks, week_picture
from stegvis.storage.day_sums import day_table
from tests.study import PROTOCOL


def recorded(*parts: tuple[str, str, ActivityCode]) -> pd.DataFrame:
    """Epochs from one time to another, of one activity each."""
    tables = []
    for start, end, code in parts:
        times = pd.date_range(start, end, freq="5s", inclusive="left")
        tables.append(pd.DataFrame({"epoch_start": times, "activity": np.uint8(code)}))
    table = pd.concat(tables, ignore_index=True)
    worn = table["activity"] != ActivityCode.NONWEAR
    speed = np.where(table["activity"] == ActivityCode.WALKING, 1, 0).astype(np.uint8)
    return table.assign(speed=speed, wear_back=worn, wear_thigh=worn)


def days_of(epochs: pd.DataFrame) -> pd.DataFrame:
    select = Path(stegvis.sql.__file__).with_name("daily_exposures.sql").read_text(encoding="utf-8")
    return day_table(epochs, PROTOCOL, select)


@pytest.fixture(scope="module")
def epochs() -> pd.DataFrame:
    return recorded(
        ("2018-05-02 08:00", "2018-05-02 08:05", ActivityCode.WALKING),
        ("2018-05-02 08:05", "2018-05-02 22:00", ActivityCode.SITTING),
        ("2018-05-04 00:00", "2018-05-04 07:00", ActivityCode.LYING),
        ("2018-05-04 07:00", "2018-05-04 09:30", ActivityCode.NONWEAR),
    )


@pytest.fixture(scope="module")
def svg(epochs) -> ElementTree.Element:
    return ElementTree.fromstring(week_picture(epochs, days_of(epochs), 5))


def texts(svg: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in svg.iter("{http://www.w3.org/2000/svg}text")]


def test_every_day_has_a_row_and_its_minutes(svg):
    shown = texts(svg)
    for day in ("Wed 2 May", "Thu 3 May", "Fri 4 May"):
        assert shown.count(day) == 1
    assert shown.count("5, day not valid") == 1
    assert shown.count("not recorded") == 1
    assert shown.count("0, day not valid") == 1
    assert [name for name, _ in COLORS.values() if name in shown] == [name for name, _ in COLORS.values()]


def test_the_text_alternative_says_what_it_shows(svg):
    assert svg.get("role") == "img"
    words = {element.get("id"): element.text for element in svg if element.get("id")}
    assert svg.get("aria-labelledby").split() == list(words)
    assert words["week-title"] == "Activity by day and hour"
    assert (
        "Wed 2 May 2018: lying 0 min, sitting 13 h 55 min, standing 0 min, walking 5 min" in words["week-description"]
    )
    assert "Thu 3 May 2018: not recorded" in words["week-description"]
    assert "not worn 2 h 30 min; is not a valid day" in words["week-description"]


def test_a_thigh_alone_has_sitting_or_lying(epochs):
    alone = epochs.drop(columns="wear_back")
    svg = ElementTree.fromstring(week_picture(alone, days_of(alone), 5))
    assert {"sitting or lying", "certainly lying"} <= set(texts(svg))
    assert "sitting" not in texts(svg)
    (description,) = [element.text for element in svg if element.get("id") == "week-description"]
    assert "Wed 2 May 2018: sitting or lying 13 h 55 min, standing 0 min, walking 5 min" in description
    assert "certainly" not in description
    # What is certain of the third day is within its sitting.
    assert "Fri 4 May 2018: sitting or lying 7 h 0 min" in description


def test_stacks_are_where_the_time_was_spent(epochs):
    stacks = _stacks(epochs, pd.date_range("2018-05-02", "2018-05-04"), 5, _names(lying=True))
    walking = stacks[stacks["activity"] == "walking"]
    assert walking["hour"].tolist() == [8]
    assert walking["hour_end"].tolist() == pytest.approx([8 + 1 / 6])
    # Five minutes of ten are half the height of the row, the sitting of the other half below it.
    assert (walking["bottom"] - walking["top"]).tolist() == pytest.approx([0.42])
    hours = (stacks["bottom"] - stacks["top"]) / 0.84 * (stacks["hour_end"] - stacks["hour"])
    assert hours.groupby(stacks["activity"]).sum().to_dict() == pytest.approx(
        {"walking": 5 / 60, "sitting": 13 + 55 / 60, "lying": 7, "not worn": 2.5}
    )
    third_day = stacks[stacks["activity"].isin(["lying", "not worn"])]
    assert third_day["top"].min() > 2
    assert third_day["bottom"].max() < 3


def test_every_color_has_a_dark_replacement(svg):
    (style,) = svg.iter("{http://www.w3.org/2000/svg}style")
    dark = style.text.partition("prefers-color-scheme: dark")[2]
    painted = {element.get(paint) for element in svg.iter() for paint in ("fill", "stroke")} - {None, "none"}
    activities = {color for _, color in COLORS.values()}
    for color in painted - activities - {"transparent"}:
        assert f'"{color}"' in dark


def test_its_colors_are_those_of_the_report():
    sheet = data_file("reporting/style.css").read_text(encoding="utf-8")
    variable = re.compile(r"--(page|ink|muted|line): (#\w{6});")
    light_part, _, dark_part = sheet.partition("prefers-color-scheme: dark")
    light = dict(variable.findall(light_part))
    dark = dict(variable.findall(dark_part.partition("@media print")[0]))
    assert {light[name]: dark[name] for name in light}.items() <= DARK.items()
