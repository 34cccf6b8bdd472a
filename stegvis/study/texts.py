"""What the pages say about a study, in English and in Norwegian (``texts/en.toml`` and ``texts/nb.toml``)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from stegvis.study.codebook import Codebook, covariates
from stegvis.study.numbers_in_words import number_in_words
from stegvis.study.protocol import Protocol
from stegvis.study.settings import Section, SettingsError, read_settings

FOLDER = "texts"
Language = Literal["en", "nb"]
LANGUAGES: tuple[Language, ...] = ("en", "nb")
_VALUE = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"([a-z0-9_]+(?:\.[a-z0-9_]+)+)(:words)?")


class TextsError(SettingsError):
    """A file of texts breaks its own rules; the message names the file and the key."""


class CohortTexts(Section):
    """Who takes part, in what, and what they did at the start.

    Attributes:
        people: plural noun, ``adults``.
        name: of the cohort with its country, within a sentence.
        measured: sentences on questions and sensors.
        place: where people live, after "alive and living"; may be empty.
    """

    people: str = Field(min_length=1)
    name: str = Field(min_length=1)
    measured: str = Field(min_length=1)
    place: str = ""


class OutcomeTexts(Section):
    """The outcome in sentences.

    Attributes:
        name: within a sentence.
        short: a shorter name, where it was named before.
        shortest: the shortest, of what a person has.
        less_common, more_common: beginnings of a sentence.
        either: a clause that says that it was more or less common.
        means: a sentence on what it means.
        between: a sentence on what is not known of the time between baseline and follow-up.
        asked: sentences on what the question cannot show.
    """

    name: str = Field(min_length=1)
    short: str = Field(min_length=1)
    shortest: str = Field(min_length=1)
    less_common: str = Field(min_length=1)
    more_common: str = Field(min_length=1)
    either: str = Field(min_length=1)
    means: str = Field(min_length=1)
    between: str = Field(min_length=1)
    asked: str = Field(min_length=1)


class ResearcherTexts(Section):
    """What the pages for researchers say, which are in English only.

    Attributes:
        sensors: how they are worn, beginning of a sentence.
        definition: of the outcome, within a sentence.
        reported: a sentence on who reported the outcome.
        not_recorded: a sentence on the time between baseline and follow-up.
        question: the question on the outcome, within a sentence.
        covariates: sentences on how covariates are measured; may be empty.
        interaction_note: a note below the tests of interaction with intensity; may be empty.
        estimand: what a main risk ratio compares, in whom, and when it is causal; may be empty.
        variables: printed names of rows of Table 1 by column, in place of the codebook's labels.
        sensitivity: printed names of sensitivity analyses by name.
    """

    sensors: str = Field(min_length=1)
    definition: str = Field(min_length=1)
    reported: str = Field(min_length=1)
    not_recorded: str = Field(min_length=1)
    question: str = Field(min_length=1)
    estimand: str = ""
    covariates: str = ""
    interaction_note: str = ""
    variables: dict[str, str] = Field(default_factory=dict)
    sensitivity: dict[str, str] = Field(default_factory=dict)


class Texts(Section):
    """The texts of one language.

    Attributes:
        cohort, outcome: what they are called in sentences.
        covariates: words in a sentence by name, in place of the codebook's labels.
        advice: sentences of general advice on daily life, which the plain pages mark as no finding; may be empty.
    """

    cohort: CohortTexts
    outcome: OutcomeTexts
    covariates: dict[str, str] = Field(default_factory=dict)
    advice: str = ""


class EnglishTexts(Texts):
    """The English texts; the study's title is the protocol's."""

    researchers: ResearcherTexts


class NorwegianTexts(Texts):
    """The Norwegian texts, with the study's title."""

    title: str = Field(min_length=1)


class StudyTexts(Section):
    """The texts of both languages."""

    en: EnglishTexts
    nb: NorwegianTexts


def read_texts(folder: Path, protocol: Protocol, codebook: Codebook) -> StudyTexts:
    """Read and check the texts of a study.

    Args:
        folder: the study's folder.
        protocol: of the same study; texts may contain its values.
        codebook: of the same study; its labels name covariates.

    Raises:
        TextsError: a file is missing or not TOML, a key is unknown, missing or empty, a text has a value in braces that
            the protocol does not have, or a covariate has no word. The message names file and key.
    """
    try:
        found = StudyTexts(
            en=read_settings(folder / FOLDER / "en.toml", EnglishTexts, TextsError),
            nb=read_settings(folder / FOLDER / "nb.toml", NorwegianTexts, TextsError),
        )
    except TextsError as error:
        raise TextsError(f"{FOLDER}/{error}") from error
    names = dict.fromkeys((*protocol.models.age, *protocol.models.adjusted))
    labels = covariate_labels(codebook)
    for language in LANGUAGES:
        known = {*getattr(found, language).covariates, *labels[language]}
        for name in names:
            if name not in known:
                raise TextsError(
                    f"{FOLDER}/{language}.toml: covariates.{name}: missing, and codebook.toml has no label"
                )
        for key, text in _each(getattr(found, language).model_dump()):
            for value in _VALUE.findall(text):
                _check(value, f"{FOLDER}/{language}.toml: {key}", protocol)
    return found


def covariate_labels(codebook: Codebook) -> dict[Language, dict[str, str]]:
    """The printed names of the codebook's covariates by language and column."""
    roles = covariates(codebook)
    return {
        "en": {name: role.label for name, role in roles.items()},
        "nb": {name: role.label_nb for name, role in roles.items()},
    }


def filled(text: str, protocol: Protocol, language: Language) -> str:
    """A text with the values of the protocol in place of their names in braces."""

    def value(found: re.Match[str]) -> str:
        name, _, words = found[1].partition(":")
        value = protocol.value(name)
        return number_in_words(value, language) if words else f"{value:g}"

    return _VALUE.sub(value, text)


def _check(value: str, where: str, protocol: Protocol) -> None:
    name = _NAME.fullmatch(value)
    try:
        found = protocol.value(name[1]) if name else None
    except KeyError:
        found = None
    if not isinstance(found, int | float) or isinstance(found, bool):
        raise TextsError(f"{where}: {{{value}}} is no number of protocol.toml, such as {{days.days_per_recording}}")
    if name and name[2] and not isinstance(found, int):
        raise TextsError(f"{where}: {{{value}}} is no whole number, which alone can be written as a word")


def _each(content: dict[str, Any], start: str = "") -> Iterator[tuple[str, str]]:
    """Every text by its dotted key."""
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _each(value, f"{start}{key}.")
        else:
            yield f"{start}{key}", str(value)
