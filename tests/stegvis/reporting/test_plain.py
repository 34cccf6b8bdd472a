"""The plain-language page: each sentence follows from the numbers in both languages, and none is causal."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from string import Formatter

import pandas as pd
import pytest

from stegvis.reporting.plain_findings import Findings, findings, unlikely_from
from stegvis.reporting.plain_picture import picture
from stegvis.reporting.texts import LANGUAGES, texts
from tests.stegvis.reporting.full_report import full_characteristics, full_results, interaction, pooled_results
from tests.stegvis.reporting.sample_report import PROTOCOL, WORDS, result
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
        "lower": "was less common some years later among people who walked 101 to 124 minutes a day than",
        "higher": "was more common some years later among people who walked 101 to 124 minutes a day",
        "unclear": "It is unclear whether",
        "too_few": "too few people, or too few with pain, to compare those who walked 101 to 124",
        "not_shown": "is not shown, for the privacy of people in small groups",
    },
    "nb": {
        "lower": "var mindre vanlige noen år senere blant dem som gikk 101 til 124 minutter om dagen, enn blant dem",
        "higher": "var vanligere noen år senere blant dem som gikk 101 til 124 minutter om dagen",
        "unclear": "Det er uklart om",
        "too_few": "for få personer, eller for få med smerter, til å sammenligne dem som gikk 101 til 124",
        "not_shown": "vises ikke, av hensyn til personvernet",
    },
}
SHARED = {
    "analysis": "main", "exposure": "walking_minutes", "model": "adjusted", "measure": "rr",
    "level": "101-124", "reference": "<78",
}  # fmt: skip


def plain(language: str = "en", frame: pd.DataFrame | None = None) -> Findings:
    return findings(full_results() if frame is None else frame, replace(WORDS, language=language))


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
    for key, text in sentences(language).items():
        if not key.startswith("big."):
            assert not re.search(r"\d", re.sub(r"\b100\b", "", text)), key


@pytest.mark.parametrize("kind", OUTCOMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_wording_follows_from_the_interval(language, kind):
    sentence = plain(language).compared("found", result(**SHARED, **OUTCOMES[kind]), "walking_minutes")
    assert SAID[language][kind] in sentence
    for other, words in SAID[language].items():
        assert other == kind or words not in sentence


@pytest.mark.parametrize(
    ("language", "kind", "share", "limits"),
    [
        ("en", "lower", "23% lower", "a risk 13% to 32% lower"),
        ("en", "higher", "30% higher", "a risk 10% to 55% higher"),
        ("nb", "lower", "23 prosent lavere", "en risiko som er 13 til 32 prosent lavere"),
        ("nb", "higher", "30 prosent høyere", "en risiko som er 10 til 55 prosent høyere"),
    ],
)
def test_the_numbers_are_those_of_the_row(language, kind, share, limits):
    said = plain(language, with_headline(**OUTCOMES[kind]))
    assert share in said.big()[1]
    assert limits in said.sure()[0]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", OUTCOMES)
def test_the_limits_are_beside_every_clear_difference(language, kind):
    said = plain(language, with_headline(**OUTCOMES[kind]))
    limits = texts(language)["big"]["limits"]
    assert (limits == said.big()[-1]) == (kind in ("lower", "higher"))


def test_a_limit_near_none_gets_a_decimal():
    frame = with_headline(estimate=0.9, ci_low=0.81, ci_high=0.996)
    assert "a risk 0.4% to 19% lower" in plain(frame=frame).sure()[0]
    assert "en risiko som er 0,4 til 19 prosent lavere" in plain("nb", frame).sure()[0]


def test_categories_are_words_in_each_language():
    assert plain().voice.group(">=3.27", "walking_met") == "3.27 METs or more"
    assert plain("nb").voice.group("3.00-3.11", "walking_met") == "3,00 til 3,11 MET"
    assert plain().voice.group("category 3 (empty)", "walking_minutes") == "the category category 3 (empty)"


@pytest.mark.parametrize(
    ("estimates", "said"),
    [
        ({"78-100": (0.8, 0.7, 0.9), "101-124": (0.8, 0.7, 0.9)}, "Those in between also differed clearly"),
        ({"78-100": (0.9, 0.7, 1.1), "101-124": (0.8, 0.7, 0.9)}, "For some of those in between"),
        ({"78-100": (0.9, 0.7, 1.1), "101-124": (0.9, 0.7, 1.1)}, "For those in between, the difference was not clear"),
    ],
)
def test_what_is_said_of_the_groups_in_between_follows_from_their_intervals(estimates, said):
    frame = with_headline(**OUTCOMES["lower"])
    for level, numbers in estimates.items():
        row = (frame["analysis"] == "main") & (frame["level"] == level) & (frame["measure"] == "rr")
        frame.loc[row & (frame["model"] == "adjusted"), ["estimate", "ci_low", "ci_high"]] = numbers
    assert said in plain(frame=frame).found()[1]


def test_without_a_curve_nothing_is_said_of_its_shape():
    assert "too few people to follow the risk" in plain(frame=full_results().query("analysis == 'main'")).much()[0]


@pytest.mark.parametrize(
    ("volume", "pace", "said"),
    [
        ("lower", "lower", "Time and pace were each linked"),
        ("lower", "unclear", "no clear difference by pace was found"),
        ("unclear", "lower", "no clear difference by time was found"),
        ("unclear", "unclear", "neither time nor pace"),
        ("higher", "lower", ""),
        ("not_shown", "lower", ""),
    ],
)
def test_volume_and_pace_together_follow_from_the_model_with_both(volume, pace, said):
    frame = full_results()
    for exposure, kind in (("walking_minutes", volume), ("walking_met", pace)):
        for name, value in ({"status": "ok"} | OUTCOMES[kind]).items():
            frame.loc[(frame["analysis"] == "mutual") & (frame["exposure"] == exposure), name] = value
    found = plain(frame=frame).together()
    assert said in found if said else found == ""


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
        (unlikely_from(STUDY.claims), "could explain the whole difference, for example"),
        (unlikely_from(STUDY.claims) - 0.01, "could make the difference unclear"),
        (1.0, "no difference at all"),
        (None, "not possible to calculate"),
    ],
)
def test_how_sure_follows_from_the_e_value(e_value_ci, said):
    assert said in plain(frame=with_headline(e_value=1.95, e_value_ci=e_value_ci)).hidden()


def test_loss_to_follow_up_is_described_by_the_tipping_point_of_a_clearly_lower_risk():
    assert "1.6 times as common" in plain().loss()
    unclear = with_headline(**OUTCOMES["unclear"])
    assert "not possible to calculate" in plain(frame=unclear).loss()


@pytest.mark.parametrize("kind", OUTCOMES)
def test_the_main_comparison_decides_what_is_said_about_daily_life(kind):
    frame = with_headline(**{"status": "ok", **OUTCOMES[kind]})
    daily = plain(frame=frame).daily()
    assert daily[1] == plain().voice.say("daily", kind)
    # Advice is marked as such, and never stands beside another finding than a lower risk.
    assert [each.startswith("General advice, not a finding of this study.") for each in daily[2:]] == [True] * (
        kind == "lower"
    )


@pytest.mark.parametrize(
    ("ratio", "age", "sex"),
    [
        (0.5, "lower risk at 65 and over than it did", "lower risk among men than"),
        (2.0, "lower risk below 65 than it did", "lower risk among women than"),
        (1.0, "cannot say for certain whether people aged 65", "no clear difference between women and men"),
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
    found = plain(frame=pd.DataFrame([{**row, "wave": "all", "p_value": p}])).between_years()
    assert found == texts("en")["sure"][key]


def test_age_and_sex_come_with_the_numbers_of_their_strata():
    age, sex = plain().who()
    assert age.startswith("Among people aged 65 and over, those who walked the most had a risk that was 20% lower.")
    assert "For women who walked the most, the risk was 20% lower; for men, 20% lower." in sex


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        (("lower", "lower"), "two times. Each time"),
        (("lower", "unclear"), "In one of these"),
        (("unclear", "not_shown"), "In none of these"),
    ],
)
def test_the_waves_are_summed_up_in_one_paragraph(kinds, said):
    frame = pd.concat(
        [with_headline(**OUTCOMES[kind]).assign(wave=wave) for wave, kind in zip("AB", kinds, strict=True)]
    )
    frame = pd.concat([frame, pooled_results()])
    assert said in plain(frame=frame).repeated()
    assert "In all answers together, the risk was 20% lower (between 12% and 28%)." in plain(frame=frame).repeated()
    assert plain(frame=full_results()).repeated() == ""


def test_the_page_speaks_of_the_newest_wave_whose_main_comparison_is_shown():
    frame = pd.concat([full_results("A"), with_headline(**OUTCOMES["not_shown"]).assign(wave="B")])
    assert plain(frame=frame).wave == "A"
    assert plain(frame=frame[frame["wave"] == "B"]).wave == "B"


def test_risks_among_a_hundred_people_are_shown_only_if_all_are_published():
    frame = full_results()
    risk = (frame["analysis"] == "standardized_risk") & (frame["measure"] == "risk")
    frame.loc[risk & (frame["level"] == "<78"), "estimate"] = 0.188
    said = plain(frame=frame)
    assert "100 people who walked under 78 minutes a day: about 19 of them" in said.big()[0]
    assert said.big()[0].endswith("it was about 15.")
    assert picture(said, synthetic=True).count("<circle") == 200
    assert plain().big()[0].endswith("about as many.")
    frame.loc[risk & (frame["level"] == "78-100"), "status"] = "suppressed"
    hidden = plain(frame=frame)
    assert not any("100" in each for each in hidden.big())
    assert picture(hidden, synthetic=True) == ""


def test_the_years_to_follow_up_are_those_of_table_one():
    table = full_characteristics()
    said = findings(full_results(), WORDS, table)
    assert "about four years later" in said.found()[0]
    hidden = table.assign(mean=math.nan)
    assert "some years later" in findings(full_results(), WORDS, hidden).found()[0]
