"""What the plain pages found: the rows of a release they speak of, and the rules that choose each sentence by them.

The sentences are in ``texts/``. The study is observational: none says that walking causes anything, and a test searches
the texts for causal words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from stegvis.reporting.formatting import is_missing
from stegvis.reporting.rows import by_level, chosen, comparisons, headline, highest
from stegvis.reporting.shape import NOMINAL, shape
from stegvis.reporting.voice import Voice, whole
from stegvis.reporting.wording import direction, is_shown
from stegvis.reporting.words import Words
from stegvis.study.claims import Claims
from stegvis.study.protocol import EXPOSURES, Exposure

VOLUME, PACE = EXPOSURES
# Where no claim says from which E-value on confounding is unlikely.
UNLIKELY = 1.5


@dataclass(frozen=True)
class Findings:
    """The sentences about the results, as lists of texts.

    Attributes:
        voice: fills them.
        results: rows of all waves and across waves (wave ``all``), after disclosure control.
        waves: with results, oldest first.
        unlikely: the E-value of a limit from which confounding is unlikely.
    """

    voice: Voice
    results: pd.DataFrame
    waves: Sequence[str]
    unlikely: float = UNLIKELY

    def of(self, wave: str) -> pd.DataFrame:
        """The results of one wave."""
        return self.results[self.results["wave"].astype(str) == wave]

    @cached_property
    def wave(self) -> str:
        """The wave the pages speak of: the newest whose main comparison is shown, else the newest; empty without."""
        shown = [wave for wave in self.waves if (row := headline(self.of(wave), VOLUME)) and is_shown(row)]
        return next(reversed(shown or list(self.waves)), "")

    @cached_property
    def own(self) -> pd.DataFrame:
        """The results of that wave."""
        return self.of(self.wave) if self.wave else self.results.iloc[:0]

    def has_result(self) -> bool:
        """Whether any main comparison of the wave, or of all together, is shown."""
        pooled = [highest(self.of("all"), exposure, analysis="pooled") for exposure in EXPOSURES]
        own = [row for exposure in EXPOSURES for row in comparisons(self.own, exposure)]
        return any(is_shown(row) for row in (*own, *pooled) if row is not None)

    def found(self) -> list[str]:
        """The highest volume against the lowest, and the groups in between."""
        rows = comparisons(self.own, VOLUME)
        if not rows:
            return []
        key = direction(rows[-1])
        between = [direction(row) == key for row in rows[:-1]]
        sentences = [self.compared("found", rows[-1], VOLUME)]
        if between and key in ("lower", "higher"):
            among = "all" if all(between) else "some" if any(between) else "none"
            sentences.append(self.voice.say("found", f"between_{among}"))
        return sentences

    def compared(self, part: str, row: Mapping[str, Any], exposure: Exposure) -> str:
        """The sentence that the interval of one comparison supports."""
        groups = {
            name: self.voice.group(row[key], exposure) for name, key in (("group", "level"), ("others", "reference"))
        }
        return self.voice.say(part, _key(row), **groups)

    def risks(self) -> list[dict[str, Any]]:
        """The wave's standardized risks by category of volume, lowest first; empty unless all are published."""
        rows = chosen(self.own, analysis="standardized_risk", exposure=VOLUME, model="adjusted", measure="risk")
        lowest_first = sorted(by_level(rows), key=lambda row: str(row["level"])[:1] != "<")
        return lowest_first if len(rows) > 1 and all(is_shown(row) for row in rows) else []

    def ends(self) -> list[tuple[str, int]]:
        """The lowest and the highest category as words, with how many of 100 people have the outcome."""
        rows = self.risks()
        return [
            (self.voice.group(row["level"], VOLUME), round(100 * row["estimate"])) for row in (*rows[:1], *rows[-1:])
        ]

    def big(self) -> list[str]:
        """The difference in people of 100, and as a share."""
        sentences, row = [], headline(self.own, VOLUME)
        if self.ends():
            (others, least), (group, most) = self.ends()
            values = {"others": others, "group": group, "risk_others": str(least), "risk_group": str(most)}
            sentences.append(self.voice.say("big", "same" if least == most else "hundred", **values))
        if row is not None and is_shown(row):
            clear = direction(row) in ("lower", "higher")
            sentences.append(
                self.voice.say("big", "share", change=self.voice.change(row))
                if clear
                else self.voice.say("big", "chance")
            )
            sentences += [self.voice.say("big", "limits")] if clear else []
        return sentences

    def much(self) -> list[str]:
        """The shape of the curve, and the lowest group with a clearly lower risk."""
        sentences, rows = (
            [self._shape("much", VOLUME) or self.voice.say("much", "too_few")],
            comparisons(self.own, VOLUME),
        )
        if len(rows) > 1 and direction(rows[0]) == "lower":
            percent = self.voice.number(100 * (1 - float(rows[0]["estimate"])), 0)
            group = self.voice.group(rows[0]["level"], VOLUME)
            sentences.append(self.voice.say("much", "first_lower", group=group, percent=percent))
        return sentences

    def pace(self) -> list[str]:
        """The fastest against the slowest, the shape, then volume and pace together; empty without pace."""
        rows, mets = comparisons(self.own, PACE), self.voice.words.protocol.exposures.mets
        if not rows or mets is None:
            return []
        slow, brisk = (self.voice.number(met, 1) for met in (mets[0], mets[-1]))
        middle = any(direction(row) == "lower" for row in rows[:-1]) and direction(rows[-1]) == "unclear"
        sentences = [
            self.compared("pace", rows[-1], PACE),
            self._pooled_pace(direction(rows[-1])),
            self.voice.say("pace", "between_lower") if middle else "",
            self.voice.say("pace", "met", slow=slow, brisk=brisk),
            self._shape("pace", PACE, only=("levels", "rises_again")),
            self.together(),
        ]
        return [each for each in sentences if each]

    def _pooled_pace(self, own: str) -> str:
        """What all waves together say of pace, where the wave alone says something else; else empty."""
        row = highest(self.of("all"), PACE, analysis="pooled") if len(self.waves) > 1 else None
        found = own if row is None else direction(row)
        return self.voice.say("pace", f"pooled_{found}") if found in ("lower", "higher") and found != own else ""

    def _shape(self, part: str, exposure: Exposure, only: Sequence[str] = ()) -> str:
        found = shape(self.own, exposure)
        if found is None or (only and found.kind not in only):
            return ""
        turn = {} if found.turn is None else {"turn": self.voice.number(found.turn, found.decimals)}
        return self.voice.say(part, found.kind, **turn)

    def together(self) -> str:
        """Each exposure with the other taken into account, and pace among those who walk most; empty if not shown."""
        rows = [highest(self.own, exposure, analysis="mutual") for exposure in (VOLUME, PACE)]
        found = [direction(row) for row in rows if row is not None]
        if len(found) < 2 or not set(found) <= {"lower", "unclear"}:
            return ""
        keys = {(True, True): "both", (True, False): "volume", (False, True): "intensity", (False, False): "neither"}
        key = keys[(found[0] == "lower", found[1] == "lower")]
        return f"{self.voice.say('pace', key)} {self.most() if key in ('both', 'intensity') else ''}".strip()

    def most(self) -> str:
        """Pace among the people of the highest volume; empty if not shown."""
        row = headline(self.own, VOLUME)
        population = f"{VOLUME} {row['level']}" if row is not None else ""
        within = highest(self.own, PACE, analysis="within_volume", population=population)
        key = "" if within is None else direction(within)
        if row is None or key not in ("lower", "unclear"):
            return ""
        return self.voice.say("pace", f"most_{key}", group=self.voice.group(row["level"], VOLUME))

    def who(self) -> list[str]:
        """Age and sex, by the ratio of the risk ratios of the highest volume; nothing of one that was not compared."""
        older = self.voice.words.protocol.covariates.older_from_age
        groups = {"older": ("age", f"age>={older}", f"age<{older}"), "sex": ("sex", "women", "men")}
        sentences = []
        for modifier, (name, first, second) in groups.items():
            term = f"{VOLUME}_category x {modifier}"
            rows = by_level(chosen(self.own, analysis="interaction", term=term, measure="ratio_of_rr"))
            if len(rows) < 2:
                continue
            strata = [highest(self.own, VOLUME, analysis="stratified", population=each) for each in (first, second)]
            shown = [self.voice.change(row) for row in strata if row is not None and is_shown(row)]
            said = [self.voice.say("who", f"{name}_{_key(rows[-1])}", age=str(older))]
            if len(shown) == 2:
                numbers = {"first": shown[0], "second": shown[1], "age": str(older)}
                said.insert(0, self.voice.say("who", f"{name}_numbers", **numbers))
            sentences.append(" ".join(said))
        return sentences

    def sure(self) -> list[str]:
        """Random error, further waves, unmeasured confounding and loss to follow-up."""
        row = headline(self.own, VOLUME)
        error = ""
        if row is not None and is_shown(row):
            group = self.voice.group(row["level"], VOLUME)
            error = self.voice.say("sure", _key(row), group=group, **self.voice.limits(row))
        return [each for each in (error, self.repeated(), self.hidden(), self.loss()) if each]

    def repeated(self) -> str:
        """In how many waves the risk was clearly lower, all together, and whether they differ; empty for one wave."""
        if len(self.waves) < 2:
            return ""
        rows = [headline(self.of(wave), VOLUME) for wave in self.waves]
        clear = sum(row is not None and direction(row) == "lower" for row in rows)
        key = "every" if clear == len(rows) else "some" if clear else "none"
        numbers = {"number": self.voice.in_words(len(rows)), "clear": self.voice.in_words(clear)}
        sentences = [self.voice.say("sure", f"waves_{key}", **numbers)]
        pooled = highest(self.of("all"), VOLUME, analysis="pooled")
        if pooled is not None and is_shown(pooled):
            clearly = direction(pooled) in ("lower", "higher")
            values = {"change": self.voice.change(pooled), **self.voice.limits(pooled)}
            sentences.append(self.voice.say("sure", "waves_pooled" if clearly else "waves_pooled_unclear", **values))
        return " ".join([*sentences, self.between_years()])

    def between_years(self) -> str:
        """Whether the waves differ."""
        wanted = {"analysis": "wave_interaction", "exposure": VOLUME, "model": "adjusted", "measure": "p_interaction"}
        rows = chosen(self.of("all"), **wanted)
        if not rows or rows[0]["status"] != "ok" or is_missing(rows[0]["p_value"]):
            return self.voice.say("sure", "differ_unknown")
        return self.voice.say("sure", "differ" if rows[0]["p_value"] < NOMINAL else "alike")

    def hidden(self) -> str:
        """How strong unmeasured confounding would have to be, by the E-values of the highest volume."""
        row = headline(self.own, VOLUME)
        if row is None or not is_shown(row) or is_missing(row["e_value"]) or is_missing(row["e_value_ci"]):
            return self.voice.say("sure", "hidden_unknown")
        limit = float(row["e_value_ci"])
        if limit <= 1:
            return self.voice.say("sure", "hidden_none")
        if limit >= self.unlikely:
            return self.voice.say("sure", "hidden_strong", strength=self.voice.number(row["e_value"], 1))
        return self.voice.say("sure", "hidden_weak", strength=self.voice.number(limit, 1))

    def loss(self) -> str:
        """How different participants lost to follow-up would have to be, by the tipping point of the highest volume."""
        row = headline(self.own, VOLUME)
        if row is None or direction(row) != "lower":
            return self.voice.say("sure", "loss_unknown")
        wanted = {"analysis": "tipping_point", "exposure": VOLUME, "measure": "tipping_point"}
        found = chosen(self.own, level=row["level"], **wanted)
        if not found or found[0]["status"] != "ok":
            return self.voice.say("sure", "loss_unknown")
        return self.voice.say("sure", "loss", times=self.voice.number(found[0]["estimate"], 1))

    def daily(self) -> list[str]:
        """What the main comparison allows to be said about daily life; the study's advice only beside a lower risk."""
        row = headline(self.own, VOLUME)
        key = "too_few" if row is None else _key(row)
        advice = self.voice.words.advice
        said = [self.voice.say("daily", "minutes"), self.voice.say("daily", key)]
        if key == "lower" and advice:
            said.append(self.voice.say("daily", "advice", advice=advice))
        return said


