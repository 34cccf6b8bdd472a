"""Whole pages: structure, synthetic banner, privacy, escaping, self-containment, contrast."""

from __future__ import annotations

import re
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise

import pandas as pd
import pytest

from stegvis.reporting import figure, render_index, render_wave, wave_file_name
from stegvis.reporting.file_names import details_file_name, methods_file_name
from stegvis.reporting.inputs import ReportInputError
from stegvis.reporting.markup import figure_script, script_hash, style_sheet
from stegvis.reporting.rows import headline
from stegvis.reporting.wording import comparison_sentence
from tests.stegvis.reporting.full_report import full_index_report, full_wave_report
from tests.stegvis.reporting.sample_report import (
    WAVE,
    WORDS,
    checks,
    claims,
    index_report,
    provenance,
    results,
    suppress,
    wave_report,
)

VOID = {"meta", "link", "br", "hr", "img", "input"}
MAIN, DETAILS, METHODS = wave_file_name(WAVE), details_file_name(WAVE), methods_file_name(WAVE)
PAGES = (MAIN, DETAILS, METHODS, "index.html")


@cache
def full_pages():
    """Every page with everything on it, rendered once."""
    return {**render_wave(full_wave_report()), "index.html": render_index(full_index_report())}


def main_page(report):
    return render_wave(report)[MAIN]


def all_pages(report):
    """The pages of a wave as one text."""
    return "".join(render_wave(report).values())


