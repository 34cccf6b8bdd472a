"""Claims of no difference: an interval within a margin, not a large p-value.

A test that finds nothing is no evidence of no difference: the study may be too small. A claim is supported if every
interval lies within margins that are declared beforehand, contradicted if one lies entirely outside, and unclear
otherwise (Schuirmann 1987, J Pharmacokinet Biopharm 15(6):657-680, doi 10.1007/BF01068419). With the 95 % interval in
the place of two one-sided tests at 5 %, whose interval is the 90 % one, it is the stricter of the two usual rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from stegvis.claims.numbers import limits, shown

WITHOUT_MARGIN = "no equivalence margin is declared, so a difference may have been missed"
Conclusion = Literal["supported", "not supported", "unclear"]


def equivalent(
    rows: Sequence[Mapping[str, Any]], margin: tuple[float, float], evidence: str
) -> tuple[Conclusion, str, str]:
    """Whether ratios differ from 1 by less than the margin.

    Args:
        rows: published estimates, each with ``level``, ``ci_low`` and ``ci_high``.
        margin: the smallest and the largest ratio that count as no difference.
        evidence: what is shown of the rows.

    Returns:
        The conclusion, the evidence with the margin, and what would change the conclusion.
    """
    low, high = margin
    within = f"{shown(low)} and {shown(high)}"
    evidence = f"{evidence}; no difference means between {within}"
    outside = [row for row in rows if row["ci_high"] < low or row["ci_low"] > high]
    if outside:
        named = ", ".join(f"{row['level']}: {limits(row)}" for row in outside)
        return "not supported", evidence, f"no interval lay entirely outside {within} (now {named})"
    wide = [row for row in rows if row["ci_low"] < low or row["ci_high"] > high]
    if not wide:
        return "supported", evidence, f"a limit passed {shown(low)} or {shown(high)}"
    named = ", ".join(f"{row['level']}: {limits(row)}" for row in wide)
    return "unclear", evidence, f"every interval were between {within}, or one entirely outside (now {named})"
