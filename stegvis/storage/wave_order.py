"""Whether waves follow one another, so that it is known which one came before (``sql/pain_histories.sql``)."""

from __future__ import annotations

from collections.abc import Iterable


def overlapping(waves: Iterable[str]) -> dict[str, str]:
    """Waves that do not follow the others, each with the earlier one that its years overlap.

    Waves may share the year in which one ends and the next begins.

    Args:
        waves: named by their years: ``2024`` or ``2021-2023``.
    """
    found: dict[str, str] = {}
    before: str | None = None
    for wave in sorted(set(waves)):
        if before is not None and (first_year(wave) < last_year(before) or first_year(wave) == first_year(before)):
            found[wave] = before
        else:
            before = wave
    return found


def first_year(wave: str) -> int:
    """The year in which a wave begins."""
    return int(wave.split("-")[0])


def last_year(wave: str) -> int:
    """The year in which a wave ends."""
    return int(wave.split("-")[-1])
