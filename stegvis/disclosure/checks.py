"""Disclosure control of the numbers of rows that failed a check.

No known sum connects these counts, so each is treated by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from stegvis.disclosure.rounding import rounded
from stegvis.study.protocol import Protocol

_KEY = ("asset", "partition", "check", "rule", "meaning")


def carried_forward(
    checks: Sequence[Mapping[str, Any]], published: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Checks with the result that was published before, where one was: a count that moves reveals who changed.

    Args:
        checks: records with ``passed``, ``failing`` and what names a check: asset, partition, check, rule (its column),
            meaning.
        published: the checks of the newest release.
    """
    before = {_key(check): check for check in published}
    return [{**check, **_result(before.get(_key(check), check))} for check in checks]


def without_small(checks: Sequence[Mapping[str, Any]], protocol: Protocol) -> list[dict[str, Any]]:
    """Checks with small counts of failing rows suppressed (None), and the others rounded as the protocol says."""
    failing = pd.Series([check["failing"] for check in checks], dtype="Int64")
    small = failing.between(1, protocol.disclosure.smallest_count - 1)
    shown = rounded(failing.mask(small), protocol.release.rounding, protocol.release.rounding_base)
    return [
        {**check, "failing": None if pd.isna(count) else int(count)} for check, count in zip(checks, shown, strict=True)
    ]


def _result(check: Mapping[str, Any]) -> dict[str, Any]:
    return {name: check[name] for name in ("passed", "failing")}


def _key(check: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(check.get(name) or "") for name in _KEY)
