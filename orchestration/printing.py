"""What commands print: results to standard output, progress and problems to standard error."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, NoReturn

from stegvis.orchestration.monitoring.causes import causes, check_line, label_of, waits
from stegvis.orchestration.monitoring.wording import disk_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console

    from stegvis.orchestration.home_state import PartitionStatus
    from stegvis.orchestration.verify import Verified
    from stegvis.storage.findings import Finding
    from stegvis.storage.validation import Validation

Facts = dict[str, Any]

FIRST_ROWS = 5  # of a finding, unless every row is asked for

SELECTORS = ("wave", "analysis", "population", "model", "exposure", "term", "level")
UP_TO_DATE = "everything is up to date with its inputs"
# Of deliveries that were not used, in the order in which they are printed.
_UNUSED = {"waiting": "waiting", "rejected": "REJECTED", "alarming": "ALARM", "unusable": "UNUSABLE"}
# What a person reads for the states in JSON.
STATES = {"fresh": "up to date", "new": "never built", "held": "blocked", "waiting": "missing upstream"}


def say(line: str) -> None:
    """Print a line of progress, with the time."""
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


def fail(message: str, code: int = 1) -> NoReturn:
    """Print why the command failed, and end it."""
    print(f"stegvis: {message}", file=sys.stderr)
    raise SystemExit(code)


def number(value: float | None, otherwise: str | None = None) -> str:
    """A number with three decimals, or what to say where there is none."""
    return (otherwise or "none") if value is None else f"{value:.3f}"


# --- refresh ----------------------------------------------------------------------------------------------------------


def print_refresh(done: Facts, progress_only: bool) -> None:
    """What a refresh did, and on standard error what it could not do.

    Args:
        done: the refresh, as ``refreshed.py`` gathers it.
        progress_only: print nothing to standard output, which has the JSON.
    """
    if not progress_only:
        assets = len({each["asset"] for each in done["materialized"]})
        if assets:
            print(f"materialized {assets} assets ({len(done['materialized'])} partitions) in {done['seconds']:.1f} s")
        else:
            print(f"nothing to do: {UP_TO_DATE}" if done["nothing_to_do"] else "nothing was materialized")
        for line in done["withdrawals"]:
            print(line)
        if release := done["release"]:
            print(f"release: {release['release']}{' (synthetic)' if release['synthetic'] else ''}")
        if done["waiting_release"]:
            print(waits(done["waiting_release"]))
    for problem in done["withdrawals_not_applied"]:
        say(f"WITHDRAWAL NOT APPLIED: {problem}")
    for state, word in _UNUSED.items():
        for delivery in done[f"deliveries_{state}"]:
            say(f"{word} delivery {delivery}")
    blocked = {label_of(each["asset"], each["partition"]): each["reasons"] for each in done["held"]}
    for label, reasons in blocked.items():
        say(f"BLOCKED {label}: {'; '.join(reasons)}")
    failed = {label_of(each["asset"], each["partition"]) for each in done["failed"]}
    rest = {label_of(each["asset"], each["partition"]) for each in (*done["waiting"], *done["not_made"])} - failed
    if rest:
        upstream = ", ".join(sorted({*blocked, *failed})) or "deliveries that have not arrived"
        say(f"{_count(len(rest), 'partition')} downstream of {upstream} could not be materialized")


def print_plan(planned: Sequence[PartitionStatus]) -> None:
    """What a refresh would do, and why."""
    for status in planned:
        print(f"{status.state:16} {status.label}: {'; '.join(status.reasons)}")
    if not planned:
        print(f"nothing to do: {UP_TO_DATE}")


# --- status -----------------------------------------------------------------------------------------------------------


def print_status(facts: Facts) -> None:
    """The state of a home: what needs attention and why, then what a refresh would do, then the rest."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 160)
    release = facts["last_release"]
    kind = "synthetic data" if facts["synthetic"] else "real data"
    console.print(f"home {facts['home']} ({kind}, mode {facts['mode']})")
    console.print(f"last release {release['release']}, {release['created']}" if release else "no release yet")
    for line in _attention(facts):
        console.print(line)
    for status in facts["causes"]:
        state = STATES.get(status["state"], status["state"])
        console.print(f"{state} {label_of(status['asset'], status['partition'])}: {'; '.join(status['reasons'])}")
    if facts["descendants"]:
        console.print(f"{_count(facts['descendants'], 'partition')} downstream of them may have to be made again")
    if facts["missing_upstream"]:
        missing = _count(len(facts["missing_upstream"]), "partition")
        console.print(f"{missing} cannot be made until their upstream tables exist")
    _print_partitions(console, facts)
    for line in _notes(facts):
        console.print(line)
    _print_withdrawals(console, facts["withdrawals"])
    console.print(f"disk: {disk_words(facts['disk_use'], facts['now']['disk'])}")
    if facts["ok"] and not (facts["stale"] or facts["missing_upstream"]):
        console.print(UP_TO_DATE)


