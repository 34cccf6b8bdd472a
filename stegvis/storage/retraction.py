"""Retracting a published wave: a fixed sentence in the place of its numbers, and no new value.

Who decided and why stays in the home, in ``decisions.jsonl`` (a hash chain, ``hash_chain.py``) beside the warehouse, so
that no backup of the warehouse brings the numbers back. Earlier releases are not changed.
"""

from __future__ import annotations

from pathlib import Path

from stegvis.storage.hash_chain import add_line, broken_links, read_lines
from stegvis.storage.home import Home
from stegvis.storage.releases import newest_published
from stegvis.storage.warehouse import Warehouse, table_exists, transaction

DECISIONS = "decisions.jsonl"
RETRACT = "retract"


class RetractError(ValueError):
    """The wave cannot be retracted, or it is not known which are; the message says why and what to do."""


def retracted_waves(root: Path) -> frozenset[str]:
    """The waves of a home whose numbers were retracted.

    Args:
        root: the home's folder.

    Raises:
        RetractError: the file of decisions was damaged.
    """
    if problems := broken_links(root / DECISIONS):
        raise RetractError(f"{problems[0]}: restore it from a backup; until then nothing is published")
    lines = read_lines(root / DECISIONS)
    return frozenset(str(line["wave"]) for line in lines if line.get("decision") == RETRACT)


def retract_wave(home: Home, wave: str, by: str, because: str) -> None:
    """Record that a wave is retracted; the next refresh publishes it. Call with the refresh's lock held.

    Args:
        home: the home.
        wave: a published wave.
        by: who decided.
        because: why; stays in the home.

    Raises:
        RetractError: the wave is not published, is retracted already, or name or reason is blank.
        stegvis.storage.releases.ReleaseError: an earlier release cannot be read.
    """
    if not by.strip() or not because.strip():
        raise RetractError("--by and --because must not be blank: they record who decided, and why")
    published = newest_published(home.releases)
    waves = set(published.tables.attrition["wave"].astype("str")) if published else set()
    if wave not in waves:
        raise RetractError(f"wave {wave} is not published; published are: {', '.join(sorted(waves)) or 'none'}")
    if wave in retracted_waves(home.root):
        raise RetractError(f"wave {wave} is retracted already")
    add_line(home.root / DECISIONS, {"decision": RETRACT, "wave": wave, "by": by, "because": because})
    if home.warehouse.exists():
        with Warehouse(home).session(f"retract {wave}") as connection, transaction(connection):
            if table_exists(connection, "materializations"):
                # Made anew at the next refresh; the release follows from it.
                mine = "table_name = 'disclosure' and partition = ?"
                connection.execute(f"delete from materializations where {mine}", [wave])
