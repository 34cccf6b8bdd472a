"""What was asked first: a wave's primary and secondary estimates, and whether that was registered beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from stegvis.reporting.blocks import Section, bullets, link, note, paragraph, section, table
from stegvis.reporting.file_names import INDEX
from stegvis.reporting.formatting import interval_name, limits, p_value, ratio
from stegvis.reporting.inputs import IndexReport, WaveReport
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.rows import records
from stegvis.reporting.tables import NOT_ESTIMABLE, SUPPRESSED
from stegvis.reporting.wording import is_shown, level_label
from stegvis.study.protocol_estimates import PRIMARY, SECONDARY

HEADING = "What was asked first"
UNDECLARED = "No primary estimate was declared in the protocol: every estimate of this wave is exploratory."
OTHERS = (
    "All other estimates of this wave are exploratory: their p-values and intervals are not adjusted for their number."
)
ADJUSTED = (
    "Holm: adjusted so that any false positive among these {count} is improbable. FDR: adjusted for the share of false "
    "ones among the positives (Benjamini and Hochberg). An estimate that is withheld or suppressed keeps its place "
    "among the {count}, as if its p-value were 1."
)
GROUPS = {PRIMARY: "Primary", SECONDARY: "Secondary"}


def asked_first(report: WaveReport) -> Section:
    """The primary estimate, then the secondary ones with their adjusted p-values; everything else is exploratory."""
    rows = records(report.declared)
    registration = Markup("Whether this was registered before the wave was opened: {}.").format(
        link(f"{INDEX}#registration", "all waves")
    )
    if not rows:
        return section("asked-first", HEADING, paragraph(UNDECLARED), note(registration), short="Asked first")
    groups = [
        Group(tuple(_line(row) for row in rows if row["purpose"] == purpose), heading)
        for purpose, heading in GROUPS.items()
    ]
    shown = Table(
        "declared-table",
        "The primary estimate and the secondary ones, as the protocol declares them",
        ("Estimate", f"RR ({interval_name(report.protocol)})", "p", "Holm", "FDR"),
        tuple(group for group in groups if group.rows),
        note=ADJUSTED.format(count=len(rows)),
    )
    return section("asked-first", HEADING, table(shown), paragraph(OTHERS), note(registration), short="Asked first")


def registered(index: IndexReport) -> Section:
    """Of each wave, whether what was asked was registered before it was opened, and what has changed since."""
    items = [Markup("<strong>{}.</strong> {}").format(each["wave"], registration_sentence(each))
             for each in index.registration]  # fmt: skip
    return section(
        "registration",
        "Registered before the waves were opened",
        bullets(items) or paragraph("No wave has been analyzed yet."),
        short="Registration",
    )


def registration_sentence(each: Mapping[str, Any]) -> str:
    """What registration.json says of a wave, as sentences."""
    declared = "" if each["declared"] else " No primary estimate is declared: every estimate is exploratory."
    if not each["registered"]:
        return f"Not registered.{declared}"
    first = f"Registered on {each['registered']}, {'after' if each['late'] else 'before'} the wave was opened."
    amended = "".join(
        f" Amended on {one['registered']}, {'after' if one['late'] else 'before'} the wave was opened"
        f" ({_listed(one['changed'], one['files'])})."
        for one in each["amendments"]
    )
    changed = _listed(each["changed"], each["files"])
    since = f"Changed since: {changed}." if changed else "The protocol and the study's other files are unchanged since."
    return f"{first}{amended} {since}{declared}"


def _listed(sections: list[str], files: list[str]) -> str:
    """Changed sections of the protocol, and other changed files."""
    named = [f"protocol, {'section' if len(sections) == 1 else 'sections'} {', '.join(sections)}"] if sections else []
    return "; ".join([*named, *files])


def _line(row: Mapping[str, Any]) -> tuple[str, ...]:
    level = f" ({level_label(row['level'])})" if row["level"] else ""
    asked = f"{row['asked']}{level}"
    if row["status"] != "ok":
        return asked, SUPPRESSED if row["status"] == "suppressed" else NOT_ESTIMABLE, "–", "–", "–"
    value = f"{ratio(row['estimate'])} ({limits(row['ci_low'], row['ci_high'])})" if is_shown(row) else "–"
    # The columns say which p-value it is.
    return asked, value, *(p_value(row[name]).removeprefix("p = ").removeprefix("p ")
                           for name in ("p_value", "p_holm", "p_fdr"))  # fmt: skip
