"""Evaluates each published claim against the current estimates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stegvis.claims.rules import RULES, UnknownError
from stegvis.study.claims import Claims

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["wave", "claim", "source", "statement", "verdict", "evidence", "turn"]


def evaluate_claims(results: pd.DataFrame, wave: str, claims: Claims) -> pd.DataFrame:
    """Evaluate each claim with the results of a wave.

    Args:
        results: published rows of ``results`` of one wave.
        wave: its name.
        claims: those of the study.

    Returns:
        One row per claim: wave, claim, source, statement, verdict (supported, not supported or unclear), evidence, and
        ``turn``, which completes "This conclusion would change if".
    """
    import pandas as pd

    rows: list[tuple[str, ...]] = []
    for claim in claims.claim:
        try:
            evaluated = RULES[claim.rule](claim, results)
        except UnknownError as reason:
            evaluated = ("unclear", str(reason), "the estimates it depends on were available")
        rows.append((wave, claim.name, claim.source, claim.statement, *evaluated))
    return pd.DataFrame(rows, columns=COLUMNS)
