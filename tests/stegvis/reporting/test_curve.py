"""The curve, the joint map and the ladder plot: what they draw and say, and that nothing suppressed is shown."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pandas as pd
import pytest

from stegvis.reporting import figure
from stegvis.reporting.axis import HIGH_ENDS, LOW_ENDS
from stegvis.reporting.curve import curve_description, curve_of, curve_table, histogram_table, several
from stegvis.reporting.curve_plot import Line, _unrounded, curves_plot
from stegvis.reporting.forest import ladder_plot
from stegvis.reporting.heat_map import CELL_INK, heat_map
from stegvis.reporting.rows import chosen
from tests.stegvis.reporting.full_report import full_results, histogram
from tests.stegvis.reporting.sample_report import PROTOCOL, WORDS

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return ["".join(element.itertext()) for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def described(svg: str) -> str:
    return ElementTree.fromstring(svg).findtext(f"{SVG}desc") or ""


def drawn(bins: pd.DataFrame | None = None, exposure: str = "walking_minutes") -> str:
    curve = curve_of(full_results(), "spline", exposure)
    own = histogram() if bins is None else bins
    described = curve_description(curve, WORDS)
    own = own[own["exposure"] == exposure]
    return curves_plot([Line(curve)], own, "curve", ["Walking", "A"], described, synthetic=True, words=WORDS)


def test_a_curve_has_its_points_knots_reference_and_tests():
    curve = curve_of(full_results(), "spline", "walking_minutes")
    assert [point["value"] for point in curve.points] == [40, 62, 80, 100, 120, 151, 180]
    assert (curve.knots, curve.reference, curve.p_nonlinearity) == ((62, 100, 151), 62, 0.01)
    at_reference = next(point for point in curve.points if point["value"] == 62)
    assert at_reference["ci_low"] == at_reference["ci_high"] == 1


@pytest.mark.parametrize("status", ["suppressed", "not_estimable"])
def test_a_suppressed_curve_is_not_drawn(status):
    assert curve_of(full_results().assign(status=status), "spline", "walking_met") is None


def test_the_description_lists_points_and_the_minimum():
    said = described(drawn())
    assert "80 min/day: 0.95 (95% CI 0.87 to 1.03)" in said
    assert "Lowest at 120 min/day (0.91)" in said


def test_only_published_bins_are_drawn_behind_the_curve():
    def bars(svg: str) -> int:
        found = ElementTree.fromstring(svg).iter(f"{SVG}rect")
        return sum(each.get("class") == "people" for each in found)

    assert bars(drawn()) == 3  # of four closed bins one begins before the axis, which is from 40 to 180
    hidden = histogram().assign(status="suppressed")
    assert bars(drawn(hidden)) == 0
    assert bars(drawn(histogram().iloc[:0])) == 0


@pytest.mark.parametrize(("exposure", "ends"), [("walking_minutes", "40 180"), ("walking_met", "2.8 3.6")])
def test_the_axis_has_round_ends_around_the_curve_alone(exposure, ends):
    svg = drawn(exposure=exposure)
    assert "Synthetic data" in texts(svg)
    assert ElementTree.fromstring(svg).get("data-range") == ends
    low, high = map(float, ends.split())
    wide = [group for group in ElementTree.fromstring(svg).iter(f"{SVG}g") if group.get("class") == "wide"]
    labels = [text for group in wide for text in group.itertext() if re.fullmatch(r"[\d.]+", text)]
    assert len(labels) >= 3
    assert all(low <= float(label) <= high and not label.endswith(".0") for label in labels)


def test_the_points_under_the_pointer_are_those_that_are_published():
    (series,) = (each for each in ElementTree.fromstring(drawn()).iter(f"{SVG}g") if each.get("class") == "series")
    assert series.get("data-points", "").split(";")[:3] == ["40 1.07 0.99 1.15", "62 1", "80 0.95 0.87 1.03"]


def test_a_line_is_drawn_within_the_rounding_of_what_is_published():
    rounded = [round(1 - 0.003 * place + 0.00004 * place**2, 2) for place in range(60)]
    drawn_at = _unrounded(range(60), rounded)
    steps = [after - before for before, after in pairwise(drawn_at)]
    assert max(abs(one - other) for one, other in zip(drawn_at, rounded, strict=True)) <= 0.005 + 1e-12
    assert sum(step == 0 for step in steps) <= 2  # at its lowest; rounded values have 40 such steps
    assert sum(one == other for one, other in pairwise(rounded)) >= 30
    # Digits that are not rounded are drawn as they are.
    assert _unrounded(range(3), [1.0, 0.987, 1.2]) == [1.0, 0.987, 1.2]


def test_tables_agree_with_the_curve_and_suppress_small_bins():
    curve = curve_of(full_results(), "spline", "walking_minutes")
    rows = dict(curve_table(curve, "t", "caption", PROTOCOL).groups[0].rows)
    assert rows["62"] == "1 (reference)"
    assert rows["80"] == "0.95 (0.87 to 1.03)"
    own = histogram().query("exposure == 'walking_minutes'")
    bins = dict(histogram_table(own, "walking_minutes", "t", PROTOCOL).groups[0].rows)
    assert bins == {
        "below 20": "not shown",
        "20 to below 60": "1,000",
        "60 to below 100": "2,000",
        "100 to below 140": "3,000",
        "140 to below 180": "4,000",
        "180 and more": "5,000",
    }


def test_several_points_include_first_and_last():
    curve = curve_of(full_results(), "spline", "walking_minutes")
    assert several(curve)[0] == curve.points[0]
    assert several(curve)[-1] == curve.points[-1]


def joint_cells(**changes):
    frame = full_results().assign(**changes)
    return chosen(frame, analysis="joint", model="adjusted", measure="rr")


def test_the_joint_map_shows_sixteen_cells_and_no_suppressed_one():
    svg = heat_map(joint_cells(), ("Intensity", "Volume"), ["Joint", "A"], synthetic=True, protocol=PROTOCOL)
    assert "reference" in texts(svg)
    assert sum(text.startswith("0.") and "–" not in text for text in texts(svg)) == 15
    hidden = heat_map(
        joint_cells(status="suppressed"), ("Intensity", "Volume"), ["Joint", "A"], synthetic=True, protocol=PROTOCOL
    )
    assert texts(hidden).count("not shown") == 15
    assert not any(text.startswith("0.") for text in texts(hidden))
    assert described(hidden).count("not shown") == 15


def test_numbers_in_cells_keep_their_dark_ink_on_a_dark_page():
    assert CELL_INK not in figure.COLORS
    assert CELL_INK in heat_map(joint_cells(), ("Intensity", "Volume"), ["Joint"], synthetic=False, protocol=PROTOCOL)


def test_a_ladder_breaks_long_labels_and_describes_them_whole():
    row = chosen(full_results(), analysis="main", model="adjusted", level=">=125", measure="rr")[0]
    label = "Severe pain (other pain counts as none)"
    svg = ladder_plot(
        [(label, row), ("Hidden", {**row, "status": "suppressed"})], "ladder", ["A"], synthetic=False, protocol=PROTOCOL
    )
    assert label in described(svg)
    assert "Hidden, fully adjusted: not shown" in described(svg)
    assert label not in texts(svg)


def test_without_rows_there_is_no_figure():
    assert heat_map([], ("a", "b"), ["c"], synthetic=True, protocol=PROTOCOL) == ""
    assert ladder_plot([], "ladder", ["c"], synthetic=True, protocol=PROTOCOL) == ""


@pytest.mark.parametrize("low", LOW_ENDS)
@pytest.mark.parametrize("high", HIGH_ENDS)
def test_the_direction_of_lower_risk_is_marked_on_every_axis(low, high):
    curve = curve_of(full_results(), "spline", "walking_minutes")
    svg = curves_plot([Line(curve)], None, "c", ["A"], "", synthetic=False, words=WORDS, domain=(low, high))
    assert any("lower risk" in text for text in texts(svg))


def test_many_waves_differ_by_color_and_dashes_and_the_pooled_line_has_its_own():
    curve = curve_of(full_results(), "spline", "walking_minutes")
    names = [f"20{year}" for year in range(10, 17)]
    lines = [*(Line(curve, name) for name in names), Line(curve, "Pooled", main=True)]
    svg = curves_plot(lines, None, "c", ["A"], "", synthetic=False, words=WORDS)
    series = [each for each in ElementTree.fromstring(svg).iter(f"{SVG}g") if each.get("class") == "series"]
    styles = []
    for each in series:
        (line,) = (path for path in each.iter(f"{SVG}path") if path.get("fill") == "none")
        styles.append((line.get("stroke"), line.get("stroke-dasharray")))
    assert len(set(styles)) == len(lines)
    assert [color for color, _ in styles].count(styles[-1][0]) == 1
    heights = [float(each.find(f"{SVG}text").get("y")) for each in series]
    assert all(after - before >= 15 for before, after in pairwise(sorted(heights)))
