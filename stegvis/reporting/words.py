"""What a study is called in sentences and tables: its texts with the protocol's values, and the codebook's labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from stegvis.study.protocol import EXPOSURES, Exposure, Protocol
from stegvis.study.texts import CohortTexts, EnglishTexts, Language, OutcomeTexts, StudyTexts, filled

# Rows of Table 1 that every study has; an exposure is named by the protocol.
COMMON = {
    "people": "Participants",
    "valid_days": "Valid accelerometer days",
    "follow_up_years": "Follow-up, years",
}
AND = {"en": "and", "nb": "og"}


@dataclass(frozen=True)
class Words:
    """The texts of a study in one language.

    Attributes:
        texts: of the study, in both languages.
        protocol: its values are filled in, and it names the exposures.
        language: of the sentences.
        labels: printed names of the codebook's covariates by language and column.
    """

    texts: StudyTexts
    protocol: Protocol
    language: Language = "en"
    labels: Mapping[Language, Mapping[str, str]] = field(default_factory=dict)

    @property
    def english(self) -> EnglishTexts:
        """The English texts, which have those of the pages for researchers."""
        return self.texts.en

    @property
    def title(self) -> str:
        """The study's title."""
        return self.protocol.study.title if self.language == "en" else self.texts.nb.title

    @property
    def cohort(self) -> CohortTexts:
        """Who takes part, in this language."""
        return self.texts.en.cohort if self.language == "en" else self.texts.nb.cohort

    @property
    def outcome(self) -> OutcomeTexts:
        """The outcome in this language."""
        return self.texts.en.outcome if self.language == "en" else self.texts.nb.outcome

    @property
    def advice(self) -> str:
        """The study's general advice on daily life; may be empty."""
        return self.texts.en.advice if self.language == "en" else self.texts.nb.advice

    def say(self, text: str) -> str:
        """A text with the protocol's values filled in."""
        return filled(text, self.protocol, self.language)

    def covariates(self, names: Sequence[str]) -> str:
        """Covariates within a sentence: ``age, sex and smoking``."""
        own = self.texts.en.covariates if self.language == "en" else self.texts.nb.covariates
        labels = {name: label[0].lower() + label[1:] for name, label in self._labels().items()}
        return self.listed([own.get(name) or labels.get(name) or name.replace("_", " ") for name in names])

    def listed(self, words: Sequence[str]) -> str:
        """Words as a list within a sentence."""
        return f" {AND[self.language]} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))

    def variable(self, name: str) -> str:
        """The printed name of a variable of Table 1; an unknown one is its identifier as words."""
        for exposure in EXPOSURES:
            if name == exposure:
                return self.exposure(exposure)
        if name == "low_back_pain":
            return f"{capitalized(self.outcome.name)} at follow-up"
        known = {**COMMON, **self._labels(), **self.english.researchers.variables}
        return known.get(name, name.replace("_", " ").capitalize())

    def exposure(self, exposure: Exposure) -> str:
        """An exposure with its unit."""
        scale = self.protocol.exposures.scale(exposure)
        return f"{scale.name}, {scale.unit}"

    def other_exposure(self, exposure: Exposure) -> str:
        """The name of the other exposure of a study of two, within a sentence: ``walking intensity``."""
        (other,) = (each for each in self.protocol.exposures.names if each != exposure)
        return self.protocol.exposures.scale(other).name.lower()

    def _labels(self) -> Mapping[str, str]:
        added = self.protocol.covariates.additional
        return {
            **{name: names[self.language] for name, names in added.items()},
            **self.labels.get(self.language, {}),
        }


def capitalized(text: str) -> str:
    """A text with its first letter as a capital, the others as they are."""
    return text[:1].upper() + text[1:]
