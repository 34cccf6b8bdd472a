"""The small plots beside a table in the Dagster UI."""

from __future__ import annotations

import pandas as pd

from stegvis.reporting.thumbnails import png, walking_histogram


def test_a_plot_of_synthetic_people_says_so_and_small_bins_are_not_shown() -> None:
    minutes = pd.Series([*[55.0] * 30, *[65.0] * 40, 250.0])
    (plot,) = walking_histogram(minutes, 5, synthetic=True).values()
    assert "synthetic data" in plot
    assert ">250<" not in plot
    assert png(plot).startswith(b"\x89PNG")


def test_nothing_is_drawn_of_too_few_people() -> None:
    assert walking_histogram(pd.Series([250.0]), 5, synthetic=True) == {}
