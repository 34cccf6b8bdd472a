"""The plain-language pages: a question per section, the answer first and the method last, in each language."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd
from markupsafe import Markup

from stegvis.reporting.blocks import Section, bullets, paragraph, section
from stegvis.reporting.estimand import estimand
from stegvis.reporting.file_names import INDEX, plain_file_name
from stegvis.reporting.formatting import is_missing
from stegvis.reporting.page import render_sections
from stegvis.reporting.plain_findings import PACE, VOLUME, Findings, findings, unlikely_from
from stegvis.reporting.plain_picture import picture
from stegvis.reporting.rows import comparisons, people_and_cases
from stegvis.reporting.texts import LANGUAGES, texts
from stegvis.reporting.voice import Voice
from stegvis.reporting.words import Words
from stegvis.study.about import About
from stegvis.study.claims import Claims


def render_plain(
    results: pd.DataFrame,
    attrition: pd.DataFrame,
    synthetic: bool,
    words: Words,
    claims: Claims,
    about: About | None,
    characteristics: pd.DataFrame | None = None,
) -> dict[str, str]:
    """The page in each language by file name.

    Args:
        results: rows of all waves and across waves (wave ``all``), after disclosure control.
        attrition: exclusion steps of all waves (wave, step, remaining), after disclosure control.
        synthetic: whether the data are simulated.
        words: the texts of the study and the protocol the results were made under; their language does not matter.
        claims: those of the study.
        about: who runs the study, for the foot of the pages; None if it names nobody.
        characteristics: Table 1 of all waves, after disclosure control, for the years to follow-up; may be absent.
    """
    pages = {}
    for language in LANGUAGES:
        own = replace(words, language=language)
        plain = Plain(findings(results, own, characteristics, unlikely_from(claims)), attrition, synthetic)
        (other,) = (each for each in LANGUAGES if each != language)
        page = texts(language)["page"]
        ways = [(INDEX, page["all_waves"]), (plain_file_name(other), page["other_language"])]
        pages[plain_file_name(language)] = render_sections(
            plain_file_name(language),
            page["title"].format(title=own.title),
            plain.sections(),
            ways,
            synthetic,
            own,
            about,
        )
    return pages


@dataclass(frozen=True)
class Plain:
    """The page in the language of its findings."""

    findings: Findings
    attrition: pd.DataFrame
    synthetic: bool

    @property
    def voice(self) -> Voice:
        """Fills the sentences."""
        return self.findings.voice

    @property
    def words(self) -> Words:
        """Of the study."""
        return self.voice.words

    def sections(self) -> list[Section]:
        """The sections in order; where no comparison is shown, one sentence in place of all that rests on them."""
        found = self.findings
        answers = {
            "found": paragraph(" ".join(found.found())),
            "big": paragraph(" ".join(found.big())) + picture(found, self.synthetic),
            "much": paragraph(" ".join(found.much())),
            "pace": Markup("").join(paragraph(each) for each in _pairs(found.pace())),
            "who": Markup("").join(paragraph(each) for each in found.who()),
            "sure": Markup("").join(paragraph(each) for each in found.sure()),
            "daily": Markup("").join(paragraph(each) for each in found.daily()),
        }
        nothing = {"found": paragraph(self.voice.say("found", "nothing"))}
        content = {
            **(answers if found.has_result() else nothing),
            "cannot": bullets(self.cannot()),
            "done": Markup("").join(paragraph(each) for each in self.done()),
        }
        headings = texts(self.words.language)["headings"]
        return [section(name, headings[name], blocks) for name, blocks in content.items() if blocks]

    def cannot(self) -> list[str]:
        """What the study cannot show."""
        days = self.voice.in_words(self.words.protocol.days.days_per_recording)
        return [self.voice.say("cannot", key, days=days) for key in texts(self.words.language)["cannot"]]

    def done(self) -> list[str]:
        """How the study was done, with the numbers of the wave the page speaks of."""
        wave, sentences = self.findings.wave, []
        if wave:
            steps = self.attrition[self.attrition["wave"].astype(str) == wave].sort_values("step")
            start = None if steps.empty else steps["remaining"].iloc[0]
            if not is_missing(start):
                cohort = self.words.cohort
                who = {"people": cohort.people, "cohort": cohort.name, "measured": self.words.say(cohort.measured)}
                sentences.append(self.voice.say("done", "people", baseline=self.voice.count(start), **who))
            sentences += [
                *self.analyzed(wave),
                estimand(self.findings.results, wave, self.words),
                self.words.say(self.words.outcome.means),
            ]
        names = self.words.covariates(self.words.protocol.models.adjusted)
        sentences.append(f"{self.divided()} {self.voice.say('done', 'compared', names=names)}".strip())
        return sentences

    def analyzed(self, wave: str) -> list[str]:
        """How many people were analyzed, and how many had the outcome."""
        people, cases = people_and_cases(self.findings.own)
        if not people:
            return [self.voice.say("done", "years", wave=wave)]
        counted = {"analyzed": self.voice.count(people), "wave": wave}
        sentences = [self.voice.say("done", "analyzed", **counted)]
        if cases is not None:
            share = self.voice.number(100 * cases / people, 0)
            sentences.append(self.voice.say("done", "cases", cases=self.voice.count(cases), percent=share, **counted))
        return sentences

    def divided(self) -> str:
        """Into how many groups people were divided; empty without results."""
        number, pace = (len(comparisons(self.findings.own, each)) + 1 for each in (VOLUME, PACE))
        if number == 1:
            return ""
        fixed = "_fixed" if self.words.protocol.exposures.fixed else ""
        both = "" if pace == 1 else "_both" if pace == number else "_both_apart"
        numbers = {"number": self.voice.in_words(number), "pace": self.voice.in_words(pace)}
        return self.voice.say("done", f"groups{fixed}{both}", **numbers)


def _pairs(sentences: list[str]) -> list[str]:
    """Sentences as short paragraphs of two."""
    return [" ".join(sentences[place : place + 2]) for place in range(0, len(sentences), 2)]