class Page(HTMLParser):
    """A strict parser: every element must be closed, in order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None], tuple[str, ...]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), tuple(self.open)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), tuple(self.open)))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open):
            self.words.append(data)

    def count(self, tag):
        return sum(name == tag for name, _, _ in self.elements)

    def attributes(self, tag):
        return [attributes for name, attributes, _ in self.elements if name == tag]

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module", params=PAGES)
def html(request):
    return full_pages()[request.param]


def test_the_page_is_well_formed_with_language_title_and_one_h1(html):
    page = Page(html)
    assert page.attributes("html") == [{"lang": "en"}]
    assert page.count("h1") == 1
    assert [parents[-1] for tag, _, parents in page.elements if tag == "title"].count("head") == 1


def test_headings_go_down_one_level_at_a_time(html):
    levels = [int(tag[1]) for tag, _, _ in Page(html).elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_every_table_has_a_caption_and_every_header_a_scope(html):
    page = Page(html)
    assert page.count("table") == page.count("caption") > 0
    assert all(attributes.get("scope") in {"col", "row", "rowgroup"} for attributes in page.attributes("th"))


def test_every_figure_has_a_title_and_a_description(html):
    page = Page(html)
    # A drawing within a figure has no name of its own.
    inside = [
        tag for tag, _, parents in page.elements if parents and parents[-1] == "svg" and "svg" not in parents[:-1]
    ]
    figures = sum(tag == "svg" and "svg" not in parents for tag, _, parents in page.elements)
    assert inside.count("title") == inside.count("desc") == figures


def test_ids_are_unique_and_every_reference_has_its_target(html):
    page = Page(html)
    ids = [attributes["id"] for _, attributes, _ in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    wanted = {a["href"][1:] for a in page.attributes("a") if a["href"].startswith("#")}
    wanted |= {name for _, a, _ in page.elements for name in (a.get("aria-labelledby") or "").split()}
    assert wanted <= set(ids)


def test_no_external_resources_and_no_script_but_that_of_the_figures(html):
    page = Page(html)
    assert page.count("img") == page.count("iframe") == 0
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    assert len(scripts) == page.count("script") == ("data-range=" in html)
    for script in scripts:
        assert script == figure_script()
        assert f"script-src '{script_hash(script)}'" in html
        assert not re.search(r"fetch|XMLHttpRequest|https?://(?!www\.w3\.org)|eval|innerHTML", script)
    assert [a["href"] for a in page.attributes("link")] == ["data:,"]
    assert not re.search(r"@import|url\(", html)
    assert not any(name.startswith("on") for _, attributes, _ in page.elements for name in attributes)
    assert "default-src 'none'" in html


def test_the_first_link_skips_to_the_content(html):
    first = Page(html).attributes("a")[0]
    assert (first["class"], first["href"]) == ("skip", "#content")


def test_no_page_exceeds_the_size_limit(html):
    assert len(html.encode()) < 1_500_000


def test_equal_inputs_give_equal_pages():
    assert {**render_wave(full_wave_report()), "index.html": render_index(full_index_report())} == full_pages()


def test_synthetic_data_are_labeled_on_the_page_and_inside_every_figure():
    html = "".join(full_pages().values())
    figures = re.findall(r'<svg[^>]*class="figure.*?</svg>', html, re.DOTALL)
    assert len(figures) >= 13
    assert all(re.search(r"<text[^>]*>(<tspan[^>]*>)?Synthetic data<", each) for each in figures)
    assert 'class="banner"' in html
    assert "(Synthetic data)</title>" in html


@pytest.mark.slow
def test_real_data_are_not_called_synthetic():
    real = provenance()
    for html in (
        *render_wave(full_wave_report(synthetic=False, provenance=real)).values(),
        render_index(full_index_report(synthetic=False, provenance=real)),
    ):
        assert "synthetic" not in Page(html).text.lower()


def test_a_wave_has_every_section_in_order():
    headings = [re.findall(r"<h2[^>]*>(.*?)</h2>", full_pages()[file]) for file in (MAIN, DETAILS, METHODS)]
    assert headings == [
        [
            "The question and the answer",
            "Main results",
            "The published study and this wave",
            "E-values and tipping points",
            "Dose-response curves",
            "Published claims, tested",
            "Who was included",
        ],
        [
            "Whom the estimates are about",
            "Volume and intensity together",
            "Each exposure adjusted for the other",
            "Subgroups and interactions",
            "Sensitivity analyses",
            "Loss to follow-up: inverse-probability weights; missing covariates",
            "Deaths and emigrations",
            "Risks and differences",
            "Measurement error",
            "Several biases at once",
            "Fit of the models, and negative controls",
            "The 24-hour day",
        ],
        ["Data quality", "Methods in brief", "Reproduce in R and Stata", "Glossary", "Provenance"],
    ]


def test_a_wave_page_leads_with_the_sentences_of_both_exposures():
    text = Page(main_page(wave_report())).text
    assert "was lower among people with a walking volume of 125 min/day or more" in text
    assert "was higher among people with a walking intensity of 3.27 MET or more" in text
    assert "risk ratio 0.76, 95% CI 0.67 to 0.87" in text


def test_each_headline_is_on_a_wave_page_once():
    text = Page(full_pages()[MAIN]).text
    for row in (headline(full_wave_report().own_results, each) for each in ("walking_minutes", "walking_met")):
        sentence = comparison_sentence(row, row["exposure"], WORDS)
        assert text.count(sentence.partition(" (")[0]) == 1
        assert text.count(f"risk ratio {row['estimate']:.2f}, 95% CI") == 1


def test_rows_of_another_wave_are_not_shown():
    mixed = results()
    other = mixed.assign(wave="2030-2031", n=7777)
    text = Page(main_page(wave_report(results=pd.concat([other, mixed])))).text
    assert "7,777" not in text
    assert "2,797" in text


def test_suppressed_numbers_are_nowhere_in_the_page():
    # Numbers that occur nowhere else, kept in the rows on purpose.
    secret = suppress(results(), "101-124", keep_numbers=True)
    secret.loc[secret["level"] == "101-124", ["n", "events"]] = None
    secret.loc[secret["level"] == "101-124", ["estimate", "ci_low", "ci_high", "e_value"]] = [3.77, 3.66, 3.88, 6.99]
    report = wave_report(results=secret)
    for html in (*render_wave(report).values(), render_index(index_report(results=secret))):
        for number in ("3.77", "3.66", "3.88", "6.99"):
            assert number not in Page(html).text
    assert "101–124 not shown – – not shown not shown not shown" in Page(main_page(report)).text


def test_the_index_does_not_add_up_a_wave_with_a_suppressed_category():
    text = Page(render_index(index_report(results=suppress(results(), ">=125")))).text
    # The other exposure still gives the total; with both suppressed there is none.
    assert "11,194" in text
    both = suppress(suppress(results(), ">=125"), ">=3.27")
    assert "11,194" not in Page(render_index(index_report(results=both))).text


def test_text_from_data_is_escaped_everywhere():
    evil = "<script>alert('x')</script>&"
    pages = render_wave(
        wave_report(
            claims=[{**claims()[0], "statement": evil, "evidence": evil, "verdict": evil}],
            checks=[{**checks()[0], "meaning": evil, "rule": evil, "asset": evil, "partition": evil, "check": evil}],
            exclusion_steps=wave_report().exclusion_steps.assign(description=evil),
            characteristics=wave_report().characteristics.assign(level=evil),
            results=results().assign(note=evil, status="not_estimable"),
        )
    )
    facts = {**provenance(), "release": evil, "packages": {evil: evil}}
    index = render_index(index_report(excluded_waves=[{"wave": evil, "reason": evil}], provenance=facts))
    for html in (pages[MAIN], pages[METHODS], index):
        assert "<script" not in html
        assert "&lt;script&gt;" in html
        Page(html)


def test_empty_inputs_say_so():
    empty = wave_report()
    html = all_pages(
        wave_report(
            exclusion_steps=empty.exclusion_steps.iloc[:0],
            characteristics=empty.characteristics.iloc[:0],
            results=empty.results.iloc[:0],
            checks=[],
            claims=[],
        )
    )
    for said in (
        "No estimate is available for this wave",
        "The exclusion steps are not available",
        "Table 1 is not available",
        "No claim was tested",
        "No check is recorded",
        "No curve of walking volume is available",
        "No estimate of walking volume is available",
        "No sensitivity analysis is available",
        "No standardized risk is available",
        "No time-use estimate is available",
        "No command is recorded",
    ):
        assert said in html


def test_the_pages_of_a_wave_name_no_release_and_link_to_the_index():
    html = "".join(full_pages()[file] for file in (MAIN, DETAILS, METHODS))
    assert provenance()["release"] not in html
    assert provenance()["created"] not in html
    assert 'are listed on <a href="index.html#provenance">the page over all waves</a>' in html
    assert "None" not in html
    assert not re.search(r"\bnan\b", re.sub(r"<svg.*?</svg>", "", html, flags=re.DOTALL))


def test_the_headline_is_the_highest_category_in_whatever_order_the_rows_arrive():
    shuffled = results().sample(frac=1, random_state=3)
    assert render_wave(wave_report(results=shuffled)) == render_wave(wave_report())
    assert headline(shuffled, "walking_minutes")["level"] == ">=125"
    assert "0.76 (0.67 to 0.87)" in render_index(index_report(results=shuffled))


def test_the_index_says_when_nothing_changed():
    assert "No estimate changed since release 2025-004." in Page(render_index(index_report(bridge=[]))).text
    first = {**provenance(), "previous_release": None}
    assert "There is no earlier release to compare with." in render_index(index_report(bridge=[], provenance=first))


def test_the_index_lists_waves_headlines_and_waves_without_results():
    html = render_index(index_report())
    text = Page(html).text
    assert f'<a href="{wave_file_name(WAVE)}">{WAVE}</a>' in html
    assert "11,194 1,659 (14.8%) 0.76 (0.67 to 0.87) 1.14 (1.02 to 1.28) 1 supported, 1 not, 0 unclear" in text
    assert "2024-2025. Too few responses come from participants of the cohort." in text
    assert "2 of 3 checks failed." in text
    assert "Every row names a person" not in text


def test_an_index_without_waves_or_failures():
    text = Page(
        render_index(index_report(waves=(), results=results().iloc[:0], checks=checks()[:1], excluded_waves=()))
    ).text
    assert "No wave has been analyzed yet." in text
    assert "All 1 checks passed." in text


@pytest.mark.parametrize(("wave", "name"), [(WAVE, "wave-2021-2023.html"), ("../a b/ø", "wave-a-b.html")])
def test_a_wave_page_has_a_safe_file_name(wave, name):
    assert wave_file_name(wave) == name


def test_an_input_without_a_column_or_key_is_an_error_that_names_it():
    with pytest.raises(ReportInputError, match="results lacks estimate"):
        wave_report(results=results().drop(columns="estimate"))
    with pytest.raises(ReportInputError, match="claims lacks source, verdict, turn"):
        wave_report(claims=[{"claim": "a", "statement": "b", "evidence": "c"}])
    with pytest.raises(ReportInputError, match="provenance lacks published"):
        index_report(provenance={key: value for key, value in provenance().items() if key != "published"})


def luminance(color: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


BLOCKS = [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block)) for block in style_sheet().split(":root {")[1:]]
# Light, dark and print in each style sheet, in that order.
PALETTES = [{**BLOCKS[place], **BLOCKS[place + 3]} for place in range(3)]


@pytest.mark.parametrize("palette", PALETTES, ids=["light", "dark", "print"])
def test_text_and_marks_meet_the_contrast_of_wcag_aa(palette):
    for text in ("ink", "muted", "link", "good", "bad", "warning", "green", "purple", "orange"):
        assert contrast(palette[text], palette["page"]) >= 4.5, text
    for text in ("ink", "muted"):
        assert contrast(palette[text], palette["panel"]) >= 4.5, text
    assert contrast(palette["warning"], palette["warning-page"]) >= 4.5
    assert contrast(palette["age-adjusted"], palette["page"]) >= 3


def test_the_page_can_change_every_color_of_a_figure():
    style = style_sheet()
    for color in figure.COLORS:
        assert f'.figure [fill="{color}"]' in style
        assert f'.figure [stroke="{color}"]' in style
