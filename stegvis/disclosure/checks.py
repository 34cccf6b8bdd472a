"""Disclosure control of the numbers of rows that failed a check.

No known sum connects these counts, so each is treated by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_KEY = ("asset", "partition", "check", "rule", "meaning")


def without_close(
    checks: Sequence[Mapping[str, Any]], smallest_count: int, earlier: Iterable[Sequence[Mapping[str, Any]]]
) -> list[dict[str, Any]]:
    """Checks with the count of failing rows suppressed (None) where it is too close to an earlier release's.

    Args:
        checks: records with ``failing`` and what names a check: asset, partition, check, rule (its column), meaning.
        smallest_count: the smallest publishable difference.
        earlier: the checks of each earlier release.
    """
    before = [{_key(check): check["failing"] for check in published} for published in earlier]
    return [
        {**check, "failing": None}
        if any(_differ_by_few(check["failing"], published.get(_key(check)), smallest_count) for published in before)
        else dict(check)
        for check in checks
    ]


def without_small(checks: Sequence[Mapping[str, Any]], smallest_count: int) -> list[dict[str, Any]]:
    """Checks with small counts of failing rows suppressed (None)."""
    return [
        {**check, "failing": None if check["failing"] and 0 < check["failing"] < smallest_count else check["failing"]}
        for check in checks
    ]


def _differ_by_few(now: int | None, then: int | None, smallest_count: int) -> bool:
    return now is not None and then is not None and 0 < abs(now - then) < smallest_count


def _key(check: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(check.get(name) or "") for name in _KEY)
