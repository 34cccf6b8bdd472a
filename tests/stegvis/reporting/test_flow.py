"""The flow diagram: its counts, the merging of small steps, its accessible text."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from stegvis.reporting.flow import Step, flow_diagram, printable_steps
from tests.stegvis.reporting.sample_report import PROTOCOL, exclusion_steps

SVG = "{http://www.w3.org/2000/svg}"
SMALLEST = PROTOCOL.disclosure.smallest_count


def steps_of(*excluded: int, start: int = 1000) -> pd.DataFrame:
    """Steps named a, b, c ...; small counts are missing, as they arrive after disclosure control of single cells."""
    remaining = [start]
    for number in excluded:
        remaining.append(remaining[-1] - number)
    shown = [pd.NA, *(pd.NA if 0 < number < SMALLEST else number for number in excluded)]
    frame = pd.DataFrame({"step": range(len(remaining)), "excluded": shown, "remaining": remaining})
    frame["description"] = ["baseline", *(chr(ord("a") + k) for k in range(len(excluded)))]
    return frame.assign(wave="w", rule=frame["description"])


def words(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_every_count_is_in_the_figure_and_in_its_description():
    svg = flow_diagram(exclusion_steps(), "2021-2023", synthetic=False, smallest_count=SMALLEST)
    description = ElementTree.fromstring(svg).findtext(f"{SVG}desc") or ""
    for text in ("56,042 at baseline", "24,747 excluded", "395 excluded", "1,206 excluded", "11,194 analyzed"):
        assert text in " ".join(words(svg))
        assert text in description
    assert "24,500 remain" in words(svg)


def test_it_has_a_title_and_labels_synthetic_data():
    svg = ElementTree.fromstring(flow_diagram(exclusion_steps(), "2021-2023", synthetic=True, smallest_count=SMALLEST))
    assert svg.findtext(f"{SVG}title") == "Flow of participants, wave 2021-2023 (Synthetic data)"
    assert "Synthetic data" in [element.text for element in svg.iter(f"{SVG}text")]
    assert "Synthetic" not in flow_diagram(exclusion_steps(), "2021-2023", synthetic=False, smallest_count=SMALLEST)


def test_a_small_step_is_merged_with_the_next():
    assert printable_steps(steps_of(100, 3, 50, 7), SMALLEST) == [
        Step(("baseline",), None, 1000),
        Step(("a",), 100, 900),
        Step(("b", "c"), 53, 847),
        Step(("d",), 7, 840),
    ]


def test_a_small_last_step_is_merged_with_the_one_before():
    assert printable_steps(steps_of(100, 50, 3), SMALLEST)[1:] == [Step(("a",), 100, 900), Step(("b", "c"), 53, 847)]


def test_when_all_exclusions_together_are_small_the_start_is_suppressed():
    assert printable_steps(steps_of(1, 0, 2), SMALLEST) == [
        Step(("baseline",), None, None),
        Step(("a", "b", "c"), None, 997),
    ]


def test_a_suppressed_count_cannot_be_derived_even_when_it_is_large():
    steps = steps_of(100, 50, 20)
    steps.loc[2, "excluded"] = pd.NA
    assert printable_steps(steps, SMALLEST)[1:] == [Step(("a",), 100, 900), Step(("b", "c"), 70, 830)]


def test_a_suppressed_analyzed_count_stays_suppressed():
    steps = steps_of(100, 890, 7).astype({"remaining": "Int64"})
    steps.loc[3, ["excluded", "remaining"]] = pd.NA
    svg = flow_diagram(steps, "w", synthetic=False, smallest_count=SMALLEST)
    assert words(svg)[-1] == "Analyzed: not shown"
    assert "7 excluded" not in svg


def test_no_exclusion_at_all_and_no_steps():
    assert printable_steps(steps_of(0, 0), SMALLEST)[1:] == [Step(("a",), 0, 1000), Step(("b",), 0, 1000)]
    assert flow_diagram(steps_of().iloc[:0], "w", synthetic=True, smallest_count=SMALLEST) == ""


@given(st.lists(st.integers(0, 12), min_size=1, max_size=8))
def test_no_small_count_is_drawn_or_can_be_derived_by_subtraction(excluded):
    drawn = printable_steps(steps_of(*excluded), SMALLEST)
    shown = [step.excluded for step in drawn[1:] if step.excluded is not None]
    remaining = [step.remaining for step in drawn if step.remaining is not None]
    differences = [before - after for before, after in pairwise(remaining)]
    assert not any(0 < number < SMALLEST for number in shown + differences)
    assert remaining[-1] == 1000 - sum(excluded)
    assert [reason for step in drawn[1:] for reason in step.reasons] == list("abcdefgh"[: len(excluded)])


def test_text_from_data_is_escaped():
    steps = steps_of(100)
    steps.loc[1, "description"] = "<script>alert(1)</script> & more"
    svg = flow_diagram(steps, "w", synthetic=False, smallest_count=SMALLEST)
    assert "<script" not in svg
    assert "&lt;script&gt;" in svg
