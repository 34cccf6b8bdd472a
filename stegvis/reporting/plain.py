"""The plain-language page: the rules that choose each sentence by the numbers and fill them in.

The sentences are in ``texts/``, what the study is called in them is in its own texts. The study is observational: no
sentence says that walking causes anything, and a test searches the texts for causal words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
from markupsafe import Markup

from stegvis.reporting.blocks import Section, bullets, drawing, paragraph, section
from stegvis.reporting.file_names import INDEX, plain_file_name
from stegvis.reporting.formatting import is_missing
from stegvis.reporting.page import render_sections
from stegvis.reporting.plain_figure import hundred_plot
from stegvis.reporting.rows import by_level, chosen, comparisons, headline, highest, people_and_cases
from stegvis.reporting.texts import LANGUAGES, texts
from stegvis.reporting.wording import direction, is_shown
from stegvis.reporting.words import Words
from stegvis.study.claims import Claims
from stegvis.study.numbers_in_words import number_in_words
from stegvis.study.protocol import EXPOSURES, Exposure, Protocol
from stegvis.study.texts import Language

NOMINAL = 0.05
# With so many categories after the reference, the third group is between the middle and the highest.
THIRD = 3
# Where no claim says from which E-value on confounding is unlikely.
UNLIKELY = 1.5
KINDS: dict[Exposure, tuple[str, str]] = {"walking_minutes": ("volume", "minutes"), "walking_met": ("pace", "pace")}


def render_plain(
    results: pd.DataFrame, attrition: pd.DataFrame, synthetic: bool, words: Words, claims: Claims
) -> dict[str, str]:
    """The page in each language by file name; empty when no wave has results.

    Args:
        results: rows of all waves and across waves (wave ``all``), after disclosure control.
        attrition: exclusion steps of all waves (wave, step, remaining), after disclosure control.
        synthetic: whether the data are simulated.
        words: the texts of the study and the protocol the results were made under; their language does not matter.
        claims: those of the study.
    """
    waves = sorted(set(results["wave"].astype(str)) - {"all"})
    pages = {}
    for language in LANGUAGES:
        own = replace(words, language=language)
        plain = Plain(own, results, attrition, waves, synthetic, claims)
        (other,) = (each for each in LANGUAGES if each != language)
        page = texts(language)["page"]
        ways = [(INDEX, page["all_waves"]), (plain_file_name(other), page["other_language"])]
        pages[plain_file_name(language)] = render_sections(
            plain_file_name(language), page["title"].format(title=own.title), plain.sections(), ways, synthetic, own
        )
    return pages


@dataclass(frozen=True)
class Plain:
    """The page in one language."""

    words: Words
    results: pd.DataFrame
    attrition: pd.DataFrame
    waves: list[str]
    synthetic: bool
    claims: Claims

    @property
    def language(self) -> Language:
        """Of the page."""
        return self.words.language

    @property
    def protocol(self) -> Protocol:
        """The protocol the results were made under."""
        return self.words.protocol

    def sections(self) -> list[Section]:
        """The sections in order; where no comparison is shown, one sentence in place of all that rests on them."""
        found = {
            "found": self.found(),
            "who": bullets(self.who()),
            "sure": bullets(self.sure()),
            "daily": Markup("").join(paragraph(each) for each in self.daily()),
        }
        nothing = {"found": paragraph(self.say("waves", "nothing"))}
        content = {
            "done": self.done(),
            **(found if self.has_result() else nothing),
            "cannot": bullets(self.cannot()),
        }
        headings = texts(self.language)["headings"]
        return [section(name, headings[name], blocks) for name, blocks in content.items()]

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
        }
        return texts(self.language)[part][key].format(**named, **values)

    def of(self, wave: str) -> pd.DataFrame:
        """The results of one wave."""
        return self.results[self.results["wave"].astype(str) == wave]

    @property
    def newest(self) -> pd.DataFrame:
        """The results of the newest wave."""
        return self.of(self.waves[-1]) if self.waves else self.results.iloc[:0]

    def has_result(self) -> bool:
        """Whether any main comparison of the newest wave, or of all together, is shown."""
        exposures: tuple[Exposure, ...] = tuple(KINDS)
        pooled = [highest(self.of("all"), exposure, analysis="pooled") for exposure in exposures]
        newest = [row for exposure in exposures for row in comparisons(self.newest, exposure)]
        return any(is_shown(row) for row in (*newest, *pooled) if row is not None)

    def done(self) -> Markup:
        """How the study was done, with the newest wave's numbers."""
        sentences = []
        if self.waves:
            wave = self.waves[-1]
            steps = self.attrition[self.attrition["wave"].astype(str) == wave].sort_values("step")
            start = None if steps.empty else steps["remaining"].iloc[0]
            if not is_missing(start):
                cohort = self.words.cohort
                who = {"people": cohort.people, "cohort": cohort.name, "measured": self.words.say(cohort.measured)}
                sentences.append(self.say("done", "people", baseline=self.count(start), **who))
            people, cases = people_and_cases(self.newest)
            if people:
                sentences.append(self.say("done", "analyzed", analyzed=self.count(people), wave=wave))
            else:
                sentences.append(self.say("done", "years", wave=wave))
            sentences.append(self.words.say(self.words.outcome.means))
            if people and cases is not None:
                share = self.number(100 * cases / people, 0)
                values = {"cases": self.count(cases), "analyzed": self.count(people), "percent": share}
                sentences.append(self.say("done", "cases", wave=wave, **values))
        names = self.words.covariates(self.protocol.models.adjusted)
        sentences.append(f"{self.divided()} {self.say('done', 'compared', names=names)}".strip())
        return Markup("").join(paragraph(each) for each in sentences)

    def divided(self) -> str:
        """Into how many groups people were divided; empty without results."""
        number, pace = (len(comparisons(self.newest, each)) + 1 for each in EXPOSURES)
        if number == 1:
            return ""
        fixed = "_fixed" if self.protocol.exposures.fixed else ""
        both = "" if pace == 1 else "_both" if pace == number else "_both_apart"
        numbers = {"number": number, "pace": pace}
        words = {name: number_in_words(value, self.language) for name, value in numbers.items()}
        return self.say("done", f"groups{fixed}{both}", **words)

    def found(self) -> Markup:
        """The comparisons of the newest wave, then each wave and all waves together."""
        volume = [self.comparison(row, "walking_minutes") for row in comparisons(self.newest, "walking_minutes")]
        pace = [self.comparison(row, "walking_met") for row in comparisons(self.newest, "walking_met")]
        mets = self.protocol.exposures.mets
        blocks = [bullets(volume), paragraph(self.hundred()), self.figure()]
        if pace and mets is not None:
            met = self.say("groups", "met", slow=self.number(mets[0], 1), brisk=self.number(mets[-1], 1))
            blocks += [paragraph(met), bullets(pace)]
        if len(self.waves) > 1:
            blocks += [paragraph(self.say("waves", "heading")), bullets(self.years()), paragraph(self.between_years())]
        return Markup("").join(blocks)

    def comparison(self, row: Mapping[str, Any], exposure: Exposure) -> str:
        """The sentence that the interval of one comparison supports."""
        part, _ = KINDS[exposure]
        found = direction(row)
        groups = {"group": self.group(row["level"], exposure), "others": self.group(row["reference"], exposure)}
        if found not in ("lower", "higher"):
            return self.say(part, found.replace(" ", "_"), **groups)
        percents = sorted(abs(100 * (float(row[name]) - 1)) for name in ("ci_low", "ci_high"))
        percent = self.number(abs(100 * (float(row["estimate"]) - 1)), 0)
        least, most = (self.percent(each) for each in percents)
        return self.say(part, found, percent=percent, least=least, most=most, **groups)

    def group(self, level: Any, exposure: Exposure) -> str:
        """A category as words in a sentence."""
        _, kind = KINDS[exposure]
        text = str(level)
        point = texts(self.language)["numbers"]["decimal"]
        between = re.fullmatch(r"([\d.]+)-([\d.]+)", text)
        if text.startswith(">="):
            return self.say("groups", f"{kind}_above", low=text[2:].replace(".", point))
        if text.startswith("<"):
            return self.say("groups", f"{kind}_below", high=text[1:].replace(".", point))
        if between:
            low, high = (each.replace(".", point) for each in between.groups())
            return self.say("groups", f"{kind}_between", low=low, high=high)
        return self.say("groups", f"{kind}_other", level=text)

    def risks(self) -> list[dict[str, Any]]:
        """The newest wave's standardized risks by category of volume; empty unless all are published."""
        rows = chosen(
            self.newest, analysis="standardized_risk", exposure="walking_minutes", model="adjusted", measure="risk"
        )
        lowest_first = sorted(by_level(rows), key=lambda row: str(row["level"])[:1] != "<")
        return lowest_first if rows and all(is_shown(row) for row in rows) else []

    def hundred(self) -> str:
        """The risks of the lowest and the highest category as numbers of 100 people."""
        rows = self.risks()
        if len(rows) < 2:
            return ""
        low, high = rows[0], rows[-1]
        return self.say(
            "hundred",
            "sentence",
            others=self.group(low["level"], "walking_minutes"),
            group=self.group(high["level"], "walking_minutes"),
            risk_others=self.number(100 * low["estimate"], 0),
            risk_group=self.number(100 * high["estimate"], 0),
        )

    def figure(self) -> Markup:
        """The risks of all categories as a figure."""
        rows = self.risks()
        parts = [
            self.say(
                "hundred",
                "figure_part",
                group=self.group(row["level"], "walking_minutes"),
                **{
                    key: self.number(100 * row[name], 0)
                    for key, name in (("risk", "estimate"), ("low", "ci_low"), ("high", "ci_high"))
                },
            )
            for row in rows
        ]
        label = texts(self.language)["page"]["synthetic_mark"] if self.synthetic else ""
        words = {key: self.say("hundred", key) for key in ("figure_title", "figure_axis", "figure_groups", "caption")}
        return drawing(hundred_plot(rows, words, label, "; ".join(parts)), words["caption"])

    def years(self) -> list[str]:
        """The highest against the lowest volume, wave by wave and pooled."""
        sentences = []
        for wave in self.waves:
            row = headline(self.of(wave), "walking_minutes")
            if row is not None:
                sentences.append(self.say("waves", "one", wave=wave, sentence=self.comparison(row, "walking_minutes")))
        pooled = highest(self.of("all"), "walking_minutes", analysis="pooled")
        if pooled is not None:
            sentences.append(self.say("waves", "all", sentence=self.comparison(pooled, "walking_minutes")))
        return sentences

    def between_years(self) -> str:
        """Whether the waves differ."""
        rows = chosen(
            self.of("all"),
            analysis="wave_interaction",
            exposure="walking_minutes",
            model="adjusted",
            measure="p_interaction",
        )
        if not rows or rows[0]["status"] != "ok" or is_missing(rows[0]["p_value"]):
            return self.say("waves", "differ_unknown")
        return self.say("waves", "differ" if rows[0]["p_value"] < NOMINAL else "alike")

    def who(self) -> list[str]:
        """Age and sex, by the ratio of the risk ratios of the highest volume; nothing of one that was not compared."""
        sentences = []
        for modifier, name in (("older", "age"), ("sex", "sex")):
            term = f"walking_minutes_category x {modifier}"
            row = highest_of(chosen(self.newest, analysis="interaction", term=term, measure="ratio_of_rr"))
            if row is None:
                continue
            key = direction(row).replace(" ", "_")
            sentences.append(self.say("who", f"{name}_{key}", age=str(self.protocol.covariates.older_from_age)))
        return sentences

    def sure(self) -> list[str]:
        """Random error, unmeasured confounding and loss to follow-up."""
        return [self.say("sure", "chance"), self.hidden(), self.loss()]

    def hidden(self) -> str:
        """How strong unmeasured confounding would have to be, by the E-values of the highest volume."""
        row = headline(self.newest, "walking_minutes")
        if row is None or not is_shown(row) or is_missing(row["e_value"]) or is_missing(row["e_value_ci"]):
            return self.say("sure", "hidden_unknown")
        limit = float(row["e_value_ci"])
        if limit <= 1:
            return self.say("sure", "hidden_none")
        if limit >= unlikely_from(self.claims):
            return self.say("sure", "hidden_strong", strength=self.number(row["e_value"], 1))
        return self.say("sure", "hidden_weak", strength=self.number(limit, 1))

    def loss(self) -> str:
        """How different participants lost to follow-up would have to be, by the tipping point of the highest volume."""
        row = headline(self.newest, "walking_minutes")
        if row is None or direction(row) != "lower":
            return self.say("sure", "loss_unknown")
        found = chosen(
            self.newest,
            analysis="tipping_point",
            exposure="walking_minutes",
            level=row["level"],
            measure="tipping_point",
        )
        if not found or found[0]["status"] != "ok":
            return self.say("sure", "loss_unknown")
        return self.say("sure", "loss", times=self.number(found[0]["estimate"], 1))

    def daily(self) -> list[str]:
        """What the main comparison allows to be said about daily life."""
        row = headline(self.newest, "walking_minutes")
        sentences = [self.say("daily", "too_few" if row is None else direction(row).replace(" ", "_"))]
        rows = comparisons(self.newest, "walking_minutes")
        if len(rows) == THIRD:
            third = re.match(r"(\d+)-", str(rows[1]["level"]))
            lowest = re.fullmatch(r"<(\d+)", str(rows[1]["reference"]))
            if third and lowest:
                sentences.append(self.say("daily", "minutes", minutes=str(int(third[1]) - int(lowest[1]))))
        return sentences

    def cannot(self) -> list[str]:
        """What the study cannot show."""
        days = number_in_words(self.protocol.days.days_per_recording, self.language)
        return [self.say("cannot", key, days=days) for key in texts(self.language)["cannot"]]

    def count(self, value: Any) -> str:
        """A count in the language's form."""
        return f"{int(value):,}".replace(",", texts(self.language)["numbers"]["thousands"])

    def number(self, value: Any, decimals: int) -> str:
        """A number in the language's form."""
        return f"{float(value):.{decimals}f}".replace(".", texts(self.language)["numbers"]["decimal"])

    def percent(self, value: float) -> str:
        """A percentage; with one decimal below 1."""
        return self.number(value, 1 if value < 1 else 0)


def highest_of(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The row of the highest category; None without one."""
    ordered = by_level(rows)
    return ordered[-1] if len(ordered) > 1 else None


def unlikely_from(claims: Claims) -> float:
    """The E-value of a limit from which a claim of the study calls confounding unlikely, else ``UNLIKELY``."""
    limits = [each.at_least for each in claims.claim if each.rule == "e_value" and each.at_least is not None]
    return min(limits, default=UNLIKELY)
