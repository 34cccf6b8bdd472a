"""A study of another outcome, with three categories of volume and no intensity: its pages say nothing of the first."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pandas as pd
import pytest

import stegvis
from stegvis.analyses.declared import declared_estimates
from stegvis.reporting import render_index, render_wave
from stegvis.reporting.plain import render_plain
from stegvis.reporting.words import Words
from stegvis.studies import FIRST
from stegvis.study.texts import EnglishTexts, NorwegianTexts, StudyTexts
from tests.stegvis.conftest import protocol_of
from tests.stegvis.reporting.full_report import full_characteristics, full_results, full_wave_report, histogram
from tests.stegvis.reporting.sample_report import PROTOCOL, WAVE, exclusion_steps, index_report
from tests.stegvis.reporting.test_plain import text_of
from tests.study import STUDY

# What the texts of the first study call its cohort, outcome, sensors and instruments.
FACTS = (
    "HUNT", "Trøndelag", "Norway", "back pain", "low back", "lower back", "korsrygg", "ryggsmerter", "HADS", "thigh",
    "låret", "site box", "screening question",
)  # fmt: skip
OF_FIRST = (
    *FACTS, "pain", "smerter", "income", "inntekt", "depress", "depresjon", "Norge", "four", "fire ", "sixteen",
    "quarter", "seven", "sju ", "intensity", "tempo", "pace", "brisk", "MET", "65 to", "Haddadj",
)  # fmt: skip
LEVELS = {"<78": "<60", "78-100": "60-99", "101-124": ">=100"}
OUTCOME_EN = {
    "name": "knee osteoarthritis", "short": "knee trouble", "shortest": "osteoarthritis",
    "less_common": "Knee osteoarthritis was less common", "more_common": "Knee osteoarthritis was more common",
    "either": "knee osteoarthritis was more or less common", "means": "It means that a doctor found it.",
    "between": "Only the last visit counts.", "asked": "What an X-ray would have shown.",
}  # fmt: skip
OUTCOME_NB = {
    "name": "kneartrose", "short": "kneplager", "shortest": "artrose", "less_common": "Kneartrose var mindre vanlig",
    "more_common": "Kneartrose var vanligere", "either": "kneartrose var vanligere eller mindre vanlig",
    "means": "En lege hadde sagt det.", "between": "Bare det siste besøket teller.", "asked": "Hva røntgen ville vist.",
}  # fmt: skip
TEXTS = StudyTexts(
    en=EnglishTexts.model_validate(
        {
            "cohort": {
                "people": "teachers",
                "name": "the Lisbon School Study in Portugal",
                "measured": "They wore one sensor on the wrist for up to {days.days_per_recording:words} days.",
            },
            "outcome": OUTCOME_EN,
            "researchers": {
                "sensors": "One accelerometer (wrist)",
                "definition": "as diagnosed by a physician",
                "reported": "Osteoarthritis was diagnosed.",
                "not_recorded": "Earlier diagnoses were not recorded.",
                "question": "question on knees",
            },
        }
    ),
    nb=NorwegianTexts.model_validate(
        {
            "title": "Gåing og kneartrose",
            "cohort": {
                "people": "lærere",
                "name": "skolestudien i Lisboa",
                "measured": "De gikk med en sensor i opptil {days.days_per_recording:words} dager.",
            },
            "outcome": OUTCOME_NB,
            "covariates": {"age": "alder", "sex": "kjønn"},
        }
    ),
)
COVARIATES = ("age", "sex", "region")


def other_protocol():
    """Three categories of volume and no intensity; five days, three covariates, another title."""
    return protocol_of(3, None, of=PROTOCOL).model_copy(
        update={
            "study": PROTOCOL.study.model_copy(update={"title": "Walking and knee osteoarthritis"}),
            "days": PROTOCOL.days.model_copy(update={"days_per_recording": 5}),
            "models": PROTOCOL.models.model_copy(update={"adjusted": COVARIATES}),
            "exclusions": PROTOCOL.exclusions.model_copy(update={"complete_case": COVARIATES}),
        }
    )


def volume_only(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of volume, in three categories with other bounds."""
    about_both = frame["analysis"].isin(
        ["joint", "additive_interaction", "mutual", "mutual_categories", "mutual_spline"]
    )
    within = frame["analysis"].isin(["within_intensity", "within_volume", "diagnostics"])
    symptoms = frame["analysis"].astype(str).str.startswith("sensitivity:")
    rows = frame[(frame["exposure"] != "walking_met") & ~about_both & ~within & ~symptoms & (frame["level"] != ">=125")]
    return rows.assign(**{name: rows[name].replace(LEVELS) for name in ("level", "reference")})


