"""What a page says where its counts are carried forward from an earlier release."""

from __future__ import annotations

import pandas as pd

from stegvis.disclosure.kept import kept_rule
from stegvis.study.protocol import Protocol


def are_carried_forward(results: pd.DataFrame, protocol: Protocol) -> bool:
    """Whether the counts of these results are carried forward from an earlier release, according to their notes."""
    return bool(results["note"].astype("str").str.startswith(kept_rule(protocol)).any())


def carried_forward_sentence(results: pd.DataFrame, protocol: Protocol) -> str:
    """The explanation of carried-forward counts; empty where there are none."""
    if not are_carried_forward(results, protocol):
        return ""
    return (
        "To protect participants' privacy, the numbers of participants and cases are carried forward from an earlier "
        f"release. Each has changed since by fewer than {protocol.disclosure.smallest_count} participants or by at "
        f"most {protocol.release.carried_forward_share:.0%}. Estimates and intervals are current."
    )
