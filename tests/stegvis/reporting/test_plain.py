"""The plain-language page: each sentence follows from the numbers in both languages, and none is causal."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from string import Formatter

import pandas as pd
import pytest

from stegvis.reporting.plain import Plain, render_plain, unlikely_from
from stegvis.reporting.texts import LANGUAGES, texts
from tests.stegvis.reporting.full_report import categories, full_results, interaction, pooled_results
from tests.stegvis.reporting.sample_report import PROTOCOL, WAVE, WORDS, exclusion_steps, result
from tests.study import STUDY

# Words that would say that walking causes something.
CAUSAL = {
    "en": (
        "caus", "because", "prevent", "protect", "reduc", "effect", "due to", "leads to", "lead to", "results in",
        "benefit", "improv", "thanks to", "lowers", "lowering", "raises", "helps", "help ", "makes you", "good for",
        "bad for", "impact", "influenc", "responsible",
    ),
    "nb": (
        "årsak", "fordi", "forebygg", "beskytt", "reduser", "effekt", "skyldes", "fører til",
        "gir lavere", "gir mindre", "virkning", "senker", "øker", "bedrer", "hjelper", "takket være", "påvirk",
        "bra for", "godt for", "gagn", "nytte", "ansvarlig",
    ),
}  # fmt: skip
OUTCOMES = {
    "lower": {"estimate": 0.77, "ci_low": 0.68, "ci_high": 0.87},
    "higher": {"estimate": 1.30, "ci_low": 1.10, "ci_high": 1.55},
    "unclear": {"estimate": 0.95, "ci_low": 0.80, "ci_high": 1.10},
    "too_few": {"status": "not_estimable", "estimate": None, "ci_low": None, "ci_high": None},
    "not_shown": {"status": "suppressed", "estimate": None, "ci_low": None, "ci_high": None},
}
SAID = {
    "en": {
        "lower": "was less common among people who walked 101 to 124 minutes a day than",
        "higher": "was more common among people who walked 101 to 124 minutes a day",
        "unclear": "It is unclear whether",
        "too_few": "too few people, or too few with pain, to compare those who walked 101 to 124",
        "not_shown": "is not shown, for the privacy of people in small groups",
    },
    "nb": {
        "lower": "var mindre vanlige blant dem som gikk 101 til 124 minutter om dagen, enn blant dem som gikk under 78",
        "higher": "var vanligere blant dem som gikk 101 til 124 minutter om dagen",
        "unclear": "Det er uklart om",
        "too_few": "for få personer, eller for få med smerter, til å sammenligne dem som gikk 101 til 124",
        "not_shown": "vises ikke, av hensyn til personvernet",
    },
}
SHARED = {
    "analysis": "main", "exposure": "walking_minutes", "model": "adjusted", "measure": "rr",
    "level": "101-124", "reference": "<78",
}  # fmt: skip


def plain(language: str = "en", frame: pd.DataFrame | None = None, waves: tuple[str, ...] = (WAVE,)) -> Plain:
    return Plain(
        replace(WORDS, language=language),
        full_results() if frame is None else frame,
        exclusion_steps(),
        list(waves),
        True,
        STUDY.claims,
    )


def sentences(language: str) -> dict[str, str]:
    return {f"{part}.{key}": text for part, found in texts(language).items() for key, text in found.items()}


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)).split())


def test_both_languages_have_the_same_sentences_with_the_same_numbers():
    first, second = (sentences(language) for language in LANGUAGES)
    assert list(first) == list(second)
    assert {key: fields(text) for key, text in first.items()} == {key: fields(text) for key, text in second.items()}
    assert all(text.strip() or key == "numbers.thousands" for key, text in second.items())


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_causal(language):
    for key, text in sentences(language).items():
        found = [word for word in CAUSAL[language] if word in text.lower()]
        assert not found, f"{key}: {found}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_number_is_written_by_hand(language):
    fixed_numbers = {"done.compared", "done.outcome"}
    for key, text in sentences(language).items():
        if key not in fixed_numbers and not key.startswith("hundred."):
            assert not re.search(r"\d", re.sub(r"\b100\b", "", text)), key


@pytest.mark.parametrize("kind", OUTCOMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_wording_follows_from_the_interval(language, kind):
    sentence = plain(language).comparison(result(**SHARED, **OUTCOMES[kind]), "walking_minutes")
    assert SAID[language][kind] in sentence
    for other, words in SAID[language].items():
        assert other == kind or words not in sentence


@pytest.mark.parametrize(
    ("language", "kind", "numbers"),
    [
        ("en", "lower", ("23% lower", "a risk 13% to 32% lower")),
        ("en", "higher", ("30% higher", "a risk 10% to 55% higher")),
        ("nb", "lower", ("23 prosent lavere", "en risiko som er 13 til 32 prosent lavere")),
        ("nb", "higher", ("30 prosent høyere", "en risiko som er 10 til 55 prosent høyere")),
    ],
)
def test_the_numbers_are_those_of_the_row(language, kind, numbers):
    sentence = plain(language).comparison(result(**SHARED, **OUTCOMES[kind]), "walking_minutes")
    assert all(number in sentence for number in numbers)


def test_a_limit_near_none_gets_a_decimal():
    row = result(**SHARED, estimate=0.9, ci_low=0.81, ci_high=0.996)
    assert "a risk 0.4% to 19% lower" in plain().comparison(row, "walking_minutes")
    assert "en risiko som er 0,4 til 19 prosent lavere" in plain("nb").comparison(row, "walking_minutes")


def test_categories_are_words_in_each_language():
    assert plain().group(">=3.27", "walking_met") == "at the fastest average pace (3.27 METs or more)"
    assert plain("nb").group(">=3.27", "walking_met") == "i det raskeste tempoet i snitt (3,27 MET eller mer)"
    assert plain().group("category 3 (empty)", "walking_minutes") == "the category category 3 (empty)"


def with_headline(**values) -> pd.DataFrame:
    """The full results with one changed ratio of the highest volume."""
    frame = full_results()
    headline = (frame["analysis"] == "main") & (frame["model"] == "adjusted") & (frame["level"] == ">=125")
    for name, value in values.items():
        frame.loc[headline & (frame["measure"] == "rr"), name] = value
    return frame


@pytest.mark.parametrize(
    ("e_value_ci", "said"),
    [
        (unlikely_from(STUDY.claims), "fairly strongly linked"),
        (unlikely_from(STUDY.claims) - 0.01, "only weakly linked"),
        (1.0, "no difference at all"),
        (None, "not possible to calculate"),
    ],
)
def test_how_sure_follows_from_the_e_value(e_value_ci, said):
    assert said in plain(frame=with_headline(e_value=1.95, e_value_ci=e_value_ci)).hidden()


def test_loss_to_follow_up_is_described_by_the_tipping_point_of_a_clearly_lower_risk():
    assert "1.6 times as often" in plain().loss()
    unclear = with_headline(**OUTCOMES["unclear"])
    assert "not possible to calculate" in plain(frame=unclear).loss()


@pytest.mark.parametrize("kind", OUTCOMES)
def test_the_main_comparison_decides_what_is_said_about_daily_life(kind):
    frame = with_headline(**{"status": "ok", **OUTCOMES[kind]})
    assert plain(frame=frame).daily()[0] == plain().say("daily", kind)


def test_the_minutes_between_the_groups_are_computed():
    assert "at least 23 minutes a day" in plain().daily()[1]


@pytest.mark.parametrize(
    ("ratio", "age", "sex"),
    [
        (0.5, "was larger among people aged 65", "was larger among men"),
        (2.0, "was smaller among people aged 65", "was smaller among men"),
        (1.0, "It is unclear whether", "no clear difference between women and men"),
    ],
)
def test_the_interactions_decide_what_is_said_about_age_and_sex(ratio, age, sex):
    rows = [row for row in interaction("walking_minutes") if row["measure"] == "ratio_of_rr"]
    for row in rows:
        if row["level"] != row["reference"]:
            row |= {"estimate": ratio, "ci_low": ratio * 0.9, "ci_high": ratio * 1.1}
    said = plain(frame=pd.DataFrame(rows)).who()
    assert age in said[0]
    assert str(PROTOCOL.covariates.older_from_age) in said[0]
    assert sex in said[1]
    assert plain(frame=pd.DataFrame(rows).iloc[:0]).who() == []


@pytest.mark.parametrize(("p", "key"), [(0.01, "differ"), (0.5, "alike"), (None, "differ_unknown")])
def test_years_differ_by_the_test(p, key):
    row = result(analysis="wave_interaction", exposure="walking_minutes", model="adjusted", measure="p_interaction")
    assert (
        plain(frame=pd.DataFrame([{**row, "wave": "all", "p_value": p}])).between_years() == texts("en")["waves"][key]
    )


def test_every_year_and_all_years_together_have_a_sentence():
    frame = pd.concat([full_results("A"), full_results("B"), pooled_results()])
    said = plain(frame=frame, waves=("A", "B")).years()
    assert [each.split(":")[0] for each in said] == ["A", "B", "All years together"]


def test_risks_among_a_hundred_people_are_shown_only_if_all_are_published():
    assert "of 100 people who walked under 78 minutes a day, about 15" in plain().hundred()
    frame = full_results()
    frame.loc[(frame["analysis"] == "standardized_risk") & (frame["level"] == "78-100"), "status"] = "suppressed"
    assert plain(frame=frame).hundred() == ""
    assert plain(frame=frame).figure() == ""


def test_both_pages_are_complete_and_link_to_each_other():
    pages = render_plain(full_results(), exclusion_steps(), synthetic=True, words=WORDS, claims=STUDY.claims)
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
    for html in render_plain(
        full_results().iloc[:0], exclusion_steps().iloc[:0], synthetic=False, words=WORDS, claims=STUDY.claims
    ).values():
        assert "<h2" in html
        assert "ynthetic" not in text_of(html)


@pytest.mark.parametrize("status", ["suppressed", "not_estimable"])
def test_a_study_too_small_for_any_comparison_says_so_in_one_sentence(status: str) -> None:
    frame = full_results().assign(status=status, estimate=math.nan, ci_low=math.nan, ci_high=math.nan)
    pages = render_plain(frame, exclusion_steps(), synthetic=True, words=WORDS, claims=STUDY.claims)
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
    text = text_of(render_plain(frame, steps, synthetic=True, words=WORDS, claims=STUDY.claims)["plain.html"])
    assert "11,194" not in text
    assert "56,042" not in text


def test_categories_helper_makes_four_rows_a_model():
    assert len(categories("walking_met", ("adjusted",), 0.8)) == 4
