"""Checking one delivery on its own, before or after it is put into the landing zone.

Belongs here: which files of a drop are checked against which layout, and everything that is wrong with them at once.
Does not belong here: the contract itself (``stegvis/deliveries/contract.py``), the landing zone (``stegvis/storage/landing.py``), printing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pandas as pd

from stegvis.accelerometry.cwa import CwaError, read_cwa
from stegvis.deliveries.contract import FIRST_ROW, Contracted, apply_contract, contract_days, contract_signal
from stegvis.deliveries.problems import file_problem, join_problems
from stegvis.storage.landing import (
    KINDS,
    MANIFEST,
    Hashes,
    Issue,
    Kind,
    examine_files,
    place_issue,
    recording_level,
    visible_entries,
)
from stegvis.storage.reading import UnreadableFile, read_parts, read_table
from stegvis.study.codebook import LayoutName, codebook
from stegvis.study.protocol import protocol

TABLE_OF: dict[Kind, LayoutName] = {
    "baseline": "participants",
    "followup": "questionnaire",
    "withdrawals": "withdrawals",
}
RAW_HALVES = ("_back", "_thigh")


@dataclass(frozen=True)
class Validation:
    """What was found in a delivery.

    ``problems``: file, row, column, rule, message (``stegvis/deliveries/problems.py``). ``summary``: one row per table with file,
    rows_read and rows_fine (of day totals, days). ``notes``: what a person should know and need not mend.
    """

    kind: Kind | None
    problems: pd.DataFrame
    summary: pd.DataFrame
    notes: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return self.problems.empty


@dataclass
class _Findings:
    problems: list[pd.DataFrame] = field(default_factory=list)
    summary: list[dict[str, str | int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add_issue(self, issue: Issue) -> None:
        self.problems.append(file_problem(issue.file, issue.rule, issue.message))

    def as_validation(self, kind: Kind | None) -> Validation:
        summary = pd.DataFrame(self.summary, columns=["file", "rows_read", "rows_fine"])
        summary = summary.astype({"file": "str", "rows_read": "int64", "rows_fine": "int64"})
        return Validation(kind, join_problems(self.problems), summary, tuple(self.notes))


def validate_drop(path: Path) -> Validation:
    """Check a drop against the delivery contract without using it.

    Args:
        path: a drop's folder, whose parent's name tells its kind (outside a landing zone, its files do); or the csv of
            withdrawals.

    Returns:
        Every problem of ``drop.json``, of the hashes, of the set of files, and of the contents of each file. The
        contents are checked even where ``drop.json`` is missing.
    """
    path = path.resolve()
    findings = _Findings()
    kind = _kind(path)
    if kind is None:
        findings.add_issue(
            Issue(path.name, "not_there", "there is no drop folder and no csv of withdrawals at this place")
        )
        return findings.as_validation(None)
    if path.parent.name == kind:
        misplaced = place_issue(kind, path)
        if misplaced:
            findings.add_issue(misplaced)
    manifest, _, issues = examine_files(kind, path, Hashes(path.parent))
    for issue in issues:
        findings.add_issue(issue)
    files = [path] if kind == "withdrawals" else [f for f in visible_entries(path) if f.name != MANIFEST]
    if manifest is not None:
        findings.notes += manifest.notes
        findings.notes += [
            f"{f.name} is not listed in {MANIFEST}: ignored" for f in files if f.name not in manifest.files
        ]
        files = [f for f in files if f.name in manifest.files]
    if kind == "recordings":
        _check_recordings(files, findings)
    else:
        layout = TABLE_OF[kind]
        for file in files:
            if kind == "withdrawals" or file.stem == codebook()[layout].file:
                _check_table(file, layout, findings)
            else:
                findings.notes.append(f"{file.name} is no file of this kind of drop: ignored")
    return findings.as_validation(kind)


def _kind(path: Path) -> Kind | None:
    """The kind of a drop: by the folder it lies in, else by what it holds."""
    if path.is_file():
        return "withdrawals" if path.suffix == ".csv" else None
    if not path.is_dir():
        return None
    for kind in KINDS:
        if path.parent.name == kind and kind != "withdrawals":
            return kind
    stems = {entry.stem for entry in visible_entries(path)}
    if codebook()["participants"].file in stems:
        return "baseline"
    return "followup" if codebook()["questionnaire"].file in stems else "recordings"


def _check_recordings(files: list[Path], findings: _Findings) -> None:
    names = {file.name for file in files}
    for file in files:
        match recording_level(file.name):
            case "days":
                _check_table(file, "days", findings, partial(contract_days, rules=protocol().days))
            case "epochs":
                _check_table(file, "epochs", findings)
            case "signal":
                _check_table(file, "signal", findings, contract_signal)
            case "raw":
                _check_raw(file, names, findings)
            case None:
                findings.notes.append(f"{file.name} is no recording: ignored")


def _check_raw(file: Path, names: set[str], findings: _Findings) -> None:
    """Both sensors of a pair must be there, and each file be readable; whether they belong together shows later."""
    name, stem = file.name, file.stem
    half = next((half for half in RAW_HALVES if stem.endswith(half) and stem != half), None)
    if half is None:
        message = "a raw recording is named <person>_back.cwa or <person>_thigh.cwa"
        findings.add_issue(Issue(name, "file_name", message))
        return
    other = RAW_HALVES[1 - RAW_HALVES.index(half)]
    if stem.removesuffix(half) + other + ".cwa" not in names:
        findings.add_issue(
            Issue(name, "half_missing", f"the recording of the other sensor, named {other}.cwa, is missing")
        )
    try:
        recording = read_cwa(file)
    except CwaError as error:
        findings.add_issue(Issue(name, "unreadable", str(error)))
        return
    damaged = sum(recording.masked_blocks.values())
    if damaged:
        findings.notes.append(f"{name}: {damaged} damaged sectors will be left out")


def _check_table(
    file: Path,
    layout: LayoutName,
    findings: _Findings,
    contract: Callable[..., Contracted] = apply_contract,
) -> None:
    read = fine = 0
    refused = False
    try:
        for contracted in _contracted(file, layout, contract):
            findings.problems.append(contracted.problems)
            findings.notes += [f"{file.name}: {note}" for note in contracted.notes if read == 0]
            read += contracted.rows_read
            fine += len(contracted.frame)
            refused |= contracted.refused
            if refused:
                break
    except UnreadableFile as error:
        findings.add_issue(Issue(file.name, "unreadable", error.reason))
        return
    findings.summary.append({"file": file.name, "rows_read": read, "rows_fine": fine})
    largest = protocol().checks.largest_quarantined_share
    if not refused and read - fine > largest * read:
        message = f"more than {largest:.0%} of the rows break the contract: the delivery would be refused"
        findings.add_issue(Issue(file.name, "too_many_quarantined", message))


def _contracted(file: Path, layout: LayoutName, contract: Callable[..., Contracted]) -> Iterator[Contracted]:
    """A file after its contract; epochs, which are many, part by part."""
    if layout != "epochs":
        yield contract(read_table(file, infer_types=layout == "signal"), codebook()[layout], file.name)
        return
    row = FIRST_ROW
    for part in read_parts(file):
        yield apply_contract(part, codebook()[layout], file.name, first_row=row)
        row += len(part)
