"""The plain-language pages as a reader has them: questions and answers, length, repetition, both languages."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import replace

import pandas as pd
import pytest

from stegvis.reporting.plain import Plain, render_plain
from stegvis.reporting.plain_findings import findings
from stegvis.reporting.texts import LANGUAGES
from tests.stegvis.reporting.full_report import full_characteristics, full_results, pooled_results
from tests.stegvis.reporting.sample_report import WORDS, exclusion_steps
from tests.stegvis.reporting.test_plain import text_of
from tests.study import STUDY

QUESTIONS = {
    "en": (
        "What did the study find?", "How big is the difference?", "How much walking?", "Does pace matter?",
        "Is it the same for everyone?", "How sure are we?", "What does it mean for me?",
        "What can the study not show?", "How was the study done?",
    ),
    "nb": (
        "Hva fant studien?", "Hvor stor er forskjellen?", "Hvor mye må man gå?", "Betyr farten noe?",
        "Gjelder det alle?", "Hvor sikre er vi?", "Hva betyr det for meg?", "Hva kan studien ikke si?",
        "Hvordan ble studien gjort?",
    ),
}  # fmt: skip


def many_waves(number: int) -> pd.DataFrame:
    return pd.concat([*(full_results(f"20{20 + each}") for each in range(number)), pooled_results()])


def rendered(results: pd.DataFrame, steps: pd.DataFrame, synthetic: bool = True, **more: object) -> dict[str, str]:
    return render_plain(results, steps, synthetic, WORDS, STUDY.claims, STUDY.about, **more)


def paragraphs(language: str, waves: int) -> list[str]:
    """The texts of the page's paragraphs and points."""
    pages = rendered(many_waves(waves), exclusion_steps(), False, characteristics=full_characteristics())
    html = pages["plain.html" if language == "en" else f"plain.{language}.html"]
    found = re.findall(r"<(?:p|li)>(.*?)</(?:p|li)>", html[html.index("<main") : html.index("</main>")], re.DOTALL)
    return [text_of(each) for each in found]


def split(text: str) -> list[str]:
    return [each for each in re.split(r"(?<=[.?!])\s+(?=[A-ZÆØÅ0-9])", text) if each]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_answers_the_questions_of_a_lay_article_in_order_the_method_last(language):
    words = replace(WORDS, language=language)
    page = Plain(findings(many_waves(2), words, full_characteristics()), exclusion_steps(), False)
    assert tuple(each.heading for each in page.sections()) == QUESTIONS[language]
    assert all(len(text_of(str(block))) > 40 for each in page.sections() for block in each.blocks)


# What each answer must say, by the numbers of ``full_results``: a question without it is not answered.
ANSWERS = {
    "en": {
        "found": "less common about four years later among people who walked 125 minutes a day or more",
        "big": "24% lower", "much": "minutes a day", "pace": "3.27 METs or more", "who": "women",
        "sure": "a risk 13% to 33% lower", "daily": "cannot say what would happen to you", "cannot": "one person",
        "done": "56,042",
    },
    "nb": {
        "found": "mindre vanlige omtrent fire år senere blant dem som gikk 125 minutter om dagen eller mer",
        "big": "24 prosent lavere", "much": "minutter om dagen", "pace": "3,27 MET eller mer", "who": "kvinner",
        "sure": "13 til 33 prosent lavere", "daily": "kan ikke si hva som ville skje med deg", "cannot": "én person",
        "done": "56 042",
    },
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_question_is_answered_by_its_own_section(language):
    words = replace(WORDS, language=language)
    page = Plain(findings(full_results(), words, full_characteristics()), exclusion_steps(), False)
    said = {each.identifier: text_of("".join(map(str, each.blocks))) for each in page.sections()}
    assert {name: words in said[name] for name, words in ANSWERS[language].items()} == dict.fromkeys(said, True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_does_not_grow_with_the_waves(language):
    two, six = (paragraphs(language, waves) for waves in (2, 6))
    assert len(two) == len(six)
    assert abs(len(" ".join(two)) - len(" ".join(six))) < 20


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_are_short_and_their_patterns_are_not_repeated(language):
    said = [sentence for each in paragraphs(language, 3) for sentence in split(each)]
    words = [re.findall(r"[^\W\d_]+", sentence) for sentence in said]
    assert len(said) > 30
    assert max(map(len, words)) <= 40
    assert sum(map(len, words)) / len(said) <= 18
    # LIX, a measure of reading ease that works in both languages: below 40 is as easy as a newspaper.
    every = [word for each in words for word in each]
    assert sum(map(len, words)) / len(said) + 100 * sum(len(word) > 6 for word in every) / len(every) < 40
    starts = Counter(" ".join(each[:3]).lower() for each in words if len(each) > 3)
    assert {start: times for start, times in starts.items() if times > 2} == {}
    phrases = Counter(" ".join(each[at : at + 5]).lower() for each in words for at in range(len(each) - 4))
    assert {phrase: times for phrase, times in phrases.items() if times > 4} == {}


def test_both_pages_are_complete_and_link_to_each_other():
    pages = rendered(full_results(), exclusion_steps())
    assert list(pages) == ["plain.html", "plain.nb.html"]
    assert '<html lang="en">' in pages["plain.html"]
    assert '<html lang="nb">' in pages["plain.nb.html"]
    assert 'href="plain.nb.html"' in pages["plain.html"]
    assert 'href="plain.html"' in pages["plain.nb.html"]
    assert "11,194 of them" in text_of(pages["plain.html"])
    assert "11\u00a0194 av dem" in pages["plain.nb.html"]
    assert pages["plain.nb.html"].count("Syntetiske data") >= 3
    for html in pages.values():
        assert "{" not in text_of(html)
        assert "nan" not in text_of(html).split()


def test_without_results_the_pages_still_describe_the_study():
    for html in rendered(full_results().iloc[:0], exclusion_steps().iloc[:0], synthetic=False).values():
        assert "<h2" in html
        assert "ynthetic" not in text_of(html)


@pytest.mark.parametrize("status", ["suppressed", "not_estimable"])
def test_a_study_too_small_for_any_comparison_says_so_in_one_sentence(status: str) -> None:
    frame = full_results().assign(status=status, estimate=math.nan, ci_low=math.nan, ci_high=math.nan)
    pages = rendered(frame, exclusion_steps())
    text = text_of(pages["plain.html"])
    assert text.count("too few people") == 1
    assert "so this page has no result" in text
    assert "not shown, for the privacy" not in text
    assert "How sure are we?" not in text
    assert "denne siden har ingen resultater" in text_of(pages["plain.nb.html"])


def test_suppressed_counts_are_not_printed():
    frame = full_results()
    frame.loc[frame["analysis"] == "main", ["n", "events"]] = None
    steps = exclusion_steps().assign(remaining=pd.NA)
    text = text_of(rendered(frame, steps)["plain.html"])
    assert "11,194" not in text
    assert "56,042" not in text