def _attention(facts: Facts) -> Iterator[str]:
    """What somebody has to do something about, the gravest first."""
    for cause in causes(facts):
        yield cause.sentence


def _notes(facts: Facts) -> Iterator[str]:
    """What is known and needs nobody now."""
    for check in facts["failing_checks"]:
        if check["severity"] != "critical":
            yield check_line(check)
    for found in facts["quarantine"]:
        what = f"{found['file']}: {found['message']}" if found["file"] else f"{found['problems']} rows"
        yield f"quarantine {label_of(found['asset'], found['partition'])}: {found['rule']}, {what}"
    for found in facts["unlinked"]:
        if not found["too_many"]:
            yield f"unlinked {found['kind']} {found['key']}: {found['message']}"
    for state in ("waiting", "superseded", "repeated"):
        for unused in facts["deliveries"][state]:
            if unused.get("too_long"):
                continue  # needs attention
            yield f"{state} delivery {unused['delivery']}: {unused['reason']}"


def _print_withdrawals(console: Console, facts: Facts) -> None:
    if facts["people"]:
        missing = f", {facts['not_found']:,} not found in any delivery" if facts["not_found"] else ""
        console.print(f"withdrawals: {_count(facts['people'], 'person')}; {facts['found']:,} found and erased{missing}")
    if facts["pending"]:
        console.print("withdrawals: the erasure is not finished; the next refresh completes it")
    for place in facts["to_remove"]:
        console.print(
            f"remove from the landing zone {place['delivery']}: {_count(place['people'], 'withdrawn person')}"
        )


def _print_partitions(console: Console, facts: Facts) -> None:
    from rich.table import Table

    if not (facts["waves"] or facts["batches"]):
        return
    table = Table("partition", "name", "state", "tables to make", box=None)
    for kind, rows in (("wave", facts["waves"]), ("batch", facts["batches"])):
        for row in rows:
            table.add_row(kind, row[kind], STATES.get(row["state"], row["state"]), str(len(row["behind"]) or ""))
    console.print(table)


# --- deliveries and recordings ----------------------------------------------------------------------------------------


def print_validation(found: Validation, findings: Sequence[Finding], remarks: Sequence[str], every_row: bool) -> None:
    """What is wrong with a drop, by rule and column.

    Args:
        found: what was found.
        findings: its problems, grouped.
        remarks: which columns a file has that lacks one.
        every_row: name every row, not only the first.
    """
    for file in found.summary.to_dict("records"):
        print(f"{file['file']}: {file['rows_fine']:,} of {file['rows_read']:,} rows fine")
    for note in found.notes:
        print(f"note: {note}")
    for finding in findings:
        column = f" [{finding.column}]" if finding.column else ""
        rule = f" ({finding.codebook})" if finding.codebook else ""
        print(f"{finding.file}{_rows(finding, every_row)}{column} {finding.rule}: {finding.message}{rule}")
    for remark in remarks:
        print(f"note: {remark}")
    problems = len(found.problems)
    if problems > len(findings) and not every_row:
        print("--all names every row")
    if found.refused:
        print(f"{_count(problems, 'problem')}; a refresh would refuse the drop: {found.refused}")
    elif problems:
        print(f"{_count(problems, 'problem')}; a refresh would use the rest of the drop")
    else:
        print("the drop keeps the contract")


