"""The small plots beside a table in the Dagster UI."""

from __future__ import annotations

from xml.etree import ElementTree

import pandas as pd

from stegvis.reporting.forest import forest_plot
from stegvis.reporting.icon_array import Hundred, icon_array
from stegvis.reporting.plot import standalone
from stegvis.reporting.thumbnails import png, walking_histogram
from tests.stegvis.reporting.sample_report import WORDS, results


def test_a_plot_of_synthetic_people_says_so_and_small_bins_are_not_shown() -> None:
    minutes = pd.Series([*[55.0] * 30, *[65.0] * 40, 250.0])
    (plot,) = walking_histogram(minutes, 5, synthetic=True).values()
    assert "synthetic data" in plot
    assert ">250<" not in plot
    assert png(plot).startswith(b"\x89PNG")


def test_a_plot_as_wide_as_a_page_is_a_picture_of_its_own_in_the_ui() -> None:
    """Programs without style sheets draw it too: with a fixed width, and the labels of a wide screen alone."""
    svg = forest_plot(results(), "walking_minutes", "w", synthetic=True, words=WORDS)
    alone = standalone(svg)
    root = ElementTree.fromstring(alone)
    assert float(root.get("width", "0")) > 500
    assert "calc(" not in alone
    assert 'class="narrow"' not in alone
    assert alone.count(">0.76 (0.67–0.87)<") == 1
    assert png(svg).startswith(b"\x89PNG")
    icons = icon_array([Hundred("a", 1)], "b", "c", "")
    assert standalone(icons) == icons


def test_nothing_is_drawn_of_too_few_people() -> None:
    assert walking_histogram(pd.Series([250.0]), 5, synthetic=True) == {}
