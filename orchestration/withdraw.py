"""Withdrawals of consent: a list becomes a drop of the landing zone, and every drop is applied before anything else.

Belongs here: reading the drops, what came of them, and what could not be applied. Does not belong here: the list
(``stegvis/storage/withdrawal_list.py``), erasing (``stegvis/storage/erasure.py``). Delivered files are not changed.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from stegvis.orchestration.dagster_erasure import StorageInUseError, erase_from_dagster
from stegvis.storage.alerts import Severity, add_alert
from stegvis.storage.erasure import erase_from_lake, is_applied_to_lake
from stegvis.storage.home import Home
from stegvis.storage.landing import Drop, Landing, scan
from stegvis.storage.warehouse import Warehouse
from stegvis.storage.withdrawal_list import WithdrawalList, add_to_list, clear_pending, is_pending, read_list
from stegvis.storage.withdrawals_read import people_read_before, record_read
from stegvis.study.codebook import Layout
from stegvis.study.study import Study

ALERT = "withdrawal"
_LONGEST_WAIT_SECONDS = 86_400.0


class WithdrawalError(ValueError):
    """The list cannot be registered; the message names the row and the rule, never a person."""


@dataclass(frozen=True)
class Named:
    """One withdrawal drop as it was read: the keyed hashes of those it names, and what of it could not be read."""

    drop: str
    people: frozenset[str]
    problems: tuple[str, ...] = ()


@dataclass
class Withdrawals:
    """The withdrawal drops of a landing zone.

    Attributes:
        drops: those that were read.
        problems: what could not be read or applied, each a sentence with drop, row and next step.
    """

    drops: list[Named] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def register(home: Home, file: Path, layout: Layout) -> tuple[str, int]:
    """Write a list of people as a drop of the landing zone.

    The drop is marked as synthetic where all other deliveries of the home are.

    Args:
        home: the home whose landing zone gets the drop.
        file: the list, a table with one column.
        layout: the codebook's ``withdrawals``.

    Returns:
        The drop's name and how many people it names.

    Raises:
        WithdrawalError: the file cannot be read, or a row breaks the contract.
    """
    people = _people_of(file, layout)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow([layout.columns["person"].source[0]])
    writer.writerows([each] for each in people)
    content = text.getvalue().encode("utf-8")
    synthetic = _is_synthetic(home.create())
    folder = home.landing / "withdrawals"
    folder.mkdir(exist_ok=True)
    name = f"{datetime.now(UTC):%Y-%m-%dT%H%M%S}-{os.getpid()}"
    target = folder / f"{name}.csv"
    target.write_bytes(content)
    if _people_of(target, layout) != people:
        target.unlink()
        raise WithdrawalError(f"{file.name}: an identifier cannot be written to a csv file and read back unchanged")
    manifest: dict[str, object] = {"files": {target.name: {"sha256": hashlib.sha256(content).hexdigest()}}}
    if synthetic:
        manifest["synthetic"] = True
    (folder / f"{name}.json").write_text(json.dumps(manifest), encoding="utf-8")
    return name, len(people)


def apply_withdrawals(home: Home, landing: Landing) -> Withdrawals:
    """Put everyone whom a drop names on the home's list, and erase them. Call with the refresh's lock held.

    Raises:
        stegvis.storage.home_key.HomeKeyError: the list or its key is damaged.
    """
    read = read_withdrawals(home, landing, record=True)
    withdrawn = read_list(home.root)
    if withdrawn.people:
        if home.warehouse.exists():
            with Warehouse(home).session("withdrawals"):  # opening it erases
                pass
        from stegvis.storage.published_people import forget

        withdrawn.note_found(forget(home.root, withdrawn))
        if not is_applied_to_lake(home, withdrawn):
            withdrawn.note_found(erase_from_lake(home, withdrawn))
        try:
            erase_from_dagster(home, withdrawn)
        except StorageInUseError as error:
            read.problems.append(str(error))
    for problem in read.problems:
        add_alert(home.root, "error", ALERT, "withdrawals", problem)
    return read


def read_withdrawals(home: Home, landing: Landing, record: bool = False) -> Withdrawals:
    """Read every withdrawal drop; a row that breaks the contract is a problem, the others count.

    Args:
        home: the home.
        landing: its landing zone.
        record: put the people on the home's list.
    """
    withdrawn, study = read_list(home.root), Study.of(home.root)
    found = Withdrawals()
    for drop in landing.accepted:
        if drop.kind == "withdrawals":
            found.drops.append(_read(withdrawn, drop, study, record))
    found.problems += [f"withdrawals/{drop.name}: {drop.reason}" for drop in landing.rejected if _is_withdrawal(drop)]
    found.problems += [
        f"withdrawals/{drop.name}: {drop.reason}; it has waited for more than a day"
        for drop in landing.waiting
        if _is_withdrawal(drop) and _age_seconds(drop.path) > _LONGEST_WAIT_SECONDS
    ]
    found.problems += [problem for drop in found.drops for problem in drop.problems]
    return found


def finish_erasure(home: Home, read: Withdrawals) -> list[str]:
    """Write the warehouse anew once everything is rebuilt, and report each drop whose counts are new.

    Returns:
        One line per such drop: how many people it names, how many were found, how many were not.
    """
    if is_pending(home.root):
        Warehouse(home).rewrite("withdrawals")
        clear_pending(home.root)
    erased = read_list(home.root).found()
    lines = []
    for drop in read.drops:
        if not drop.people:
            continue
        found = len(drop.people & erased)
        message = _counts(len(drop.people), found)
        severity: Severity = "info" if found == len(drop.people) else "warning"
        if add_alert(home.root, severity, ALERT, f"withdrawals/{drop.drop}", message):
            lines.append(f"withdrawals/{drop.drop}: {message}")
    return lines


def _counts(people: int, found: int) -> str:
    missing = people - found
    text = f"{people:,} {'person' if people == 1 else 'people'}; {found:,} found and erased"
    return text + (f", {missing:,} not found in any delivery (erased if they are delivered later)" if missing else "")


def _read(withdrawn: WithdrawalList, drop: Drop, study: Study, record: bool) -> Named:
    if (before := people_read_before(withdrawn, drop, study)) is not None:
        return Named(drop.name, before)
    recording = study.recording()
    people, problems = _read_files(drop, recording)
    hashes = frozenset(withdrawn.hash_of(person) for person in people)
    if record:
        add_to_list(withdrawn.root, drop.name, people)
        if people and not problems:
            record_read(withdrawn, drop, hashes, recording.reads)
    return Named(drop.name, hashes, tuple(problems))


def _read_files(drop: Drop, study: Study) -> tuple[set[str], list[str]]:
    """The people whom a drop names, and what of it could not be read."""
    # Reading needs pandas; most refreshes find every drop as it was read before.
    from stegvis.storage.delivered_files import DeliveryContract, read_delivered

    contract = DeliveryContract(study.codebook, study.protocol)
    people: set[str] = set()
    problems = []
    for file in drop.files:
        label = f"withdrawals/{file.name}"
        read = read_delivered(file.path, label, "withdrawals", contract)
        for problem in read.problems[read.problems["rule"] != "duplicate"].to_dict("records"):
            row = "" if problem["row"] is None or problem["row"] != problem["row"] else f" row {problem['row']}"
            problems.append(f"{label}{row}: {problem['message']}; deliver a list with this corrected")
        if not read.refused:
            people |= set(read.frame["person"])
    return people, problems


def _people_of(file: Path, layout: Layout) -> list[str]:
    """The identifiers of a list, each once, sorted."""
    from stegvis.deliveries.contract import apply_contract
    from stegvis.storage.reading import UnreadableFile, read_table

    try:
        contracted = apply_contract(read_table(file), layout, file.name)
    except UnreadableFile as error:
        raise WithdrawalError(f"{file.name}: {error.reason}") from error
    broken = contracted.problems[contracted.problems["rule"] != "duplicate"]
    if len(broken):
        first = broken.iloc[0]
        row = "" if first.isna()["row"] else f" row {first['row']}"
        raise WithdrawalError(f"{file.name}{row}: {first['message']}")
    return sorted(contracted.frame["person"].unique())


def _is_withdrawal(drop: object) -> bool:
    return getattr(drop, "kind", None) == "withdrawals"


def _age_seconds(path: Path) -> float:
    """How long ago a withdrawal's csv, or where that is missing its ``drop.json``, was changed; seconds."""
    found = [file.stat().st_mtime for file in (path, path.with_suffix(".json")) if file.exists()]
    return time.time() - max(found, default=time.time())


def _is_synthetic(home: Home) -> bool:
    """Whether the home has deliveries of people, all of them marked as synthetic."""
    people = [drop for drop in scan(home.landing, home.hash_cache).accepted if drop.kind != "withdrawals"]
    return bool(people) and all(drop.synthetic for drop in people)
