"""Disclosure control of the numbers of rows that failed a check.

No known sum connects these counts, so each is treated by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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


def without_small(checks: Sequence[Mapping[str, Any]], smallest_count: int) -> list[dict[str, Any]]:
    """Checks with small counts of failing rows suppressed (None)."""
    return [
        {**check, "failing": None if check["failing"] and 0 < check["failing"] < smallest_count else check["failing"]}
        for check in checks
    ]


def _result(check: Mapping[str, Any]) -> dict[str, Any]:
    return {name: check[name] for name in ("passed", "failing")}


def _key(check: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(check.get(name) or "") for name in _KEY)
