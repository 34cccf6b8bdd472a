"""The categories of a wave that a claim is about, found by their values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stegvis.claims.ranks import ranked
from stegvis.study.claims import Claim, Claims
from stegvis.study.protocol_models import Exposure

if TYPE_CHECKING:
    import pandas as pd

ANALYSES = ("main", "mutual", "stratified", "interaction", "within_volume", "within_intensity")


class NotApplicableError(Exception):
    """The claim is about something that the estimates do not have; the message says what."""


def with_own_ranks(claim: Claim, claims: Claims, results: pd.DataFrame) -> Claim:
    """A claim with the ranks that its categories have among a wave's.

    A claim is about the reference and the categories of its ranks; one within groups of volume, also about the highest
    category of volume, which divides them. A wave's category is the claim's if it has the same open end, and bounds
    within the tolerance.

    Args:
        claim: a statement.
        claims: those of the study, with the values of the categories; without values, ranks stay as they are.
        results: rows of one wave.

    Raises:
        NotApplicableError: the wave has no such category.
    """
    if {"highest", "below highest"} & set(claim.populations) and "walking_minutes" in claims.categories:
        highest = len(claims.categories["walking_minutes"].levels)
        found = _levels(results, "walking_minutes")
        if _own_rank(highest, "walking_minutes", claims, found) != len(found):
            raise NotApplicableError(f"the highest category of this wave is {found[-1]}")
    if not claim.ranks or claim.exposure not in claims.categories:
        return claim
    found = _levels(results, claim.exposure)
    first, *ranks = (_own_rank(rank, claim.exposure, claims, found) for rank in (1, *claim.ranks))
    if first != 1:
        raise NotApplicableError(f"the lowest category of this wave is {found[0]}")
    return claim.model_copy(update={"ranks": tuple(ranks)})


def _own_rank(rank: int, exposure: Exposure, claims: Claims, found: list[str]) -> int:
    categories = claims.categories[exposure]
    wanted = categories.levels[rank - 1]
    for place, label in enumerate(found, start=1):
        if same_category(label, wanted, categories.tolerance):
            return place
    raise NotApplicableError(f"this wave has no category like {wanted}; it has {', '.join(found)}")


def _levels(results: pd.DataFrame, exposure: Exposure) -> list[str]:
    """The labels of an exposure's categories in ascending order: of the first analysis that has them.

    All of these analyses have the same categories.
    """
    mine = results[(results["exposure"] == exposure) & results["measure"].isin(["rr", "ratio_of_rr"])]
    for analysis in ANALYSES:
        found = dict.fromkeys(mine.loc[mine["analysis"] == analysis, "level"].dropna().astype(str))
        if found:
            return [str(row["level"]) for row in ranked([{"level": level} for level in found])]
    raise NotApplicableError("there are no estimates of this exposure")


def same_category(label: str, other: str, tolerance: float) -> bool:
    """Whether two labels have the same form, and bounds that differ by no more than the tolerance."""
    first, second = _form(label), _form(other)
    if first[0] != second[0] or len(first[1]) != len(second[1]):
        return False
    return all(abs(one - two) <= tolerance + 1e-9 for one, two in zip(first[1], second[1], strict=True))


def _form(label: str) -> tuple[str, list[float]]:
    start = "<" if label.startswith("<") else ">=" if label.startswith(">=") else ""
    return start, [float(number) for number in re.findall(r"\d+(?:\.\d+)?", label)]
