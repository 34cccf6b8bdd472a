"""The page in plain language: each wording follows from the numbers, alike in both languages, and none is causal."""

from __future__ import annotations

import re
from string import Formatter

import pandas as pd
import pytest

from stegvis.disclosure.kept import kept_rule
from stegvis.reporting.plain import Plain, render_plain, unlikely_from
from stegvis.reporting.texts import LANGUAGES, texts
from tests.stegvis.reporting.full_report import categories, full_results, interaction, pooled_results
from tests.stegvis.reporting.sample_report import PROTOCOL, WAVE, exclusion_steps, result

# Words that would say that walking brings something about.
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
        "not_shown": "is not shown, to keep small groups private",
    },
    "nb": {
        "lower": "var mindre vanlige blant dem som gikk 101 til 124 minutter om dagen enn blant dem som gikk under 78",
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
    return Plain(language, full_results() if frame is None else frame, exclusion_steps(), list(waves), True, PROTOCOL)


def leaves(language: str) -> dict[str, str]:
    return {f"{part}.{key}": text for part, found in texts(language).items() for key, text in found.items()}


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def told(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)).split())


def test_both_languages_have_the_same_sentences_with_the_same_numbers():
    first, second = (leaves(language) for language in LANGUAGES)
    assert list(first) == list(second)
    assert {key: fields(text) for key, text in first.items()} == {key: fields(text) for key, text in second.items()}
    assert all(text.strip() or key == "numbers.thousands" for key, text in second.items())


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_causal(language):
    for key, text in leaves(language).items():
        found = [word for word in CAUSAL[language] if word in text.lower()]
        assert not found, f"{key}: {found}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_number_is_written_by_hand(language):
    told_by_rule = {"done.compared", "done.outcome"}
    for key, text in leaves(language).items():
        if key not in told_by_rule and not key.startswith("hundred."):
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
        ("en", "lower", ("23% lower", "from 13% to 32% lower")),
        ("en", "higher", ("30% higher", "from 10% to 55% higher")),
        ("nb", "lower", ("23\u00a0% lavere", "fra 13\u00a0% til 32\u00a0% lavere")),
        ("nb", "higher", ("30\u00a0% høyere", "fra 10\u00a0% til 55\u00a0% høyere")),
    ],
)
def test_the_numbers_are_those_of_the_row(language, kind, numbers):
    sentence = plain(language).comparison(result(**SHARED, **OUTCOMES[kind]), "walking_minutes")
    assert all(number in sentence for number in numbers)


def test_a_limit_near_none_gets_a_decimal():
    row = result(**SHARED, estimate=0.9, ci_low=0.81, ci_high=0.996)
    assert "from 0.4% to 19% lower" in plain().comparison(row, "walking_minutes")
    assert "fra 0,4\u00a0% til 19\u00a0% lavere" in plain("nb").comparison(row, "walking_minutes")


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
        (unlikely_from(), "fairly strongly linked"),
        (unlikely_from() - 0.01, "only weakly linked"),
        (1.0, "holds no difference at all"),
        (None, "could not be computed"),
    ],
)
def test_how_sure_follows_from_the_e_value(e_value_ci, said):
    assert said in plain(frame=with_headline(e_value=1.95, e_value_ci=e_value_ci)).hidden()


def test_those_lost_are_told_by_the_tipping_point_of_a_clear_lower_risk():
    assert "1.6 times as often" in plain().lost()
    unclear = with_headline(**OUTCOMES["unclear"])
    assert "could not be computed" in plain(frame=unclear).lost()


@pytest.mark.parametrize("kind", OUTCOMES)
def test_daily_life_is_told_by_the_main_comparison(kind):
    frame = with_headline(**{"status": "ok", **OUTCOMES[kind]})
    assert plain(frame=frame).daily()[0] == texts("en")["daily"][kind]


def test_the_minutes_between_the_groups_are_computed():
    assert "at least 23 minutes a day" in plain().daily()[1]


