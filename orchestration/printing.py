"""What commands print: results to standard output, progress and problems to standard error."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from stegvis.orchestration.refresh import Refresh
    from stegvis.orchestration.situation import Step
    from stegvis.orchestration.verify import Verified
    from stegvis.storage.validation import Validation

Facts = dict[str, Any]

SELECTORS = ("wave", "analysis", "population", "model", "exposure", "term", "level")
UP_TO_DATE = "everything is up to date with its inputs"
# What a person reads for the state of a partition; the JSON has the state itself.
STATES = {"held": "blocked", "waiting": "missing upstream"}


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


def waits(release: Facts) -> str:
    """Which release still needs signatures, and how to give one."""
    missing = release["signatures_missing"]
    signatures = f"{missing} signature{'s' if missing != 1 else ''}"
    return f"release {release['release']} needs {signatures}: stegvis sign {release['release']} --name NAME"


# --- refresh ----------------------------------------------------------------------------------------------------------


def refresh_facts(done: Refresh, release: Facts | None, waiting: Facts | None) -> Facts:
    """What a refresh did, as JSON."""
    return {
        "materialized": [{"asset": a, "partition": p} for a, p in done.materialized],
        "failed": [{"asset": a, "partition": p, "reason": why} for a, p, why in done.failed],
        "held": [{"asset": s.asset, "partition": s.partition} for s in done.held],
        "waiting": [{"asset": s.asset, "partition": s.partition} for s in done.waiting],
        "deliveries_waiting": [f"{w.kind}/{w.name}: {w.reason}" for w in done.landing.waiting],
        "deliveries_rejected": [f"{r.kind}/{r.name}: {r.reason}" for r in done.landing.rejected],
        "release": release,
        "waiting_release": waiting,
        "seconds": round(done.seconds, 2),
    }


def print_refresh(done: Refresh, release: Facts | None, waiting: Facts | None, progress_only: bool) -> None:
    """What a refresh did, and on standard error what it could not do.

    Args:
        done: the refresh.
        release: the latest release, if there is one.
        waiting: the release that needs signatures, if there is one.
        progress_only: print nothing to standard output, which has the JSON.
    """
    if not progress_only:
        assets = len({asset for asset, _ in done.materialized})
        if assets:
            print(f"materialized {assets} assets ({len(done.materialized)} partitions) in {done.seconds:.1f} s")
        else:
            print(f"nothing to do: {UP_TO_DATE}" if done.ok else "nothing was materialized")
        if release:
            print(f"release: {release['release']}{' (synthetic)' if release['synthetic'] else ''}")
        if waiting:
            print(waits(waiting))
    for unused in done.landing.waiting:
        say(f"waiting delivery {unused.kind}/{unused.name}: {unused.reason}")
    for unused in done.landing.rejected:
        say(f"REJECTED delivery {unused.kind}/{unused.name}: {unused.reason}")
    for step in done.held:
        say(f"BLOCKED {step.label}: {'; '.join(step.reasons)}")
    if done.waiting:
        failed = {_label(asset, partition) for asset, partition, _ in done.failed}
        roots = sorted({step.label for step in done.held} | failed)
        upstream = ", ".join(roots) or "deliveries that have not arrived"
        say(f"{_count(len(done.waiting), 'partition')} downstream of {upstream} could not be materialized")


def print_plan(steps: Sequence[Step]) -> None:
    """What a refresh would do, and why."""
    for step in steps:
        print(f"{STATES.get(step.state, step.state):16} {step.label}: {'; '.join(step.reasons)}")
    if not steps:
        print(f"nothing to do: {UP_TO_DATE}")


# --- status -----------------------------------------------------------------------------------------------------------


def print_status(facts: Facts) -> None:
    """The state of a home: what needs attention first, then what a refresh would do."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 160)
    release = facts["last_release"]
    kind = "synthetic data" if facts["synthetic"] else "real data"
    console.print(f"home {facts['home']} ({kind}, mode {facts['mode']})")
    console.print(f"last release {release['release']}, {release['created']}" if release else "no release yet")
    if facts["waiting_release"]:
        console.print(waits(facts["waiting_release"]))
    _print_partitions(console, facts)
    for step in facts["held"]:
        console.print(f"blocked {_label(step['asset'], step['partition'])}: {'; '.join(step['reasons'])}")
    for check in facts["failing_checks"]:
        place = _label(check["asset"], check["partition"])
        console.print(f"{check['severity']} {place}: {check['meaning']} ({check['failing']} of {check['total']})")
    for found in facts["quarantine"]:
        what = f"{found['file']}: {found['message']}" if found["file"] else f"{found['problems']} rows"
        console.print(f"quarantine {_label(found['asset'], found['partition'])}: {found['rule']}, {what}")
    for source in facts["sources"]:
        if source["overdue"]:
            days = f"{source['days_since_last']:.0f} days ago"
            console.print(f"overdue {source['source']}: the last delivery came {days}")
    for state in ("waiting", "rejected", "repeated"):
        for unused in facts["deliveries"][state]:
            console.print(f"{state} delivery {unused['delivery']}: {unused['reason']}")
    for step in facts["stale"]:
        console.print(f"stale {_label(step['asset'], step['partition'])}: {'; '.join(step['reasons'])}")
    if facts["waiting"]:
        waiting = _count(len(facts["waiting"]), "partition")
        console.print(f"{waiting} cannot be materialized until their upstream tables exist")
    if not (facts["stale"] or facts["held"] or facts["waiting"]):
        console.print(UP_TO_DATE)


def _print_partitions(console: Console, facts: Facts) -> None:
    from rich.table import Table

    if not (facts["waves"] or facts["batches"]):
        return
    table = Table("partition", "name", "state", "behind", box=None)
    for kind, rows in (("wave", facts["waves"]), ("batch", facts["batches"])):
        for row in rows:
            table.add_row(kind, row[kind], STATES.get(row["state"], row["state"]), ", ".join(row["behind"]))
    console.print(table)


# --- deliveries and recordings ----------------------------------------------------------------------------------------


def print_validation(found: Validation) -> None:
    """What is wrong with a drop, file by file and row by row."""
    for file in found.summary.to_dict("records"):
        print(f"{file['file']}: {file['rows_fine']:,} of {file['rows_read']:,} rows fine")
    for note in found.notes:
        print(f"note: {note}")
    problems = found.problems.astype(object).where(found.problems.notna(), None).to_dict("records")
    for problem in problems:
        row = f" row {problem['row']}" if problem["row"] is not None else ""
        column = f" [{problem['column']}]" if problem["column"] else ""
        print(f"{problem['file']}{row}{column} {problem['rule']}: {problem['message']}")
    print("the drop keeps the contract" if not problems else _count(len(problems), "problem"))


def print_pair(summary: Facts) -> None:
    """A classified pair in counts and minutes, and the files."""
    print(f"{summary['epochs']:,} epochs, {summary['days']} days, {summary['valid_days']} of them valid")
    print("minutes: " + ", ".join(f"{name} {minutes:,}" for name, minutes in summary["minutes"].items()))
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
        place = _label(table["asset"], table["partition"])
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


def _label(asset: str, partition: str) -> str:
    return f"{asset} [{partition}]" if partition else asset


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
