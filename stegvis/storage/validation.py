"""Checking one delivery on its own, before or after it is put into the landing zone; lists every problem at once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from stegvis.accelerometry.cwa import read_cwa
from stegvis.accelerometry.cwa_format import CwaError
from stegvis.deliveries.problems import file_problem, join_problems
from stegvis.storage.delivered_files import DeliveredFile, DeliveryContract, read_delivered
from stegvis.storage.landing import KINDS, WAITING_RULES, Kind, examine_files, place_issue
from stegvis.storage.landing_cache import LandingCache
from stegvis.storage.manifest import MANIFEST, Issue
from stegvis.storage.names import shown, visible_entries
from stegvis.storage.reading import UnreadableFile, as_unreadable, must_have_content
from stegvis.storage.recording_files import recordings_of, sensor_of
from stegvis.storage.vital_status import latest_day
from stegvis.study.codebook import Codebook, LayoutName

LAYOUT_OF: dict[Kind, LayoutName] = {
    "baseline": "participants",
    "followup": "questionnaire",
    "withdrawals": "withdrawals",
    "registry": "vital_status",
}


@dataclass(frozen=True)
class Validation:
    """What was found in a delivery.

    ``problems``: file, row, column, rule, message (``stegvis/deliveries/problems.py``). ``summary``: one row per table
    with file, rows_read and rows_fine (of day totals, days). ``notes``: what is worth knowing and needs no correction.
    ``refused``: why a refresh would end with exit code 1, a phrase; blank if it would use the drop, without the rows
    and files that break a rule, or wait until it is complete.
    """

    kind: Kind | None
    problems: pd.DataFrame
    summary: pd.DataFrame
    notes: tuple[str, ...]
    refused: str = ""

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return self.problems.empty


@dataclass
class _Findings:
    problems: list[pd.DataFrame] = field(default_factory=list)
    summary: list[dict[str, str | int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    tables: list[DeliveredFile] = field(default_factory=list)
    usable: int = 0
    rejected: bool = False

    def add_issue(self, issue: Issue) -> None:
        self.problems.append(file_problem(shown(issue.file), issue.rule, issue.message))

    def add_issue_of_drop(self, issue: Issue) -> None:
        """A problem of the drop as a whole: it is rejected, or waits."""
        self.rejected = self.rejected or issue.rule not in WAITING_RULES
        self.add_issue(issue)

    def refusal(self, kind: Kind | None, largest_share: float) -> str:
        """Why a refresh would end with exit code 1; blank if it would not."""
        if kind is None or self.rejected:
            return "rejected"
        if kind == "withdrawals":
            broken = any(len(table.problems) for table in self.tables)
            return "a withdrawal that cannot be applied is an error" if broken else ""
        read = sum(table.rows_read for table in self.tables)
        if sum(table.rows_quarantined for table in self.tables) > largest_share * read:
            return f"more than {largest_share:.0%} of its rows break the contract"
        return "" if self.usable else "nothing in it can be used"

    def as_validation(self, kind: Kind | None, refused: str = "rejected") -> Validation:
        summary = pd.DataFrame(self.summary, columns=["file", "rows_read", "rows_fine"])
        summary = summary.astype({"file": "str", "rows_read": "int64", "rows_fine": "int64"})
        return Validation(kind, join_problems(self.problems), summary, tuple(self.notes), refused)


def validate_drop(path: Path, contract: DeliveryContract) -> Validation:
    """Check a drop against the delivery contract without using it.

    Args:
        path: a drop's folder, whose parent's name gives its kind (outside a landing zone, its files do); or the csv of
            withdrawals.
        contract: what it is checked against.

    Returns:
        Every problem of ``drop.json``, of the hashes, of the set of files, and of the contents of each file. The
        contents are checked even where ``drop.json`` is missing.
    """
    findings = _Findings()
    try:
        return _validate(path.resolve(), contract, findings)
    except (PermissionError, RuntimeError):  # a folder that may not be opened, or a link to itself
        findings.add_issue(Issue(shown(path.name), "unreadable", f"{shown(path.name)} cannot be opened"))
        return findings.as_validation(None)


def _validate(path: Path, contract: DeliveryContract, findings: _Findings) -> Validation:
    kind = _kind(path, contract)
    if kind is None:
        findings.add_issue(
            Issue(shown(path.name), "not_there", "there is no drop folder and no csv of withdrawals at this place")
        )
        return findings.as_validation(None)
    if path.parent.name == kind:
        misplaced = place_issue(kind, path)
        if misplaced:
            findings.add_issue_of_drop(misplaced)
    manifest, _, issues = examine_files(kind, path, LandingCache(path.parent))
    for issue in issues:
        findings.add_issue_of_drop(issue)
    files = [path] if kind == "withdrawals" else [f for f in visible_entries(path) if f.name != MANIFEST]
    contract = replace(contract, latest=latest_day(manifest is not None and manifest.synthetic))
    if manifest is not None:
        findings.notes += manifest.notes
        findings.notes += [
            f"{shown(f.name)} is not listed in {MANIFEST}: ignored" for f in files if f.name not in manifest.files
        ]
        files = [f for f in files if f.name in manifest.files]
        if kind != "withdrawals" and manifest.replaces and not (path.parent / manifest.replaces).exists():
            findings.notes.append(
                f"{MANIFEST} replaces {shown(manifest.replaces)}, but no drop of that name lies beside this one: "
                "nothing is replaced"
            )
    largest = contract.protocol.checks.largest_quarantined_share
    if kind == "recordings":
        _check_recordings(files, contract, findings)
        return findings.as_validation(kind, findings.refusal(kind, largest))
    layout = LAYOUT_OF[kind]
    for file in files:
        if kind == "withdrawals" or file.stem == contract.codebook[layout].file:
            _check_table(file, layout, contract, findings)
        else:
            findings.notes.append(f"{shown(file.name)} is no file of this kind of drop: ignored")
    return findings.as_validation(kind, findings.refusal(kind, largest))


def layouts_of(path: Path, kind: Kind | None, codebook: Codebook) -> dict[str, LayoutName]:
    """The layout of each table of a drop, by file name; of raw recordings there is none."""
    if kind is None:
        return {}
    if kind == "withdrawals":
        return {path.name: "withdrawals"}
    files = [file.name for file in visible_entries(path) if file.name != MANIFEST]
    if kind == "recordings":
        recordings, _ = recordings_of(files)
        return {each.files[0]: each.level for each in recordings if each.level != "raw"}
    layout = LAYOUT_OF[kind]
    return {name: layout for name in files if Path(name).stem == codebook[layout].file}


def _kind(path: Path, contract: DeliveryContract) -> Kind | None:
    """The kind of a drop: by the folder it is in, else by what it holds."""
    if path.is_file():
        return "withdrawals" if path.suffix == ".csv" else None
    if not path.is_dir():
        return None
    for kind in KINDS:
        if path.parent.name == kind and kind != "withdrawals":
            return kind
    stems = {entry.stem for entry in visible_entries(path)}
    if contract.codebook["participants"].file in stems:
        return "baseline"
    if contract.codebook["vital_status"].file in stems:
        return "registry"
    return "followup" if contract.codebook["questionnaire"].file in stems else "recordings"


def _check_recordings(files: list[Path], contract: DeliveryContract, findings: _Findings) -> None:
    """Every recording by its layout; of raw ones, that the thigh is there and each file can be read.

    Whether the two sensors of a pair belong together shows when they are classified.
    """
    recordings, issues = recordings_of(file.name for file in files)
    for issue in issues:
        findings.add_issue(issue)
    by_name = {file.name: file for file in files}
    for recording in recordings:
        findings.usable += recording.level == "raw"
        if recording.level == "raw" and len(recording.files) == 1:
            findings.notes.append(
                f"{shown(recording.files[0])}: there is no back, so it is classified by the thigh alone"
            )
        if recording.level != "raw":
            _check_table(by_name[recording.files[0]], recording.level, contract, findings)
    for file in files:
        if file.suffix.lower() == ".cwa" and sensor_of(file.name):
            _check_raw(file, findings)


def _check_raw(file: Path, findings: _Findings) -> None:
    try:
        must_have_content(file)
        recording = read_cwa(file)
    except CwaError as error:
        findings.add_issue(Issue(file.name, "unreadable", str(error)))
        return
    except Exception as error:  # whatever reading it raised: a damaged file costs itself
        found = as_unreadable(error, file)
        if not isinstance(found, UnreadableFile):
            raise
        findings.add_issue(Issue(file.name, "unreadable", found.reason))
        return
    damaged = sum(recording.masked_blocks.values())
    if damaged:
        findings.notes.append(f"{file.name}: {damaged} damaged sectors will be skipped")


def _check_table(file: Path, layout: LayoutName, contract: DeliveryContract, findings: _Findings) -> None:
    found = read_delivered(file, shown(file.name), layout, contract)
    # A signal that is refused is a recording that is refused, whose rows do not count.
    if layout != "signal":
        findings.tables.append(found)
    findings.usable += layout == "signal" or bool(len(found.frame))
    findings.problems.append(found.problems)
    if found.unreadable:
        return
    findings.notes += [f"{file.name}: {note}" for note in found.notes]
    read, quarantined = found.rows_read, found.rows_quarantined
    findings.summary.append({"file": shown(file.name), "rows_read": read, "rows_fine": read - quarantined})
    largest = contract.protocol.checks.largest_quarantined_share
    if not found.refused and quarantined > largest * read:
        message = f"more than {largest:.0%} of the rows break the contract: the delivery would be refused"
        findings.add_issue(Issue(file.name, "too_many_quarantined", message))