@pytest.mark.parametrize(
    ("ratio", "age", "sex"),
    [
        (0.5, "was larger among people of 65", "was larger among men"),
        (2.0, "was smaller among people of 65", "was smaller among men"),
        (1.0, "It is unclear whether", "no clear difference between women and men"),
    ],
)
def test_age_and_sex_are_told_by_their_interactions(ratio, age, sex):
    rows = [row for row in interaction("walking_minutes") if row["measure"] == "ratio_of_rr"]
    for row in rows:
        if row["level"] != row["reference"]:
            row |= {"estimate": ratio, "ci_low": ratio * 0.9, "ci_high": ratio * 1.1}
    said = plain(frame=pd.DataFrame(rows)).who()
    assert age in said[0]
    assert str(PROTOCOL.covariates.older_from_age) in said[0]
    assert sex in said[1]
    assert "too few" in plain(frame=pd.DataFrame(rows).iloc[:0]).who()[0]


@pytest.mark.parametrize(("p", "key"), [(0.01, "differ"), (0.5, "alike"), (None, "differ_unknown")])
def test_years_differ_by_the_test(p, key):
    row = result(analysis="wave_interaction", exposure="walking_minutes", model="adjusted", measure="p_interaction")
    assert (
        plain(frame=pd.DataFrame([{**row, "wave": "all", "p_value": p}])).between_years() == texts("en")["waves"][key]
    )


def test_every_year_and_all_together_are_told():
    frame = pd.concat([full_results("A"), full_results("B"), pooled_results()])
    said = plain(frame=frame, waves=("A", "B")).years()
    assert [each.split(":")[0] for each in said] == ["A", "B", "All years together"]


def test_risks_are_told_of_a_hundred_people_only_if_all_may_be_told():
    assert "of 100 people who walked under 78 minutes a day, about 15" in plain().hundred()
    frame = full_results()
    frame.loc[(frame["analysis"] == "standardized_risk") & (frame["level"] == "78-100"), "status"] = "suppressed"
    assert plain(frame=frame).hundred() == ""
    assert plain(frame=frame).figure() == ""


def test_both_pages_are_whole_and_lead_to_each_other():
    pages = render_plain(full_results(), exclusion_steps(), synthetic=True, protocol=PROTOCOL)
    assert list(pages) == ["plain.html", "plain.nb.html"]
    assert '<html lang="en">' in pages["plain.html"]
    assert '<html lang="nb">' in pages["plain.nb.html"]
    assert 'href="plain.nb.html"' in pages["plain.html"]
    assert 'href="plain.html"' in pages["plain.nb.html"]
    assert "11,194 of them" in told(pages["plain.html"])
    assert "11\u00a0194 av dem" in pages["plain.nb.html"]
    assert pages["plain.nb.html"].count("Syntetiske data") >= 3
    for html in pages.values():
        assert "{" not in told(html)
        assert "nan" not in told(html).split()


def test_without_results_the_pages_still_say_what_the_study_is():
    for html in render_plain(
        full_results().iloc[:0], exclusion_steps().iloc[:0], synthetic=False, protocol=PROTOCOL
    ).values():
        assert "<h2" in html
        assert "ynthetic" not in told(html)


def test_hidden_counts_are_not_told():
    frame = full_results()
    frame.loc[frame["analysis"] == "main", ["n", "events"]] = None
    steps = exclusion_steps().assign(remaining=pd.NA)
    text = told(render_plain(frame, steps, synthetic=True, protocol=PROTOCOL)["plain.html"])
    assert "11,194" not in text
    assert "56,042" not in text


@pytest.mark.parametrize(("language", "words"), [("en", "an earlier version of it"), ("nb", "en tidligere utgave")])
def test_counts_of_an_earlier_release_are_said_to_be_so(language, words):
    results = full_results()
    kept = results.assign(note=kept_rule(PROTOCOL))
    assert words in plain(language, kept).done()
    assert words not in plain(language, results).done()


def test_categories_helper_makes_four_rows_a_model():
    assert len(categories("walking_met", ("adjusted",), 0.8)) == 4
