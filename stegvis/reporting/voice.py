"""How the plain pages put words and numbers into their sentences, in one language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stegvis.reporting.formatting import is_missing
from stegvis.reporting.texts import texts
from stegvis.reporting.words import Words
from stegvis.study.numbers_in_words import number_in_words
from stegvis.study.protocol import Exposure

# The part of the texts with the words for a category of each exposure.
GROUPS: dict[Exposure, str] = {"walking_minutes": "minutes", "walking_met": "mets"}


@dataclass(frozen=True)
class Voice:
    """Fills sentences of the texts.

    Attributes:
        words: of the study, in the language of the sentences.
        years: mean time to follow-up, rounded to a year; None where it is not published.
    """

    words: Words
    years: int | None = None

    def say(self, part: str, key: str, **values: str) -> str:
        """A sentence filled with its values and with what the outcome is called."""
        said = self.words.outcome
        named = {
            "outcome": said.name,
            "short": said.short,
            "pain": said.shortest,
            "less_common": said.less_common,
            "more_common": said.more_common,
            "either": said.either,
            "between": self.words.say(said.between),
            "asked": self.words.say(said.asked),
            "later": self.later(),
        }
        return texts(self.words.language)[part][key].format(**{**named, **values})

    def later(self) -> str:
        """When the outcome was asked about: ``about four years later``."""
        spoken = texts(self.words.language)["later"]
        return spoken["years"].format(years=self.in_words(self.years)) if self.years else spoken["unknown"]

    def group(self, level: Any, exposure: Exposure) -> str:
        """A category as words in a sentence."""
        text, kind = str(level), GROUPS[exposure]
        point = texts(self.words.language)["numbers"]["decimal"]
        between = re.fullmatch(r"([\d.]+)-([\d.]+)", text)
        if text.startswith(">="):
            return self.say("groups", f"{kind}_above", low=text[2:].replace(".", point))
        if text.startswith("<"):
            return self.say("groups", f"{kind}_below", high=text[1:].replace(".", point))
        if between:
            low, high = (each.replace(".", point) for each in between.groups())
            return self.say("groups", f"{kind}_between", low=low, high=high)
        return self.say("groups", f"{kind}_other", level=text)

    def change(self, row: Mapping[str, Any]) -> str:
        """An estimated ratio as words: ``23% lower``, ``5% higher``, ``the same``."""
        estimate = float(row["estimate"])
        percent = self.number(abs(100 * (estimate - 1)), 0)
        key = "same" if percent == "0" else "lower" if estimate < 1 else "higher"
        return self.say("change", key, percent=percent)

    def limits(self, row: Mapping[str, Any]) -> dict[str, str]:
        """The limits of a ratio's interval as percentages away from 1, the smaller first."""
        least, most = sorted(abs(100 * (float(row[name]) - 1)) for name in ("ci_low", "ci_high"))
        return {"least": self.percent(least), "most": self.percent(most)}

    def in_words(self, number: int) -> str:
        """A small number as a word."""
        return number_in_words(number, self.words.language)

    def count(self, value: Any) -> str:
        """A count in the language's form."""
        return f"{int(value):,}".replace(",", texts(self.words.language)["numbers"]["thousands"])

    def number(self, value: Any, decimals: int) -> str:
        """A number in the language's form."""
        return f"{float(value):.{decimals}f}".replace(".", texts(self.words.language)["numbers"]["decimal"])

    def percent(self, value: float) -> str:
        """A percentage; with one decimal below 1."""
        return self.number(value, 1 if value < 1 else 0)


def whole(value: Any) -> int | None:
    """A number rounded to a whole one of at least 1; None without it."""
    return None if is_missing(value) or round(float(value)) < 1 else round(float(value))
