"""The first screen of a release: the answer in a sentence, a picture, how sure it is, and as of when."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from stegvis.reporting.blocks import Section, beside, definitions, lead, link, note, paragraph, section
from stegvis.reporting.changes import new_waves
from stegvis.reporting.estimand import estimand
from stegvis.reporting.file_names import CARD, CARD_PICTURE, plain_file_name
from stegvis.reporting.formatting import count, is_missing
from stegvis.reporting.inputs import IndexReport
from stegvis.reporting.plain_findings import Findings, findings
from stegvis.reporting.plain_picture import picture
from stegvis.reporting.rows import people_and_cases
from stegvis.reporting.words import capitalized

OBSERVATIONAL = "Other differences between the groups may explain part of it, or all."
NO_WAVE = "No wave has been analyzed yet."


def answer(index: IndexReport) -> Section:
    """One sentence, one picture, and what a reader needs to interpret them; without results, that there are none."""
    found = findings(index.results, index.words, index.characteristics)
    if not found.has_result():
        return section(
            "answer", "The answer", paragraph(found.voice.say("found", "nothing") if index.waves else NO_WAVE)
        )
    return section(
        "answer",
        "The answer",
        lead(found.found()[0] if found.found() else found.voice.say("found", "nothing")),
        paragraph(" ".join(found.big()[:1])),
        beside(picture(found, index.synthetic), definitions(_facts(index, found))),
        note(_ways(index)),
        short="Answer",
    )


def answer_in_short(index: IndexReport) -> str:
    """One sentence, for a program that shows a link to the page with its card; empty without results."""
    found = findings(index.results, index.words, index.characteristics)
    said = found.found() if found.has_result() else []
    return said[0] if said else ""


def _facts(index: IndexReport, found: Findings) -> Iterator[tuple[str, str]]:
    yield "How sure?", f"{' '.join(found.sure()[:1])} {OBSERVATIONAL}".strip()
    yield "How much?", found.much()[0]
    yield "Pace", found.together()
    yield "About whom", estimand(index.results, found.wave, index.words)
    yield "As of", f"{_followed(index)}. Release of {index.provenance['created']}."
    yield "Next wave", index.about.next_wave
    yield "Since the last release", _since(index)


def _followed(index: IndexReport) -> str:
    """How many people were followed to the newest wave, or only its name."""
    wave = index.waves[-1]
    people, _ = people_and_cases(index.of_wave(wave))
    return f"{count(people)} {index.texts.en.cohort.people} followed to {wave}" if people else f"Follow-up to {wave}"


def _since(index: IndexReport) -> str:
    previous = index.provenance.get("previous_release")
    if is_missing(previous) or not previous:
        return "This is the first release."
    new = new_waves(index.bridge)
    changed = sum(each["analysis"] == "main" and str(each["wave"]) not in new for each in index.bridge)
    added = f"{index.words.listed([f'wave {wave}' for wave in new])} added; " if new else ""
    main = (
        "no main result changed" if not changed else f"{changed} main {'result' if changed == 1 else 'results'} changed"
    )
    return f"{capitalized(added + main)}."


def _ways(index: IndexReport) -> Markup:
    ways = (
        link(plain_file_name("en"), "In plain language"),
        link(plain_file_name("nb"), "På norsk"),
        link("#waves", "For researchers"),
        Markup("Share this: {} or {}").format(link(CARD_PICTURE, "card as PNG"), link(CARD, "SVG")),
    )
    return Markup(" · ").join(ways) if index.waves else Markup("")
