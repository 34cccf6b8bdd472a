"""What a page says where its counts are an earlier release's (``stegvis.disclosure.kept``).

Belongs here: finding that out from the rows, and the sentence. Does not belong here: deciding it.
"""

from __future__ import annotations

import pandas as pd

from stegvis.disclosure.kept import kept_rule
from stegvis.study.protocol import protocol


def are_kept(results: pd.DataFrame) -> bool:
    """Whether the counts beside these results are an earlier release's, as the notes of the rows say."""
    return bool(results["note"].astype("str").str.startswith(kept_rule(protocol())).any())


def kept_counts_sentence(results: pd.DataFrame) -> str:
    """Why the counts beside these results are not quite today's; blank where they are."""
    if not are_kept(results):
        return ""
    p = protocol()
    return (
        "To protect single people, numbers of people and cases are those of an earlier release (each has changed "
        f"since by fewer than {p.disclosure.smallest_count} people or by at most {p.release.carried_forward_share:.0%}; "
        "estimates and their intervals are today's)."
    )
