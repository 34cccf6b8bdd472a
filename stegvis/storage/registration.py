"""Registrations: what a study said that it would ask, written down before a wave is opened.

A registration is a document in ``registrations/`` of the home, as JSON and as text: the date, the hash of each file of
the study, the protocol itself, the version of the program, and the declared estimates in words. ``chain.jsonl`` beside
the documents is a hash chain (``hash_chain.py``) with the hash of each. A document is never replaced: a later one of
the same wave is a numbered amendment that says what changed.

A release repeats the documents of its waves, and compares the last of each with the study as it is
(``registration_state``).
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stegvis import version as program
from stegvis.release.bridge import changed_values
from stegvis.release.registration_text import registration_text
from stegvis.storage.hash_chain import add_line, broken_links, read_lines
from stegvis.storage.home import Home
from stegvis.storage.lock import locked
from stegvis.storage.names import visible_entries, wave_of
from stegvis.storage.releases import release_folders
from stegvis.storage.report_inputs import source_digest
from stegvis.storage.retraction import make_release_anew
from stegvis.storage.warehouse import Warehouse, table_exists
from stegvis.storage.whole_files import write_whole
from stegvis.study.protocol_estimates import in_words
from stegvis.study.study import FILES, PROTOCOL, Study

FOLDER = "registrations"
CHAIN = "chain.jsonl"


class RegistrationError(ValueError):
    """A wave cannot be registered, or what was registered was damaged; the message says what to do."""


@dataclass(frozen=True)
class Registration:
    """A registration as it is in the home: its document, the text beside it, and the document's hash."""

    file: Path
    content: Mapping[str, Any]
    sha256: str

    @property
    def day(self) -> str:
        """The day of the registration (UTC)."""
        return str(self.content["time"])[:10]


def register(home: Home, wave: str, late: bool = False) -> Registration:
    """Write the registration of a wave from the study of a home, or an amendment of it.

    Call with the refresh's lock held.

    Args:
        home: the home.
        wave: its name, the years in which it will be delivered.
        late: the wave may have arrived already; the document then says so.

    Raises:
        RegistrationError: the name is no wave's; the wave has arrived, and ``late`` was not asked for; nothing has
            changed since the last registration; or the registrations were damaged.
        stegvis.study.settings.SettingsError: the study breaks its rules.
    """
    if wave_of(wave) != wave:
        raise RegistrationError(f"{wave} is no wave: a wave is named by its years, such as 2033 or 2033-2035")
    arrived = how_opened(home, wave)
    if arrived and not late:
        raise RegistrationError(
            f"wave {wave} is not registered: {arrived}, so this would not be before it was opened; "
            f"stegvis register wave {wave} --late registers it as late"
        )
    study = Study.of(home.root)
    with locked(home.root / "registrations.lock", "the registrations"):
        earlier = registrations(home.root, wave)
        content = _content(home, wave, study, len(earlier) + 1, bool(arrived))
        if earlier:
            last = earlier[-1]
            changed, files = changes_since(last, content)
            if not changed and not files:
                raise RegistrationError(f"wave {wave} was registered on {last.day}, and nothing has changed since")
            content |= {"amends": last.file.name, "amends_sha256": last.sha256}
            content |= {"changed": changed, "changed_files": files}
        found = _written(home.root, content)
    if arrived:
        make_release_anew(home)
    return found


def registrations(root: Path, wave: str) -> list[Registration]:
    """The registration of a wave and its amendments, in order; none if it was not registered.

    Raises:
        RegistrationError: a document or the chain was damaged.
    """
    restore = "restore it from a backup; until then nothing is published"
    if problems := broken_links(root / FOLDER / CHAIN):
        raise RegistrationError(f"{FOLDER}: {problems[0]}: {restore}")
    found = []
    for line in read_lines(root / FOLDER / CHAIN):
        if line.get("wave") != wave:
            continue
        file = root / FOLDER / Path(str(line["file"])).name
        try:
            text = file.read_bytes()
        except OSError:
            raise RegistrationError(f"{FOLDER}/{file.name} cannot be read: {restore}") from None
        sha256 = hashlib.sha256(text).hexdigest()
        if sha256 != line["sha256"]:
            raise RegistrationError(f"{FOLDER}/{file.name} is not as it was registered: {restore}")
        found.append(Registration(file, json.loads(text), sha256))
    return found


def how_opened(home: Home, wave: str) -> str:
    """How a wave has arrived in a home, as a phrase; blank while it has not."""
    delivered = home.landing / "followup"
    if delivered.is_dir() and any(wave_of(each.name) == wave for each in visible_entries(delivered)):
        return "its delivery is in the landing zone"
    if home.warehouse.exists():
        with Warehouse(home).session("register") as connection:
            if table_exists(connection, "materializations"):
                mine = "table_name = 'followup_questionnaire' and partition = ?"
                row = connection.execute(f"select count(*) from materializations where {mine}", [wave]).fetchone()
                if row and row[0]:
                    return "tables of it were made already"
    return "a release has it" if any(_has_wave(folder, wave) for folder in release_folders(home.releases)) else ""


