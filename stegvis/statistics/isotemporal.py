"""Isotemporal substitution: Mekary et al. 2009, doi 10.1093/aje/kwp163.

Relative time is modeled by ``composition``.

The parts sum to the same total for everyone, so one is omitted; the coefficient of another part is then the effect of a
minute of it in place of the omitted one. The choice of the omitted part changes no substitution: any two parts are
compared by the difference of their coefficients.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stegvis.statistics.contract import OUTCOME, NotEstimable
from stegvis.statistics.risk_ratio import Fit, JointWald, Ratio, fit_risk_ratio, ratio
from stegvis.statistics.terms import Linear, Term
from stegvis.study.protocol_models import Models


@dataclass(frozen=True)
class IsotemporalFit:
    """A model of an outcome on time; ``per_unit`` is the log ratio of each part against the omitted one (0)."""

    per_unit: pd.Series
    covariance: pd.DataFrame
    joint: JointWald
    fit: Fit

    def substitution(self, source: str, target: str, amount: float) -> Ratio:
        """The ratio when ``amount`` of the source is replaced by as much of the target.

        Raises:
            KeyError: no such part.
        """
        moved = pd.Series(0.0, self.per_unit.index)
        moved[source] -= amount
        moved[target] += amount
        d = moved.to_numpy()
        variance = float(d @ self.covariance.to_numpy() @ d)
        return ratio(float(d @ self.per_unit.to_numpy()), math.sqrt(max(variance, 0.0)), self.fit.confidence)


def fit_isotemporal(
    frame: pd.DataFrame,
    parts: Sequence[str],
    covariates: Sequence[Term],
    models: Models,
    *,
    left_out: str | None = None,
    outcome: str = OUTCOME,
) -> IsotemporalFit | NotEstimable:
    """Modified Poisson regression (robust variance) of a 0/1 outcome on the time spent in parts and on covariates.

    Args:
        frame: one row per person; the parts' columns sum to the same total in every row.
        parts: columns that make up the whole.
        covariates: other terms of the model.
        models: variance, confidence and limits, from the protocol.
        left_out: the omitted part, by default the first; it changes no substitution.
        outcome: column of 0 and 1.

    Raises:
        ValueError: the rows do not sum to one total, or the caller broke the contract of ``prepare``.
    """
    totals = frame[list(parts)].sum(axis=1).to_numpy()
    if not np.allclose(totals, totals[:1], rtol=1e-9):
        raise ValueError("the parts do not sum to the same total in every row")
    absent = left_out or parts[0]
    kept = [part for part in parts if part != absent]
    fit = fit_risk_ratio(frame, [*map(Linear, kept), *covariates], models, outcome=outcome)
    if isinstance(fit, NotEstimable):
        return fit
    return IsotemporalFit(
        per_unit=fit.coefficients.reindex(list(parts), fill_value=0.0),
        covariance=fit.covariance.reindex(index=list(parts), columns=list(parts), fill_value=0.0),
        joint=fit.joint_wald(kept),
        fit=fit,
    )
