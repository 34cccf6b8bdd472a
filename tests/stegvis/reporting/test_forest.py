"""The forest plot: titles, text alternative, and that no suppressed estimate is drawn."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from stegvis.reporting import figure, render_wave, wave_file_name
from stegvis.reporting.file_names import details_file_name
from stegvis.reporting.forest import forest_plot
from stegvis.study.protocol import EXPOSURES
from tests.stegvis.reporting.full_report import full_wave_report
from tests.stegvis.reporting.sample_report import WAVE, WORDS, results, suppress

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


def rows_of(svg: str) -> list[ElementTree.Element]:
    return [group for group in ElementTree.fromstring(svg).iter(f"{SVG}g") if group.get("class") == "row"]


def heights(row: ElementTree.Element) -> set[float]:
    """The heights of the middle of everything that a row draws."""
    lines = [(float(line.get("y1")) + float(line.get("y2"))) / 2 for line in row.iter(f"{SVG}line")]
    circles = [float(circle.get("cy")) for circle in row.iter(f"{SVG}circle")]
    return {*lines, *circles, *(float(text.get("y")) - 4.5 for text in row.iter(f"{SVG}text"))}


def test_each_estimate_is_a_row_with_its_mark_its_interval_and_its_numbers_at_one_height():
    rows = rows_of(forest_plot(results(), "walking_minutes", "w", synthetic=False, words=WORDS))
    assert len(rows) == 6
    assert all(len(heights(row)) == 1 for row in rows)
    said = [row.findtext(f"{SVG}text") for row in rows]
    assert "0.76 (0.67–0.87)" in said
    assert len({row.find(f"{SVG}text").get("x") for row in rows}) == 1  # one column


def test_under_the_pointer_a_row_says_its_numbers_and_the_people_behind_it():
    svg = forest_plot(results(), "walking_minutes", "w", synthetic=False, words=WORDS)
    titles = [row.findtext(f"{SVG}title") or "" for row in rows_of(svg)]
    assert any(
        re.fullmatch(r"≥125: 0\.76 \(95% CI 0\.67 to 0\.87\), p .*; 2,797 participants, \d+ cases", each)
        for each in titles
    )
    hidden = suppress(results(), "101-124", keep_numbers=True)
    shown = forest_plot(hidden, "walking_minutes", "w", synthetic=False, words=WORDS)
    assert not any("101–124:" in (row.findtext(f"{SVG}title") or "") for row in rows_of(shown))


def test_the_direction_of_lower_risk_is_marked_on_its_side_of_one():
    svg = forest_plot(results(), "walking_minutes", "w", synthetic=False, words=WORDS)
    (lower,) = (each for each in ElementTree.fromstring(svg).iter(f"{SVG}text") if each.text == "← lower risk")
    (higher,) = (each for each in ElementTree.fromstring(svg).iter(f"{SVG}text") if each.text == "higher risk →")
    assert lower.get("x") == higher.get("x")
    assert (lower.get("text-anchor"), higher.get("text-anchor")) == ("end", "start")


def test_an_interval_beyond_the_axis_is_cut_off_with_an_arrow():
    wide = results()
    one = (wide["level"] == ">=125") & (wide["model"] == "adjusted")
    wide.loc[one, ["ci_low", "ci_high"]] = [0.001, 90.0]
    svg = forest_plot(wide, "walking_minutes", "w", synthetic=False, words=WORDS)
    arrows = [each.text for each in ElementTree.fromstring(svg).iter(f"{SVG}text") if each.get("class") == "beyond"]
    assert arrows == ["◂", "▸"]
    assert "0.76 (0.001–90.00)" in texts(svg) or "0.76 (0.00–90.00)" in texts(svg)


def test_figures_of_one_kind_have_one_axis():
    plots = [render_wave(full_wave_report())[name] for name in (wave_file_name(WAVE), details_file_name(WAVE))]
    for page, prefix in zip(plots, ("forest-", "sensitivity-"), strict=True):
        found = re.findall(rf'<svg[^>]*aria-labelledby="{prefix}[^"]*".*?</svg>', page, re.DOTALL)
        assert len(found) == 2
        places = [
            {
                text.text: text.get("x")
                for group in ElementTree.fromstring(svg).iter(f"{SVG}g")
                if group.get("class") == "wide"
                for text in group
                if text.text
            }
            for svg in found
        ]
        assert places[0]
        assert set(places[0].items()) & set(places[1].items()) >= {("1", places[0]["1"])}


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
