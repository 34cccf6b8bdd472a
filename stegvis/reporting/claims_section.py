"""The published claims, judged: for one wave, and release by release.

Belongs here: tables of verdicts. Does not belong here: judging (``stegvis.claims.evaluation``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from stegvis.reporting.blocks import Section, note, paragraph, section, table
from stegvis.reporting.inputs import IndexReport, WaveReport
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.tables import claims_table, verdict_tag

MEANING = (
    "Each statement of the published study and of its lay summary is a rule over the current estimates. "
    "Supported and not "
    "supported say what the interval (or, where said, the points) allow; unclear says that they allow neither."
)
NEWEST = 6


def claims_of_wave(report: WaveReport) -> Section:
    """Every claim with its evidence, and what would turn the verdict."""
    made = table(claims_table(report.claims)) or paragraph("No claim was tested against this wave.")
    return section("claims", "Published claims, tested", paragraph(MEANING), made, short="Claims")


def claims_by_release(index: IndexReport) -> Section:
    """Each claim's verdicts, a column per release, a line per wave."""
    releases = dict(list(index.earlier_claims.items())[-NEWEST:]) | {"this release": index.claims}
    names = list(releases)
    verdicts = {
        name: {(str(each["claim"]), str(each["wave"])): str(each["verdict"]) for each in found}
        for name, found in releases.items()
    }
    statements = {str(each["claim"]): str(each["statement"]) for each in index.claims}
    waves = list(dict.fromkeys(str(each["wave"]) for each in index.claims))
    groups = tuple(
        Group(tuple((wave, *_cells(verdicts, names, claim, wave)) for wave in waves), statement)
        for claim, statement in statements.items()
    )
    if not groups:
        return section("claims", "Published claims, release by release", paragraph("No claim has been tested yet."))
    made = Table("claims-history", "Verdicts by release", ("Wave", *names), groups, numeric=False)
    older = len(index.earlier_claims) - NEWEST
    return section(
        "claims",
        "Published claims, release by release",
        paragraph(MEANING),
        table(made),
        note(f"{older} older releases are left out." if older > 0 else ""),
        note("A wave's page says what each verdict rests on, and what would turn it."),
        short="Claims",
    )


def _cells(
    verdicts: Mapping[str, Mapping[tuple[str, str], str]], names: Sequence[str], claim: str, wave: str
) -> list[str | Markup]:
    found = [verdicts[name].get((claim, wave)) for name in names]
    return ["–" if verdict is None else verdict_tag(verdict) for verdict in found]


def counted(claims: Sequence[Mapping[str, Any]]) -> str:
    """How many claims of a wave are supported, not supported and unclear, in words."""
    numbers = {
        name: sum(each["verdict"] == name for each in claims) for name in ("supported", "not supported", "unclear")
    }
    return f"{numbers['supported']} supported, {numbers['not supported']} not, {numbers['unclear']} unclear"
