"""The order of the categories of an exposure, by their labels."""

from __future__ import annotations

import math
import re
from typing import Any

_EMPTY_CATEGORY = re.compile(r"category (\d) \(empty\)")


def ranked(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of an exposure's categories in ascending order; an empty category keeps its position."""
    empty = {int(found[1]): r for r in records if (found := _EMPTY_CATEGORY.fullmatch(str(r["level"])))}
    ordered = sorted(
        (r for r in records if not _EMPTY_CATEGORY.fullmatch(str(r["level"]))),
        key=lambda r: level_order(str(r["level"])),
    )
    # The label of an empty category has no bound; its number is its position among them.
    for position, record in sorted(empty.items()):
        ordered.insert(position - 1, record)
    return ordered


def level_order(label: str) -> float:
    """The position of a category label: ``<78`` before ``78-100`` before ``>=125``."""
    number = re.search(r"\d+(\.\d+)?", label)
    if label.startswith("<") or number is None:
        return -math.inf
    return float(number.group())
