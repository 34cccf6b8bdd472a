"""Why a delivery is not used, without the name of any file that may be a person's.

What is sent elsewhere, such as an e-mail, names drops and rules. A recording's file is named after its person, and so
may be a file that lies in the wrong place; of withdrawals even the name of the list stays at home.
"""

from __future__ import annotations

from collections import Counter
from pathlib import PurePath

from stegvis.storage.faults import NAMED_FILES
from stegvis.storage.landing import Unused
from stegvis.storage.manifest import MANIFEST, Issue

_FILE = "a file"


def nameless(drop: Unused) -> tuple[str, str]:
    """The delivery and the reason, as they may be sent to somebody."""
    if drop.kind == "withdrawals":
        return "withdrawals", "a list of withdrawals; stegvis status names it"
    misplaced = any(issue.rule == "misplaced" for issue in drop.issues)
    sentences = Counter(_sentence(issue, drop.name) for issue in drop.issues)
    reason = "; ".join(f"{text} ({count:,} files)" if count > 1 else text for text, count in sentences.items())
    return f"{drop.kind}/{'(outside a drop)' if misplaced else drop.name}", reason


def _sentence(issue: Issue, drop: str) -> str:
    known = {MANIFEST, drop} if issue.rule != "misplaced" else {MANIFEST}
    if issue.file in known or PurePath(issue.file).stem in NAMED_FILES:
        return issue.message
    rest = issue.message.removeprefix(issue.file)
    if issue.file in rest:
        return f"{_FILE} breaks the rule {issue.rule}"
    return rest if rest == issue.message else f"{_FILE}{rest}"
