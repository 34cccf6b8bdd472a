"""How the evidence of a claim prints ratios and their limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def shown(value: float) -> str:
    """A ratio with two decimals, or three where two would print 1.00 for a number that is not 1."""
    text = f"{float(value):.2f}"
    return f"{float(value):.3f}" if text == "1.00" and value != 1 else text


def limits(row: Mapping[str, Any]) -> str:
    """The two limits of a row's interval."""
    return f"{shown(row['ci_low'])} to {shown(row['ci_high'])}"
