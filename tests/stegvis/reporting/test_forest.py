"""The forest plot: titles, text alternative, and that no suppressed estimate is drawn."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from stegvis.reporting import figure
from stegvis.reporting.forest import axis_ticks, forest_plot
from stegvis.study.protocol import EXPOSURES
from tests.stegvis.reporting.sample_report import WORDS, results, suppress

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return ["".join(element.itertext()) for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("exposure", EXPOSURES)
def test_title_description_and_label_of_synthetic_data(exposure):
    svg = forest_plot(results(), exposure, "2021-2023", synthetic=True, words=WORDS)
    root = ElementTree.fromstring(svg)
    assert (root.findtext(f"{SVG}title") or "").endswith("2021-2023 (Synthetic data)")
    assert root.get("role") == "img"
    assert "Synthetic data" in texts(svg)
    assert "Synthetic" not in forest_plot(results(), exposure, "2021-2023", synthetic=False, words=WORDS)


def test_the_description_lists_every_estimate():
    root = ElementTree.fromstring(forest_plot(results(), "walking_minutes", "2021-2023", synthetic=False, words=WORDS))
    description = root.findtext(f"{SVG}desc") or ""
    assert "≥125, fully adjusted: risk ratio 0.76 (95% CI 0.67 to 0.87)" in description
    assert "<78, age-adjusted: reference" in description
    assert description.count("risk ratio ") == 6


def test_two_marks_and_two_bars_for_each_category_but_the_reference():
    root = ElementTree.fromstring(forest_plot(results(), "walking_minutes", "w", synthetic=False, words=WORDS))
    groups = {name: list(group) for group in root.iter(f"{SVG}g") if (name := group.get("class"))}
    points = next(group for name, group in groups.items() if "mark-symbol" in name and "layer_2" in name)
    assert len(points) == 6


def test_a_suppressed_estimate_is_named_but_not_drawn_even_when_its_number_is_in_the_row():
    changed = suppress(results(), "101-124", keep_numbers=True)
    svg = forest_plot(changed, "walking_minutes", "w", synthetic=False, words=WORDS)
    assert texts(svg).count("not shown") == 2
    description = ElementTree.fromstring(svg).findtext(f"{SVG}desc") or ""
    assert "101–124, fully adjusted: not shown" in description
    assert svg == forest_plot(suppress(results(), "101-124"), "walking_minutes", "w", synthetic=False, words=WORDS)


def test_nothing_to_draw():
    assert forest_plot(results().iloc[:0], "walking_minutes", "w", synthetic=False, words=WORDS) == ""


def test_all_estimates_suppressed_still_draws():
    changed = results()
    changed.loc[changed["level"] != changed["reference"], "status"] = "suppressed"
    assert texts(forest_plot(changed, "walking_met", "w", synthetic=False, words=WORDS)).count("not shown") == 6


def test_equal_input_gives_equal_text_and_nothing_from_elsewhere():
    first, second = (forest_plot(results(), "walking_met", "w", synthetic=True, words=WORDS) for _ in range(2))
    assert first == second
    assert set(re.findall(r"https?://[^\s\"']+", first)) == {"http://www.w3.org/2000/svg"}


def test_only_colors_that_the_page_can_change():
    svg = forest_plot(results(), "walking_minutes", "w", synthetic=True, words=WORDS)
    used = set(re.findall(r'(?:fill|stroke)="(?!none|transparent)([^"]+)"', svg))
    assert used <= set(figure.COLORS)


@pytest.mark.parametrize(("low", "high"), [(0.77, 1.3), (0.6, 1.3), (0.4, 2.1), (0.2, 5), (0.01, 80)])
def test_ticks_are_inside_include_one_and_are_not_crowded(low, high):
    ticks = axis_ticks(low, high)
    assert 1.0 in ticks
    assert all(low <= tick <= high for tick in ticks)
    assert 3 <= len(ticks) <= 13
