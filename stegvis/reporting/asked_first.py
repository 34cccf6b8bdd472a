"""What was asked first: a wave's primary and secondary estimates, and whether that was registered beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from stegvis.reporting.blocks import Section, bullets, folded, link, paragraph, section, table
from stegvis.reporting.file_names import INDEX
from stegvis.reporting.formatting import NOTHING, interval_name, limits, p_value, ratio
from stegvis.reporting.inputs import IndexReport, WaveReport
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.rows import records
from stegvis.reporting.tables import NOT_ESTIMABLE, SUPPRESSED
from stegvis.reporting.wording import is_shown, level_label
from stegvis.study.protocol_estimates import PRIMARY, SECONDARY

UNDECLARED = "No primary estimate was declared in the protocol: every estimate of this wave is exploratory."
OTHERS = "Estimates that are neither primary nor secondary are exploratory."
SUMMARY = "What was asked first, with adjusted p-values; tests over all categories"
ADJUSTED = (
    "Holm: adjusted so that any false positive among these {count} is improbable. FDR: adjusted for the share of false "
    "ones among the positives (Benjamini and Hochberg). An estimate that is withheld or suppressed keeps its place "
    "among the {count}, as if its p-value were 1."
)
GROUPS = {PRIMARY: "Primary", SECONDARY: "Secondary"}


def asked_first(report: WaveReport, *more: Markup) -> Markup:
    """The primary estimate in a sentence, all that were declared with their adjusted p-values, and more, collapsed."""
    rows = records(report.declared)
    registration = Markup(" Whether that was registered before the wave was opened: {}.").format(
        link(f"{INDEX}#registration", "all waves")
    )
    said = primary_sentence(report) or UNDECLARED
    shown = Table(
        "declared-table",
        "The primary estimate and the secondary ones, as the protocol declares them",
        ("Estimate", f"RR ({interval_name(report.protocol)})", "p", "Holm", "FDR"),
        tuple(
            Group(tuple(_line(row) for row in rows if row["purpose"] == purpose), heading)
            for purpose, heading in GROUPS.items()
            if any(row["purpose"] == purpose for row in rows)
        ),
        note=ADJUSTED.format(count=len(rows)),
    )
    blocks = folded(
        SUMMARY, paragraph(Markup("{}{}").format(said, registration)), table(shown if rows else None), *more
    )
    return Markup('<div id="asked-first">\n{}\n</div>').format(blocks)


def primary_sentence(report: WaveReport) -> str:
    """The primary estimate with its value; blank where none is declared."""
    rows = records(report.declared[report.declared["purpose"] == PRIMARY])
    return f"Primary estimate: {_sentence(rows[0])}" if rows else ""


def others(report: WaveReport) -> str:
    """What the estimates are that were not asked for first."""
    return OTHERS if len(report.declared) else UNDECLARED


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


def _sentence(row: Mapping[str, Any]) -> str:
    """The primary estimate with its value, or that it has none."""
    asked, value, p, *_ = _line(row)
    return f"{asked}: {value}" + (f", {p_value(row['p_value'])}." if p != NOTHING else ".")


def _line(row: Mapping[str, Any]) -> tuple[str, ...]:
    level = f" ({level_label(row['level'])})" if row["level"] else ""
    asked = f"{row['asked']}{level}"
    if row["status"] != "ok":
        return asked, SUPPRESSED if row["status"] == "suppressed" else NOT_ESTIMABLE, *[NOTHING] * 3
    value = f"{ratio(row['estimate'])} ({limits(row['ci_low'], row['ci_high'])})" if is_shown(row) else NOTHING
    # The columns say which p-value it is.
    return asked, value, *(p_value(row[name]).removeprefix("p = ").removeprefix("p ")
                           for name in ("p_value", "p_holm", "p_fdr"))  # fmt: skip
