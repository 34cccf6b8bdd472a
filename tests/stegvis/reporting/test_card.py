"""The card: what it says, that it holds nothing that is not published, and that it is the same file everywhere."""

from __future__ import annotations

import re
import struct
from xml.etree import ElementTree

import pytest

from stegvis.reporting.card import QUESTION, card_png, card_svg
from stegvis.reporting.outlines import REGULAR, SEMIBOLD
from stegvis.reporting.plain_findings import findings
from tests.stegvis.reporting.full_report import full_results
from tests.stegvis.reporting.sample_report import WORDS
from tests.study import STUDY

SVG = "{http://www.w3.org/2000/svg}"


def card(results=None, synthetic: bool = True) -> str:
    return card_svg(findings(full_results() if results is None else results, WORDS), STUDY.about, synthetic)


def said(svg: str) -> str:
    """What the card says to a screen reader: its name and description."""
    root = ElementTree.fromstring(svg)
    return f"{root.findtext(f'{SVG}title')} {root.findtext(f'{SVG}desc')}"


def drawn(svg: str) -> str:
    """The characters whose outlines are drawn, without spaces, which have none."""
    uses = [each.get("href", "") for each in ElementTree.fromstring(svg).iter(f"{SVG}use")]
    return "".join(chr(int(name[2:], 16)) for name in uses if re.fullmatch("#[rs][0-9a-f]+", name))


def test_it_has_question_finding_meaning_and_who_says_so() -> None:
    text = said(card())
    assert text.startswith(QUESTION.format(outcome="chronic low back pain"))
    assert "Chronic low back pain was less common" in text
    assert "The data fit best with a risk" in text
    assert "The study shows a link" in text
    assert "Other differences between the groups may explain part of it, or all." in text
    assert STUDY.about.run_by[1:] in text
    assert "11,194 adults followed to 2021–2023" in text


def test_what_it_says_is_what_it_draws() -> None:
    svg = card()
    characters = drawn(svg)
    for sentence in re.split(r"(?<=[.?]) ", said(svg)):
        if "of 100" not in sentence and not sentence.startswith(("(", "Do ")):
            assert re.sub(r"\s", "", sentence) in characters, sentence


def test_every_number_on_it_is_published() -> None:
    results = full_results()
    shown = {f"{value:,.0f}" for value in results["n"].dropna()} | {
        f"{value:,.0f}" for value in results["events"].dropna()
    }
    ratios = results[results["measure"].isin(["rr", "risk"])]
    for column in ("estimate", "ci_low", "ci_high"):
        for value in ratios[column].dropna():
            shown |= {f"{100 * value:.0f}", f"{abs(100 * (value - 1)):.0f}"}
    own = re.sub(r"https?://\S+|\d{4}–\d{4}|HUNT\d", "", said(card())).replace(STUDY.about.run_by[1:], "")
    numbers = set(re.findall(r"\d[\d,]*", own)) - {"100", "78", "125"}
    assert numbers
    assert numbers <= shown | {"11,194"}  # everyone analyzed: the sum of the categories


def test_synthetic_data_are_marked_on_it_and_in_its_name() -> None:
    assert "Synthetic data: none of these people exist." in said(card())
    assert "Syntheticdata:noneofthesepeopleexist." in drawn(card())
    assert "ynthetic" not in said(card(synthetic=False))
    assert "ynthetic" not in drawn(card(synthetic=False))


def test_people_are_filled_as_the_risks_say() -> None:
    svg = ElementTree.fromstring(card())
    people = [each.get("fill") for each in svg.iter(f"{SVG}use") if each.get("href") == "#person"]
    (_, lowest), (_, highest) = findings(full_results(), WORDS).ends()
    assert len(people) == 200
    assert people.count("#0b5c8b") == lowest + highest


def test_without_risks_it_has_no_picture_and_without_results_it_says_so() -> None:
    results = full_results()
    assert 'href="#person"' not in card(results[results["analysis"] != "standardized_risk"])
    none = results.assign(status="suppressed", estimate=float("nan"), ci_low=float("nan"), ci_high=float("nan"))
    assert "This release has no result that answers the question." in said(card(none))
    assert "The data fit best" not in said(card(none))


def test_a_suppressed_number_is_not_on_it_even_if_it_is_in_the_row() -> None:
    results = full_results()
    shown = said(card(results.assign(status="suppressed")))
    assert not re.search(r"\d+%|\d+ of 100", shown)


@pytest.mark.parametrize("synthetic", [True, False])
def test_nothing_on_it_leaves_the_card_or_needs_a_font_of_the_machine(synthetic: bool) -> None:
    svg = card(synthetic=synthetic)
    assert "<text" not in svg
    assert "font" not in svg
    root = ElementTree.fromstring(svg)
    widest = 0.0
    for line in root.iter(f"{SVG}g"):
        x, y, scale = map(
            float, re.match(r"translate\(([\d.]+),([\d.]+)\) scale\(([\d.]+)", line.get("transform", "")).groups()
        )
        last = max(float(use.get("x", "0")) for use in line)
        widest = max(widest, x + (last + 1500) * scale)
        assert 0 < y < 630
    assert 600 < widest <= 1200


def test_the_picture_has_the_size_that_sites_show_and_equal_content_gives_equal_files() -> None:
    one, other = (card_png(card()) for _ in range(2))
    assert one == other
    assert one.startswith(b"\x89PNG")
    assert struct.unpack(">II", one[16:24]) == (1200, 630)
    assert len(one) < 600_000
    assert len(card()) < 100_000


def test_text_has_the_widths_of_the_font_that_comes_with_the_program() -> None:
    # Widths of Open Sans in units of 2,048 per em: 1,171 for a digit of the regular weight.
    assert REGULAR.width("0123456789", 2048) == 11710
    assert SEMIBOLD.width("word", 2048) > REGULAR.width("word", 2048)
    assert REGULAR.width("\U0001f600", 20) == REGULAR.width("?", 20)
    lines = REGULAR.lines("one two three four five six seven", 20, 120)
    assert " ".join(lines) == "one two three four five six seven"
    assert len(lines) > 1
    assert all(REGULAR.width(line, 20) <= 120 for line in lines)


def test_every_character_of_the_texts_of_a_study_is_in_the_font() -> None:
    texts = str(STUDY.texts.model_dump()) + str(STUDY.about) + "≥≤–’“”éüøåæØÅÆ²·"
    assert {each for each in texts if not REGULAR.has(each)} <= {"\n"}
