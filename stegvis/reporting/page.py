"""The pages: three per wave and an index over all waves, each a single self-contained HTML document.

Which sections a page has is decided here; what a section says is in its own module.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup

from stegvis.reporting.about import protocol_differences, study_foot
from stegvis.reporting.absolute import absolute
from stegvis.reporting.across import across
from stegvis.reporting.answer import answer, answer_in_short
from stegvis.reporting.asked_first import registered
from stegvis.reporting.blocks import Section
from stegvis.reporting.certainty import certainty
from stegvis.reporting.changes import changes
from stegvis.reporting.claims_section import claims_of_wave, claims_of_waves
from stegvis.reporting.counterparts import counterparts
from stegvis.reporting.curves import curves
from stegvis.reporting.estimand import whom
from stegvis.reporting.file_names import (
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
from stegvis.reporting.included import population
from stegvis.reporting.inputs import IndexReport, WaveReport
from stegvis.reporting.joint import joint
from stegvis.reporting.layout import whole_page
from stegvis.reporting.main_results import main_results
from stegvis.reporting.measurement import measurement
from stegvis.reporting.methods import commands, methods, provenance
from stegvis.reporting.overview import checks_failed, left_out, origin, waves_overview
from stegvis.reporting.quality import quality
from stegvis.reporting.question import question
from stegvis.reporting.robustness import sensitivity
from stegvis.reporting.several_biases import several_biases
from stegvis.reporting.subgroups import mutual, strata
from stegvis.reporting.time_use import time_use
from stegvis.reporting.vital_status import vital_status
from stegvis.reporting.wave_curves import wave_curves
from stegvis.reporting.words import Words
from stegvis.study.about import About

SectionOf = Callable[[WaveReport], Section | None]

MAIN: tuple[SectionOf, ...] = (
    question, main_results, counterparts, certainty, curves, claims_of_wave, population,
)  # fmt: skip
DETAILS: tuple[SectionOf, ...] = (
    whom, joint, mutual, strata, sensitivity, follow_up_loss, vital_status, absolute, measurement, several_biases, fit,
    time_use,
)  # fmt: skip
METHODS: tuple[SectionOf, ...] = (quality, methods, commands, glossary, provenance)
INDEX_SECTIONS: tuple[Callable[[IndexReport], Section | None], ...] = (
    answer, wave_curves, waves_overview, across, claims_of_waves, changes, left_out, registered,
    protocol_differences, checks_failed, origin,
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
        file: whole_page(
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
    return whole_page(
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
    words: Words,
    about: About | None,
    script: Markup | None = None,
) -> str:
    """A page of other sections in the same layout.

    Args:
        file: its own file name.
        heading: its title.
        sections: its content.
        ways: file and name of the pages it links to.
        synthetic: whether the data are simulated.
        words: name the study, and the language of the page.
        about: who runs the study, for the foot of the page; None if it names nobody.
        script: runs in the page, and no other does; a page of curves without one gets that of the figures.
    """
    foot = study_foot(about, words)
    return whole_page(
        file, heading, sections, ways, synthetic, words.title, language=words.language, foot=foot, script=script
    )