def _rows(finding: Finding, every_row: bool) -> str:
    if finding.count < 2:
        return f" row {finding.rows[0]}" if finding.rows else ""
    shown = finding.rows if every_row else finding.rows[:FIRST_ROWS]
    more = " ..." if len(shown) < finding.count else ""
    return f" {finding.count:,} rows ({', '.join(map(str, shown))}{more})"


def print_pair(summary: Facts) -> None:
    """A classified pair in counts and minutes, and the files."""
    print(f"{summary['epochs']:,} epochs, {summary['days']} days, {summary['valid_days']} of them valid")
    print("minutes: " + ", ".join(f"{name} {each:,}" for name, each in summary["minutes"].items() if each is not None))
    for path in summary["files"]:
        print(path)


# --- releases ---------------------------------------------------------------------------------------------------------


def print_comparison(found: Facts) -> None:
    """What differs between two releases: the main analysis first."""
    changes = sorted(found["changes"], key=_main_first)
    for row in changes:
        before = number(row["estimate_before"], row["status_before"])
        now = number(row["estimate_now"], row["status_now"])
        print(f"{row['change']:8} {_key(row)}: {row['measure']} {before} -> {now}")
    for value in found["protocol_changes"]:
        print(f"protocol {value['name']}: {value['before']} -> {value['now']}")
    for row in found["steps"]:
        print(f"bridge   {_key(row)}: log ratio {row['change']:+.4f} (SE {number(row['std_error'])})")
        for step in row["steps"]:
            people = f", {step['people']:,} participants" if step["people"] is not None else ""
            moved = "" if step["change"] is None else f" {step['change']:+.4f} (SE {number(step['std_error'])})"
            print(f"           {step['step']}{people}{moved}{': ' if step['note'] else ''}{step['note']}")
        if row["flagged"] or row["note"]:
            print(f"           {'; '.join(filter(None, ['larger than expected' * row['flagged'], row['note']]))}")
    if found["note"]:
        print(f"bridge   {found['note']}")
    if changes:
        print(f"{len(changes):,} estimate{' differs' if len(changes) == 1 else 's differ'}")
    else:
        print("the releases hold the same estimates")


def _main_first(row: Mapping[str, Any]) -> tuple[bool, bool]:
    """The ratios of the main analysis, then its other measures, then the other analyses in their own order."""
    return row["analysis"] != "main", row["measure"] != "rr"


def print_trace(found: Facts, with_sql: bool) -> None:
    """The rows that are traced, and each table they were made from."""
    for row in found["rows"][:20]:
        interval = f" ({row['ci_low']} to {row['ci_high']})" if row["ci_low"] or row["ci_high"] else ""
        print(f"{_key(row)} / {row['measure']}: {row['estimate'] or row['status']}{interval}")
    if len(found["rows"]) > 20:
        print(f"... and {len(found['rows']) - 20:,} more rows")
    for table in found["stages"]:
        place = label_of(table["asset"], table["partition"])
        print(f"\n{place}, made by run {table['run']}, version {table['data_version']}")
        for part in ("made_from", "method"):
            for name, value in table[part].items():
                print(f"  {name}: {value if len(value) < 100 else value[:97] + '...'}")
    for name, text in found["sql"].items() if with_sql else ():
        print(f"\n-- {name}\n{text}")


def print_verified(found: Verified) -> None:
    """Whether a release is as published, and what is not."""
    for problem in found.problems:
        print(f"PROBLEM {problem}")
    for note in found.notes:
        print(f"note: {note}")
    signed = f", signed by {' and '.join(found.signed_by)}" if found.signed_by else ""
    proven = f"{found.release} is as it was published: {found.files} files{signed}"
    print(f"{found.release} is NOT as it was published" if found.problems else proven)


# ----------------------------------------------------------------------------------------------------------------------


def _key(row: Mapping[str, Any]) -> str:
    """Which estimate a row is: the parts of its key that it has."""
    return " / ".join(str(row[name]) for name in SELECTORS if row.get(name))


def _count(count: int, what: str) -> str:
    plural = what.removesuffix("person") + "people" if what.endswith("person") else f"{what}s"
    return f"{count:,} {what if count == 1 else plural}"
