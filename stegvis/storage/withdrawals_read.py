"""What each withdrawal drop named when it was last read, so that a refresh with nothing to do need not read it again.

It lies in the home, in ``withdrawals/read.json``, and holds keyed hashes that are on the list anyway. A drop is read
again as soon as anything that decides how it is understood has changed (its files, the code that reads them, the
versions of the libraries, a value of the study), if any of its people is not on the list, or if it ever had a problem:
only drops without problems are recorded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from stegvis.provenance.code import code_parts
from stegvis.provenance.fingerprint import fingerprint, short
from stegvis.provenance.libraries import library_versions
from stegvis.storage.home_key import hash_with
from stegvis.storage.landing import Drop
from stegvis.storage.whole_files import write_whole
from stegvis.storage.withdrawal_list import FOLDER, WithdrawalList
from stegvis.study.study import Study

FILE = f"{FOLDER}/read.json"
_PURPOSE = "withdrawal read"
_READER = "stegvis.storage.delivered_files"


def people_read_before(withdrawn: WithdrawalList, drop: Drop, study: Study) -> frozenset[str] | None:
    """The keyed hashes of the people whom a drop named; None where the drop must be read."""
    known = _records(withdrawn).get(drop.name)
    try:
        people, reads = frozenset(known["people"]), dict(known["reads"])  # type: ignore[index]
        made_from = known["made_from"]  # type: ignore[index]
    except (KeyError, TypeError, ValueError):
        return None
    if not people or not people <= withdrawn.people or any(study.current(name) != reads[name] for name in reads):
        return None
    return people if made_from == _made_from(withdrawn, drop, people, reads) else None


def record_read(withdrawn: WithdrawalList, drop: Drop, people: frozenset[str], reads: Mapping[str, str]) -> None:
    """Record a drop that was read without a problem, and the values of the study that were read for it."""
    entry = {
        "people": sorted(people),
        "reads": dict(reads),
        "made_from": _made_from(withdrawn, drop, people, reads),
    }
    write_whole(withdrawn.root / FILE, json.dumps(_records(withdrawn) | {drop.name: entry}))


def _made_from(withdrawn: WithdrawalList, drop: Drop, people: frozenset[str], reads: Mapping[str, str]) -> str:
    """A keyed hash of all that decides which people a drop names, and of these people."""
    parts = {"drop": drop.digest, "reads": fingerprint(dict(reads)), "people": short(json.dumps(sorted(people)))}
    return hash_with(withdrawn.key, _PURPOSE, fingerprint(parts | library_versions() | code_parts(_READER)))


def _records(withdrawn: WithdrawalList) -> dict[str, Any]:
    try:
        found = json.loads((withdrawn.root / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
