"""The index: overview of all waves, waves without results, failed checks and provenance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from stegvis.release.affected import ACROSS, affected
from stegvis.reporting.blocks import Section, bullets, definitions, folded, link, paragraph, section, table
from stegvis.reporting.claims_section import counted
from stegvis.reporting.file_names import wave_file_name
from stegvis.reporting.formatting import count, decimal, interval_name, limits, ratio
from stegvis.reporting.inputs import IndexReport
from stegvis.reporting.markup import Group, Table, code
from stegvis.reporting.rows import headline, people_and_cases
from stegvis.reporting.tables import checks_table, publications_table
from stegvis.reporting.wording import direction, is_shown, level_label, plain
from stegvis.reporting.words import capitalized
from stegvis.statistics.results import GROUPS


def waves_overview(index: IndexReport) -> Section:
    """Participants, cases and headline ratios of each wave, with links to its pages."""
    overview = _waves_table(index)
    if overview is None:
        return section("waves", "Waves", paragraph("No wave has been analyzed yet."))
    cohort = index.texts.en.cohort
    intro = (
        f"{capitalized(cohort.people)} in {cohort.name} without {index.words.outcome.name} at baseline, "
        "followed to each wave of questionnaires. Each wave has its own pages."
    )
    return section(
        "waves",
        "Waves",
        paragraph(intro),
        table(overview),
    )


def left_out(index: IndexReport) -> Section:
    """Delivered waves without results, and why."""
    items = [Markup("<strong>{}.</strong> {}").format(each["wave"], each["reason"]) for each in index.excluded_waves]
    return section("left-out", "Waves without results", bullets(items) or paragraph("None."))


def checks_failed(index: IndexReport) -> Section:
    """The failed checks; the pages of the waves list all of them."""
    failed = [each for each in index.checks if not each["passed"]]
    if failed:
        sentence = f"{len(failed)} of {len(index.checks)} checks failed."
    else:
        sentence = f"All {len(index.checks)} checks passed." if index.checks else "No check is recorded."
    smallest = index.protocol.disclosure.smallest_count
    shown = checks_table(failed, "checks-table", "Checks that failed", smallest, lambda each: _affects(index, each))
    return section("quality", "Data checks", paragraph(sentence), folded("The failed checks", table(shown)))


def _affects(index: IndexReport, check: Mapping[str, Any]) -> str:
    """Which estimates are made from such rows, by the home's graph; a wave may have been published before them."""
    if not index.stages:
        return "–"
    found = affected(index.stages, str(check["asset"]), str(check["partition"] or ""))
    if not found:
        return "no estimate"
    whole = [wave for wave, tables in found.items() if wave == ACROSS or tables == set(GROUPS)]
    if ACROSS in found and set(index.waves) <= set(whole):
        return "all estimates"
    waves = [
        level_label(wave) if wave in whole else f"{level_label(wave)} ({', '.join(map(plain, sorted(tables)))})"
        for wave, tables in found.items()
        if wave != ACROSS
    ]
    return index.words.listed([*waves, *(["all waves together"] if ACROSS in found else [])])


def origin(index: IndexReport) -> Section:
    """Release, protocol, code, packages, and when each wave was published."""
    facts = index.provenance
    packages = ", ".join(f"{name} {version}" for name, version in sorted(facts["packages"].items()))
    rows = [
        ("Release", facts["release"]),
        ("Created", facts["created"]),
        ("Protocol mode", plain(str(facts["mode"]))),
        ("Protocol", code(str(facts["protocol_hash"]))),
        ("Code", code(str(facts["code_hash"]))),
        ("Packages", packages),
    ]
    published = table(publications_table(facts["published"]))
    return section("provenance", "Provenance", published, folded("Versions and hashes", definitions(rows)))


def _waves_table(index: IndexReport) -> Table | None:
    rows = []
    for wave in index.waves:
        results = index.of_wave(wave)
        people, cases = people_and_cases(results)
        share = f" ({decimal(100 * cases / people)}%)" if people and cases is not None else ""
        claims = [each for each in index.claims if str(each["wave"]) == wave]
        estimates = [_headline_cell(headline(results, exposure)) for exposure in index.exposures]
        tested = counted(claims) if claims else "–"
        numbers = (count(people), count(cases) + share, *estimates, tested)
        rows.append((link(wave_file_name(wave), wave), *numbers))
    if not rows:
        return None
    names = [
        f"{index.protocol.exposures.scale(exposure).name}: RR ({interval_name(index.protocol)})"
        for exposure in index.exposures
    ]
    return Table(
        identifier="waves-table",
        caption="Analyzed waves, with the fully adjusted risk ratio (RR) of the highest against the lowest category",
        columns=("Wave", "Participants", "Cases", *names, "Claims"),
        groups=(Group(tuple(rows)),),
    )


def _headline_cell(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return "–"
    if not is_shown(row):
        return direction(row)
    return f"{ratio(row['estimate'])} ({limits(row['ci_low'], row['ci_high'])})"
