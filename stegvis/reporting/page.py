"""The pages: three per wave and an index over all waves, each a single self-contained HTML document.

Which sections a page has is decided here; what a section says is in its own module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from markupsafe import Markup

from stegvis.reporting.about import protocol_differences, study_foot
from stegvis.reporting.absolute import absolute
from stegvis.reporting.across import across
from stegvis.reporting.answer import answer, answer_in_short
from stegvis.reporting.blocks import Section
from stegvis.reporting.certainty import certainty
from stegvis.reporting.changes import changes
from stegvis.reporting.claims_section import claims_by_release, claims_of_wave
from stegvis.reporting.counterparts import counterparts
from stegvis.reporting.curves import curves
from stegvis.reporting.file_names import (
    CARD_PICTURE,
    CHECKLISTS,
    DICTIONARY,
    EXPLORER,
    INDEX,
    details_file_name,
    methods_file_name,
    plain_file_name,
    wave_file_name,
)
from stegvis.reporting.fit import fit
from stegvis.reporting.follow_up_loss import follow_up_loss
from stegvis.reporting.glossary import glossary
from stegvis.reporting.included import outcome, population, table_one
from stegvis.reporting.inputs import IndexReport, WaveReport
from stegvis.reporting.joint import joint
from stegvis.reporting.main_results import main_results
from stegvis.reporting.markup import environment, figure_script, script_hash, style_sheet
from stegvis.reporting.measurement import measurement
from stegvis.reporting.methods import commands, methods, provenance
from stegvis.reporting.overview import checks_failed, left_out, origin, waves_overview
from stegvis.reporting.quality import quality
from stegvis.reporting.question import question
from stegvis.reporting.robustness import sensitivity
from stegvis.reporting.subgroups import mutual, strata
from stegvis.reporting.texts import texts
from stegvis.reporting.time_use import time_use
from stegvis.reporting.wave_curves import wave_curves
from stegvis.reporting.words import Words
from stegvis.study.about import About
from stegvis.study.protocol import Protocol

NO_FOOT = Markup()
SectionOf = Callable[[WaveReport], Section | None]

MAIN: tuple[SectionOf, ...] = (
    question, counterparts, population, table_one, outcome, main_results, curves, joint, certainty, claims_of_wave,
)  # fmt: skip
DETAILS: tuple[SectionOf, ...] = (mutual, strata, sensitivity, follow_up_loss, absolute, measurement, fit, time_use)
METHODS: tuple[SectionOf, ...] = (quality, methods, commands, glossary, provenance)
INDEX_SECTIONS: tuple[Callable[[IndexReport], Section | None], ...] = (
    answer, wave_curves, waves_overview, across, claims_by_release, changes, left_out, protocol_differences,
    checks_failed, origin,
)  # fmt: skip


def render_wave(inputs: WaveReport) -> dict[str, str]:
    """The pages of one wave by file name, the main page first: complete HTML, no external resources.

    Equal inputs give equal text. A section without input says so; one that the study cannot have is absent.
    """
    title = f"{inputs.protocol.study.title}: wave {inputs.wave}"
    pages = {
        wave_file_name(inputs.wave): ("Main results", title, MAIN),
        details_file_name(inputs.wave): ("Further analyses", f"{title}, further analyses", DETAILS),
        methods_file_name(inputs.wave): ("Quality and methods", f"{title}, data quality and methods", METHODS),
    }
    ways = [(INDEX, "All waves"), *((file, name) for file, (name, _, _) in pages.items())]
    ways.append((plain_file_name("en"), "In plain language"))
    return {
        file: _page(
            file,
            heading,
            [found for made in sections if (found := made(inputs))],
            ways,
            inputs.synthetic,
            inputs.words.title,
            foot=study_foot(inputs.about, inputs.words),
        )
        for file, (_, heading, sections) in pages.items()
    }


def render_index(inputs: IndexReport) -> str:
    """The page over all waves, linking to each wave's pages; a complete HTML document like a wave's."""
    ways = [(wave_file_name(wave), f"Wave {wave}") for wave in inputs.waves]
    ways += [(plain_file_name("en"), "In plain language"), (plain_file_name("nb"), "På norsk, enkelt fortalt")]
    ways += [(EXPLORER, "All estimates"), (CHECKLISTS, "Reporting checklists"), (DICTIONARY, "What each column means")]
    sections = [found for made in INDEX_SECTIONS if (found := made(inputs))]
    release = f" Release {inputs.provenance['release']}, {inputs.provenance['created']}."
    foot = study_foot(inputs.about, inputs.words)
    return _page(
        INDEX,
        inputs.words.title,
        sections,
        ways,
        inputs.synthetic,
        inputs.words.title,
        release,
        foot=foot,
        shared=answer_in_short(inputs),
    )


def render_sections(
    file: str,
    heading: str,
    sections: Sequence[Section],
    ways: Sequence[tuple[str, str]],
    synthetic: bool,
    study: Words | Protocol,
    about: About | None = None,
    script: Markup | None = None,
) -> str:
    """A page of other sections in the same layout.

    Args:
        file: its own file name.
        heading: its title.
        sections: its content.
        ways: file and name of the pages it links to.
        synthetic: whether the data are simulated.
        study: names the study, and the language of the page; a page of a protocol is in English.
        about: who runs it, for the foot of the page; may be absent.
        script: runs in the page, and no other does; a page of curves without one gets that of the figures.
    """
    if isinstance(study, Words):
        foot = study_foot(about, study)
        title, language = study.title, study.language
        return _page(file, heading, sections, ways, synthetic, title, language=language, foot=foot, script=script)
    return _page(file, heading, sections, ways, synthetic, study.study.title)


def _page(
    file: str,
    heading: str,
    sections: Sequence[Section],
    ways: Sequence[tuple[str, str]],
    synthetic: bool,
    title: str,
    release: str = "",
    language: str = "en",
    foot: Markup = NO_FOOT,
    script: Markup | None = None,
    shared: str = "",
) -> str:
    words = texts(language)["page"]
    if script is None and any("data-range=" in block for section in sections for block in section.blocks):
        script = figure_script()
    footer = f"{title}. {words['synthetic_mark']}." if synthetic else f"{title}."
    values: Mapping[str, object] = {
        "language": language,
        "style": style_sheet(),
        "heading": heading,
        "sections": sections,
        "ways": ways,
        "file": file,
        "synthetic": synthetic,
        "footer": footer + release,
        "foot": foot,
        "words": words,
        "shared": shared,
        "card": CARD_PICTURE,
        "script": script,
        "script_hash": script_hash(script) if script else "",
    }
    return environment().get_template("page.html.j2").render(values)
