"""Risks of the levels of an exposure, their differences and ratios, from each person's influence on them."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from stegvis.statistics.additive_interaction import Difference, difference
from stegvis.statistics.matrices import cross_product
from stegvis.statistics.risk_ratio import Ratio, ratio


def each_level(X: pd.DataFrame, levels: Mapping[Hashable, str | None]) -> Iterator[np.ndarray]:
    """The designs (n x k) with everyone at each level in turn.

    Args:
        X: n x k with named columns.
        levels: each level of the exposure and its indicator column; None for the reference.

    Raises:
        KeyError: a column is not in X.
    """
    indicators = [column for column in levels.values() if column is not None]
    for column in levels.values():
        everyone = X.copy()
        everyone[indicators] = 0.0
        if column is not None:
            everyone[column] = 1.0
        yield everyone.to_numpy()


@dataclass(frozen=True)
class LevelRisks:
    """The risk of each level, by one estimator.

    Attributes:
        levels: K levels.
        risks: K.
        influence: n x K, each person's influence; its cross-product is the covariance. Never published.
        factor: of the variance, 1 or n/(n-1).
        confidence: of the intervals.
    """

    levels: tuple[Hashable, ...]
    risks: np.ndarray
    influence: np.ndarray = field(repr=False, compare=False)
    factor: float
    confidence: float

    @cached_property
    def covariance(self) -> np.ndarray:
        """K x K, of the risks."""
        return self.factor * cross_product(self.influence, self.influence)

    def risk(self, level: Hashable) -> Difference:
        """The risk of a level.

        Raises:
            ValueError: no such level.
        """
        at = self.levels.index(level)
        return difference(float(self.risks[at]), math.sqrt(self.covariance[at, at]), self.confidence)

    def risk_difference(self, level: Hashable, reference: Hashable) -> Difference:
        """The risk of a level minus that of the reference.

        Raises:
            ValueError: no such level.
        """
        at, against = self.levels.index(level), self.levels.index(reference)
        gradient = np.zeros(len(self.levels))
        gradient[at], gradient[against] = 1.0, -1.0
        variance = float(gradient @ self.covariance @ gradient)
        return difference(float(self.risks[at] - self.risks[against]), math.sqrt(variance), self.confidence)

    def risk_ratio(self, level: Hashable, reference: Hashable) -> Ratio:
        """The risk of a level over that of the reference.

        Raises:
            ValueError: no such level.
        """
        at, against = self.levels.index(level), self.levels.index(reference)
        gradient = np.zeros(len(self.levels))
        gradient[at], gradient[against] = 1 / self.risks[at], -1 / self.risks[against]
        variance = float(gradient @ self.covariance @ gradient)
        return ratio(float(np.log(self.risks[at] / self.risks[against])), math.sqrt(variance), self.confidence)

    def against(self, other: LevelRisks, level: Hashable, reference: Hashable) -> Ratio:
        """The risk ratio over that of another estimator in the same people.

        The interval allows for both being of the same people (the comparison of Hausman 1978, doi 10.2307/1913827).

        Raises:
            ValueError: no such level, or the other estimator had other people.
        """
        if len(self.influence) != len(other.influence):
            raise ValueError("the two estimators had different people")
        apart = self._log_influence(level, reference) - other._log_influence(level, reference)
        logs = [
            math.log(each.risks[each.levels.index(level)] / each.risks[each.levels.index(reference)])
            for each in (self, other)
        ]
        return ratio(logs[0] - logs[1], math.sqrt(self.factor * float((apart**2).sum())), self.confidence)

    def _log_influence(self, level: Hashable, reference: Hashable) -> np.ndarray:
        """n: the influence on the log risk ratio."""
        at, against = self.levels.index(level), self.levels.index(reference)
        found: np.ndarray = self.influence[:, at] / self.risks[at] - self.influence[:, against] / self.risks[against]
        return found
