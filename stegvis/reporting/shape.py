"""The shape of a published curve in one word and one number: where most of the difference is reached, or its turn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from stegvis.reporting.formatting import is_missing
from stegvis.reporting.rows import chosen
from stegvis.reporting.wording import is_shown
from stegvis.study.protocol import Exposure

Kind = Literal["levels", "rises_again", "falls", "rises", "uneven", "unclear"]
NOMINAL = 0.05
# "Most" of a fall.
MOST = 0.8
# A curve rises again if it regains this share of its fall within the outer knots.
REGAINED = 0.25


@dataclass(frozen=True)
class Shape:
    """How the risk follows an exposure between the outer knots of its curve.

    Attributes:
        kind: ``levels``: it falls, then hardly changes; ``rises_again``: it is lowest in between; ``falls`` and
            ``rises``: evenly; ``uneven``: otherwise; ``unclear``: no association by the test of the whole curve.
        turn: where ``MOST`` of the fall is reached, or where the curve is lowest, in round numbers; None for others.
        decimals: of the turn as printed.
    """

    kind: Kind
    turn: float | None = None
    decimals: int = 0


def shape(results: pd.DataFrame, exposure: Exposure) -> Shape | None:
    """The shape of the fully adjusted curve; None where curve, outer knots or tests are not published."""
    rows = chosen(results, analysis="spline", exposure=exposure, model="adjusted")
    tests = {row["measure"]: row["p_value"] for row in rows if row["status"] == "ok"}
    knots = [float(row["estimate"]) for row in rows if row["measure"] == "knot" and not is_missing(row["estimate"])]
    points = sorted(
        (float(row["level"]), float(row["estimate"]))
        for row in rows
        if row["measure"] == "rr" and is_shown(row | {"ci_low": 1.0, "ci_high": 1.0})
    )
    inner = [(at, ratio) for at, ratio in points if len(knots) > 1 and min(knots) <= at <= max(knots)]
    overall, bent = (tests.get(name) for name in ("p_overall", "p_nonlinearity"))
    if len(inner) < 3 or overall is None or bent is None or is_missing(overall) or is_missing(bent):
        return None
    if overall >= NOMINAL:
        return Shape("unclear")
    if bent >= NOMINAL:
        return Shape("falls" if inner[-1][1] < inner[0][1] else "rises")
    return _bent(inner)


def _bent(inner: list[tuple[float, float]]) -> Shape:
    start, end = inner[0][1], inner[-1][1]
    lowest = min(inner, key=lambda point: point[1])
    fall = start - lowest[1]
    if fall <= 0 or max(ratio for _, ratio in inner) - start > REGAINED * fall:
        return Shape("uneven")
    if end - lowest[1] >= REGAINED * fall:
        return _turn("rises_again", lowest[0], inner)
    reached = next(at for at, ratio in inner if start - ratio >= MOST * fall)
    return _turn("levels", reached, inner)


def _turn(kind: Kind, at: float, inner: list[tuple[float, float]]) -> Shape:
    power = math.floor(math.log10(inner[-1][0] - inner[0][0]))
    return Shape(kind, round(at, -power), max(0, -power))
