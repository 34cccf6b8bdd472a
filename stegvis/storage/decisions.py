"""What named persons decided about publication: ``decisions.jsonl``, a hash chain in the home outside the warehouse.

``retract``    a published wave has no numbers any more
``publish``    a wave shall be published anew, or (where releases are gone) again
``granted``    the audit of such an edition passed: for the deliveries and the method named in the line
``refused``    it did not; the wave keeps its numbers

Name and reason stay in the home; a release says what kind of edition it is, and nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stegvis.storage.hash_chain import add_line, broken_links, read_lines
from stegvis.storage.lock import locked

DECISIONS = "decisions.jsonl"
# A line about publishing, and a manifest, name by these what an edition was made from.
ORIGIN = ("deliveries", "method")
RETRACT, PUBLISH, GRANTED, REFUSED = "retract", "publish", "granted", "refused"


class DecisionError(ValueError):
    """A decision cannot be taken, or the file of decisions was damaged; the message says what to do."""


def read_decisions(root: Path) -> list[dict[str, Any]]:
    """All decisions of a home, in order.

    Raises:
        DecisionError: the file was damaged.
    """
    if problems := broken_links(root / DECISIONS):
        raise DecisionError(f"{problems[0]}: restore it from a backup; until then nothing is published")
    return read_lines(root / DECISIONS)


def add_decision(root: Path, decision: str, wave: str, **facts: Any) -> None:
    """Append a decision about a wave."""
    with locked(root / "decisions.lock", "the decisions"):
        add_line(root / DECISIONS, {"decision": decision, "wave": wave, **facts})


def named(by: str, because: str) -> dict[str, str]:
    """Who decided, and why.

    Raises:
        DecisionError: one is blank.
    """
    if not by.strip() or not because.strip():
        raise DecisionError("--by and --because must not be blank: they record who decided, and why")
    return {"by": by, "because": because}


def last_about_publishing(root: Path, wave: str) -> dict[str, Any] | None:
    """The last line about publishing a wave anew: wanted, granted or refused; None if nobody wanted it."""
    mine = [
        line
        for line in read_decisions(root)
        if line.get("wave") == wave and line.get("decision") in (PUBLISH, GRANTED, REFUSED)
    ]
    return mine[-1] if mine else None
