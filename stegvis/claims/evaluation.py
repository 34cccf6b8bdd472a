"""Evaluates each published claim against the current estimates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stegvis.claims.categories import NotApplicableError, with_own_ranks
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
        One row per claim: wave, claim, source, statement, verdict (supported, not supported, unclear or not
        applicable, or cannot be evaluated), evidence, and ``turn``, which completes "This conclusion would change if".
    """
    import pandas as pd

    rows: list[tuple[str, ...]] = []
    for claim in claims.claim:
        try:
            evaluated = RULES[claim.rule](with_own_ranks(claim, claims, results), results)
        except NotApplicableError as reason:
            evaluated = ("not applicable", f"Not tested: {reason}", "the estimates had what it is about")
        except UnknownError as reason:
            # The gates of the estimates are those of the claims: nothing is concluded from what is withheld.
            evaluated = ("cannot be evaluated", str(reason), "the estimates it depends on were available")
        rows.append((wave, claim.name, claim.source, claim.statement, *evaluated))
    return pd.DataFrame(rows, columns=COLUMNS)