def pages() -> dict[str, str]:
    protocol, labels = other_protocol(), {"en": {"region": "Region"}, "nb": {"region": "Landsdel"}}
    results = volume_only(full_results())
    table_one = full_characteristics()
    table_one = table_one[table_one["variable"].isin(["people", "age", "sex", "follow_up_years"])]
    table_one = table_one[table_one["category"] != ">=125"].assign(category=lambda t: t["category"].replace(LEVELS))
    bins = histogram()
    steps = exclusion_steps()
    steps = steps.assign(description=steps["rule"])[~steps["rule"].str.contains("pain")]
    about = STUDY.about.model_copy(
        update={"name": "lisbon", "run_by": "A school", "contact": "a@example.org", "cite": "Us", "link": ""}
        | {"next_wave": ""}
    )
    shared = {"protocol": protocol, "texts": TEXTS, "labels": labels, "about": about, "claims": []}
    wave = full_wave_report(
        **shared, results=results, characteristics=table_one, exclusion_steps=steps, published=None, checks=[],
        histogram=bins[bins["exposure"] == "walking_minutes"], declared=declared_estimates(results, WAVE, protocol),
    )  # fmt: skip
    index = index_report(**shared, results=results, checks=[], excluded_waves=(), bridge=[], differences=None)
    words = Words(TEXTS, protocol, "en", labels)
    plain = render_plain(results, steps, synthetic=False, words=words, claims=STUDY.claims, about=about)
    return {**render_wave(wave), "index.html": render_index(index), **plain}


def test_pages_of_another_study_say_nothing_of_the_first():
    shown = {name: text_of(html) for name, html in pages().items()}
    found = [
        (name, fact, text[max(0, at.start() - 60) : at.end() + 40])
        for name, text in shown.items()
        for fact in OF_FIRST
        for at in re.finditer(rf"\b{re.escape(fact)}", text, 0 if fact.isupper() else re.IGNORECASE)
        if "walking_met" not in text[at.start() - 8 : at.end()]
    ]
    assert not found
    english, norwegian = shown["plain.html"], shown["plain.nb.html"]
    assert "56,042 teachers took part in the Lisbon School Study in Portugal." in english
    assert "divided into three groups of about equal size by how much they walked. The comparisons" in english
    assert "differences in age, sex and region into account" in english
    assert "for up to five days" in english
    assert "tre omtrent like store grupper" in norwegian
    assert "forskjeller i alder, kjønn og landsdel" in norwegian
    assert "Kneartrose var mindre vanlig noen år senere blant dem som gikk 100 minutter om dagen eller mer" in norwegian
    methods = next(text for name, text in shown.items() if "methods" in name)
    assert "One accelerometer (wrist), up to 5 days" in methods
    assert "Thirds of the analyzed sample" in methods
    assert "Knee osteoarthritis: as diagnosed by a physician." in methods


def strings(file: Path) -> list[str]:
    """The text of a file that readers may see: of a module, its strings; of a script in R, which is released, all."""
    if file.suffix == ".R":
        return [file.read_text(encoding="utf-8")]
    if file.suffix != ".py":
        return [re.sub(r"(?m)^\s*(#|--).*$", "", file.read_text(encoding="utf-8"))]
    tree = ast.parse(file.read_text(encoding="utf-8"))
    if "orchestration" in file.parts:  # a docstring of a command is its help
        return [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    comments = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    constants = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in comments)
    return [node.value for node in constants if isinstance(node.value, str)]


# The program is cited with the study that it was written for; its classifier is of a back and a thigh.
EXEMPT = ("citation.py", "recordings.py", "classify.py", "options.py", "wear.py")


FOLDERS = ("reporting", "release", "claims", "pooling", "reproduction", "sql", "expectations", "orchestration")


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_fact_of_the_first_study_is_in_the_program(folder):
    root = Path(stegvis.__file__).parent
    base = root / folder if (root / folder).is_dir() else root.parent / folder
    files = [file for file in sorted(base.rglob("*")) if file.suffix in (".py", ".toml", ".sql", ".j2", ".R")]
    assert files
    texts = {
        f"{file.name}: {text.replace(FIRST, '')}" for file in files if file.name not in EXEMPT for text in strings(file)
    }
    said = STUDY.texts.en.outcome, STUDY.texts.nb.outcome
    names = {each.name for each in said} | {each.short for each in said}
    for fact in {*FACTS, *names}:
        found = [text[:120] for text in texts if re.search(rf"\b{re.escape(fact)}", text, re.IGNORECASE)]
        assert not found, fact