def findings(
    results: pd.DataFrame,
    words: Words,
    characteristics: pd.DataFrame | None = None,
    unlikely: float = UNLIKELY,
) -> Findings:
    """The findings of a release, in the language of the words; arguments as in ``render_plain`` and ``Findings``."""
    waves = sorted(set(results["wave"].astype(str)) - {"all"})
    found = Findings(Voice(words), results, waves, unlikely)
    return replace(found, voice=Voice(words, follow_up_years(characteristics, found.wave)))


def follow_up_years(characteristics: pd.DataFrame | None, wave: str) -> int | None:
    """The mean time to a wave's follow-up in whole years; None where Table 1 does not have it."""
    if characteristics is None:
        return None
    named = {"wave": wave, "variable": "follow_up_years", "category": "all"}
    for column, value in named.items():
        characteristics = characteristics[characteristics[column].astype(str) == value]
    return None if characteristics.empty else whole(characteristics["mean"].iloc[0])


def _key(row: Mapping[str, Any]) -> str:
    return direction(row).replace(" ", "_")


def unlikely_from(claims: Claims) -> float:
    """The E-value of a limit from which a claim of the study calls confounding unlikely, else ``UNLIKELY``."""
    limits = [each.at_least for each in claims.claim if each.rule == "e_value" and each.at_least is not None]
    return min(limits, default=UNLIKELY)
