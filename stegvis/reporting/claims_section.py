"""The published claims and whether the current estimates support them: for one wave, and wave by wave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from stegvis.reporting.blocks import Section, bullets, folded, note, paragraph, section, table
from stegvis.reporting.inputs import IndexReport, WaveReport
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.tables import SOURCES, claims_table, conclusion_tag

MEANING = (
    "Each statement of the published study and its lay summary is tested against the current estimates. "
    '"Supported" and "not supported" follow from the interval or, where stated, from the point estimates; '
    '"unclear" means that neither conclusion is possible, "not applicable" that the wave lacks what the statement is '
    "about, for example a category with these bounds, "
    '"cannot be evaluated" that an estimate it rests on is withheld or not published. A statement of no difference is '
    "supported only by intervals within its margin, where it has one."
)
EVIDENCE = "Each claim with its evidence, and what would change the conclusion"
NEWEST = 6
# Claims not supported that a wave's page lists before the others.
FIRST = 3
SUPPORTED, NOT_SUPPORTED, NOT_APPLICABLE = "supported", "not supported", "not applicable"
NOT_EVALUATED = "cannot be evaluated"


def claims_of_wave(report: WaveReport) -> Section:
    """How many claims are supported, the first that are not, and each with its evidence and what would change it."""
    if not report.claims:
        return section("claims", "Claims, tested", paragraph("No claim was tested against this wave."), short="Claims")
    doubted = [
        Markup("{}: {}").format(conclusion_tag(str(each["verdict"])), str(each["statement"]))
        for each in report.claims
        if each["verdict"] not in (SUPPORTED, NOT_APPLICABLE)
    ]
    return section(
        "claims",
        "Published claims, tested",
        paragraph(f"Of {len(report.claims)} statements: {counted(report.claims)}."),
        bullets([*doubted[:FIRST], *([f"{len(doubted) - FIRST} more below"] if len(doubted) > FIRST else [])]),
        folded(EVIDENCE, note(MEANING), table(claims_table(report.claims))),
        short="Claims",
    )


def claims_of_waves(index: IndexReport) -> Section:
    """The conclusion on each claim: a row per claim, a column per wave; then those that changed, release by release."""
    waves = list(dict.fromkeys(str(each["wave"]) for each in index.claims))
    conclusions = _conclusions(index.claims)
    groups = []
    for source, heading in SOURCES.items():
        statements = {str(each["claim"]): str(each["statement"]) for each in index.claims if each["source"] == source}
        rows = tuple(
            (statement, *(_cell(conclusions.get((claim, wave))) for wave in waves))
            for claim, statement in statements.items()
        )
        if rows:
            groups.append(Group(rows, heading))
    if not groups:
        return section("claims", "Published claims, wave by wave", paragraph("No claim has been tested yet."))
    shown = Table("claims-waves", "Conclusions by wave", ("Claim", *waves), tuple(groups), numeric=False)
    history = _history(index)
    return section(
        "claims",
        "Published claims, wave by wave",
        paragraph(MEANING),
        table(shown),
        note("The page of each wave shows the evidence for each conclusion, and what would change it."),
        folded("Conclusions that changed, release by release", table(history), note(_older(index))),
        note("" if history or not index.earlier_claims else "No conclusion differs from that of an earlier release."),
        short="Claims",
    )


def _history(index: IndexReport) -> Table | None:
    """The conclusions that differ between the releases shown: a row per claim and wave, a column per release."""
    releases = {name: _conclusions(found) for name, found in list(index.earlier_claims.items())[-NEWEST:]}
    releases["this release"] = _conclusions(index.claims)
    groups: dict[str, list[tuple[str | Markup, ...]]] = {}
    for each in index.claims:
        key = (str(each["claim"]), str(each["wave"]))
        found = [conclusions.get(key) for conclusions in releases.values()]
        if len({one for one in found if one is not None}) > 1:
            groups.setdefault(str(each["statement"]), []).append((key[1], *(_cell(one) for one in found)))
    if not groups:
        return None
    rows = tuple(Group(tuple(lines), statement) for statement, lines in groups.items())
    return Table("claims-history", "Conclusions by release", ("Wave", *releases), rows, numeric=False)


def _older(index: IndexReport) -> str:
    older = len(index.earlier_claims) - NEWEST
    return f"{older} older releases are not shown." if older > 0 else ""


def _conclusions(claims: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    """Conclusions by claim and wave."""
    return {(str(each["claim"]), str(each["wave"])): str(each["verdict"]) for each in claims}


def _cell(conclusion: str | None) -> str | Markup:
    return "–" if conclusion is None else conclusion_tag(conclusion)


def counted(claims: Sequence[Mapping[str, Any]]) -> str:
    """How many claims of a wave are supported, not supported, unclear, not applicable and not evaluated, in words."""
    numbers = {
        name: sum(each["verdict"] == name for each in claims)
        for name in (SUPPORTED, NOT_SUPPORTED, "unclear", NOT_APPLICABLE, NOT_EVALUATED)
    }
    others = "".join(f", {numbers[name]} {name}" for name in (NOT_APPLICABLE, NOT_EVALUATED) if numbers[name])
    return f"{numbers[SUPPORTED]} supported, {numbers[NOT_SUPPORTED]} not, {numbers['unclear']} unclear{others}"