def changes_since(last: Registration, now: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    """The values of the protocol that differ from a registration, and the other files of the study that do.

    A protocol whose values are the same is unchanged, whatever its comments say.
    """
    before: Mapping[str, str] = last.content["files"]
    after: Mapping[str, str] = now["files"]
    files = [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]
    changed = changed_values(last.content["protocol"], now["protocol"])
    return changed, [name for name in files if name != PROTOCOL]


def sections_of(changed: Sequence[Mapping[str, Any]]) -> list[str]:
    """The sections of the protocol that changed values are in."""
    return sorted({str(each["name"]).partition(".")[0] for each in changed})


def registration_state(root: Path, study_folder: Path, study: Study, waves: Sequence[str]) -> list[dict[str, Any]]:
    """What a release says of the registration of each of its waves (``registration.json``).

    Args:
        root: the home's folder.
        study_folder: of the home.
        study: as it is now.
        waves: those of the release.

    Returns:
        One record per wave: ``wave``, ``registered`` (the day, or None), ``late``, ``document``, ``sha256``,
        ``amendments`` (each with the same, and what it changed), ``changed`` and ``files`` (sections of the protocol,
        and other files, that have changed since the last of them), ``declared`` (whether there is a primary estimate).

    Raises:
        RegistrationError: what was registered was damaged.
    """
    declared, now, found = study.protocol.estimates.primary is not None, study_files(study_folder), []
    for wave in waves:
        documents = registrations(root, wave)
        record: dict[str, Any] = {"wave": wave, "registered": None, "late": False, "document": None, "sha256": None}
        record |= {"amendments": [], "changed": [], "files": [], "declared": declared}
        if documents:
            first, *amendments = documents
            changed, files = changes_since(documents[-1], now)
            record |= _named(first) | {"changed": sections_of(changed), "files": files}
            record["amendments"] = [
                _named(each) | {"changed": sections_of(each.content["changed"]), "files": each.content["changed_files"]}
                for each in amendments
            ]
        found.append(record)
    return found


def copy_documents(root: Path, waves: Sequence[str], folder: Path) -> None:
    """Copy the documents of waves, with the texts beside them, into a release."""
    for wave in waves:
        for each in registrations(root, wave):
            (folder / FOLDER).mkdir(exist_ok=True)
            for file in (each.file, each.file.with_suffix(".md")):
                if file.exists():
                    (folder / FOLDER / file.name).write_bytes(file.read_bytes())


def study_files(folder: Path) -> dict[str, Any]:
    """The hash of each file of a study, and the values of its protocol as the file has them."""
    there = {name: (folder / name).read_bytes() for name in FILES if (folder / name).exists()}
    return {
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in there.items()},
        "protocol": tomllib.loads(there[PROTOCOL].decode("utf-8-sig")),
    }


def _content(home: Home, wave: str, study: Study, number: int, late: bool) -> dict[str, Any]:
    declared = study.protocol.estimates.declared()
    return {
        "wave": wave,
        "number": number,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "late": late,
        "title": study.protocol.study.title,
        "version": study.protocol.study.version,
        "mode": study.protocol.study.mode,
        "estimates": [{"purpose": purpose, "asked": in_words(each, study.protocol)} for purpose, each in declared],
        "code": {"version": program.version(), "commit": program.commit(), "sha256": source_digest()},
        **study_files(home.study),
    }


def _written(root: Path, content: Mapping[str, Any]) -> Registration:
    """Write document and text, then the line of the chain: without the line they do not count, and are replaced."""
    number = content["number"]
    name = content["wave"] if number == 1 else f"{content['wave']}.amendment-{number - 1}"
    (root / FOLDER).mkdir(exist_ok=True, mode=0o700)
    file = root / FOLDER / f"{name}.json"
    text = json.dumps(content, indent=2) + "\n"
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    write_whole(file, text)
    write_whole(file.with_suffix(".md"), registration_text(content, sha256))
    line = {"wave": content["wave"], "number": number, "late": content["late"], "file": file.name, "sha256": sha256}
    add_line(root / FOLDER / CHAIN, line)
    return Registration(file, content, sha256)


def _named(each: Registration) -> dict[str, Any]:
    document = f"{FOLDER}/{each.file.name}"
    return {"registered": each.day, "late": bool(each.content["late"]), "document": document, "sha256": each.sha256}


def _has_wave(release: Path, wave: str) -> bool:
    try:
        return wave in json.loads((release / "manifest.json").read_text(encoding="utf-8")).get("waves", {})
    except (OSError, ValueError):
        return False
