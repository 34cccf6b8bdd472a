"""The published claims and whether the current estimates support them: for one wave, and release by release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from stegvis.reporting.blocks import Section, note, paragraph, section, table
from stegvis.reporting.inputs import IndexReport, WaveReport
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.tables import claims_table, conclusion_tag

MEANING = (
    "Each statement of the published study and its lay summary is tested against the current estimates. "
    '"Supported" and "not supported" follow from the interval or, where stated, from the point estimates; '
    '"unclear" means that neither conclusion is possible, "not applicable" that the wave lacks what the statement is '
    "about, for example a category with these bounds."
)
NEWEST = 6
NOT_APPLICABLE = "not applicable"


def claims_of_wave(report: WaveReport) -> Section:
    """Every claim with its evidence, and what would change the conclusion."""
    if not report.claims:
        return section("claims", "Claims, tested", paragraph("No claim was tested against this wave."), short="Claims")
    shown = table(claims_table(report.claims))
    return section("claims", "Published claims, tested", paragraph(MEANING), shown, short="Claims")


def claims_by_release(index: IndexReport) -> Section:
    """Each claim's conclusions: a column per release, a row per wave."""
    releases = dict(list(index.earlier_claims.items())[-NEWEST:]) | {"this release": index.claims}
    names = list(releases)
    conclusions = {
        name: {(str(each["claim"]), str(each["wave"])): str(each["verdict"]) for each in found}
        for name, found in releases.items()
    }
    statements = {str(each["claim"]): str(each["statement"]) for each in index.claims}
    waves = list(dict.fromkeys(str(each["wave"]) for each in index.claims))
    groups = tuple(
        Group(tuple((wave, *_cells(conclusions, names, claim, wave)) for wave in waves), statement)
        for claim, statement in statements.items()
    )
    if not groups:
        return section("claims", "Claims, release by release", paragraph("No claim has been tested yet."))
    history = Table("claims-history", "Conclusions by release", ("Wave", *names), groups, numeric=False)
    older = len(index.earlier_claims) - NEWEST
    return section(
        "claims",
        "Published claims, release by release",
        paragraph(MEANING),
        table(history),
        note(f"{older} older releases are not shown." if older > 0 else ""),
        note("The page of each wave shows the evidence for each conclusion, and what would change it."),
        short="Claims",
    )


def _cells(
    conclusions: Mapping[str, Mapping[tuple[str, str], str]], names: Sequence[str], claim: str, wave: str
) -> list[str | Markup]:
    found = [conclusions[name].get((claim, wave)) for name in names]
    return ["–" if conclusion is None else conclusion_tag(conclusion) for conclusion in found]


def counted(claims: Sequence[Mapping[str, Any]]) -> str:
    """How many claims of a wave are supported, not supported and unclear, and how many do not apply, in words."""
    numbers = {
        name: sum(each["verdict"] == name for each in claims)
        for name in ("supported", "not supported", "unclear", NOT_APPLICABLE)
    }
    others = f", {numbers[NOT_APPLICABLE]} {NOT_APPLICABLE}" if numbers[NOT_APPLICABLE] else ""
    return f"{numbers['supported']} supported, {numbers['not supported']} not, {numbers['unclear']} unclear{others}"
