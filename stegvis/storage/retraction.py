"""Retracting a published wave: a fixed sentence in the place of its numbers, and no new value.

Who decided and why stays in the home, in ``decisions.jsonl`` (a hash chain, ``hash_chain.py``) beside the warehouse, so
that no backup of the warehouse brings the numbers back. Earlier releases are not changed.
"""

from __future__ import annotations

from pathlib import Path

from stegvis.storage.decisions import RETRACT, DecisionError, add_decision, named, read_decisions
from stegvis.storage.home import Home
from stegvis.storage.releases import newest_published
from stegvis.storage.warehouse import Warehouse, table_exists, transaction


def retracted_waves(root: Path) -> frozenset[str]:
    """The waves of a home whose numbers were retracted.

    Args:
        root: the home's folder.

    Raises:
        DecisionError: the file of decisions was damaged.
    """
    return frozenset(str(line["wave"]) for line in read_decisions(root) if line.get("decision") == RETRACT)


def retract_wave(home: Home, wave: str, by: str, because: str) -> None:
    """Record that a wave is retracted; the next refresh publishes it. Call with the refresh's lock held.

    Args:
        home: the home.
        wave: a published wave.
        by: who decided.
        because: why; stays in the home.

    Raises:
        DecisionError: the wave is not published, is retracted already, or name or reason is blank.
        stegvis.storage.releases.ReleaseError: an earlier release cannot be read.
    """
    who = named(by, because)
    published = newest_published(home.releases)
    waves = set(published.tables.attrition["wave"].astype("str")) if published else set()
    if wave not in waves:
        raise DecisionError(f"wave {wave} is not published; published are: {', '.join(sorted(waves)) or 'none'}")
    if wave in retracted_waves(home.root):
        raise DecisionError(f"wave {wave} is retracted already")
    add_decision(home.root, RETRACT, wave, **who)
    make_anew(home, wave)
    make_release_anew(home)


def make_anew(home: Home, wave: str) -> None:
    """Let the next refresh make the published tables of a wave anew; the release follows from them if they change."""
    _forget(home, "table_name = 'disclosure' and partition = ?", wave)


def make_release_anew(home: Home) -> None:
    """Let the next refresh make the release anew, for what is in no table: a retraction, or a registration."""
    _forget(home, "table_name = 'release'")


def _forget(home: Home, made: str, *values: str) -> None:
    """Delete the records of what was made, by a condition (a constant, never input)."""
    if home.warehouse.exists():
        with Warehouse(home).session("make anew") as connection, transaction(connection):
            if table_exists(connection, "materializations"):
                connection.execute(f"delete from materializations where {made}", list(values))
