"""The change of an estimate between two overlapping data sets, with its standard error.

Two releases share most of their people, so their estimates are far from independent: treating them as independent more
than doubles the standard error of the change. A person's influence on a coefficient (Huber 1967; Hampel 1974, doi
10.1080/01621459.1974.10482962) is A^-1 x (y - mu), and zero if the person is absent; the variance of the change is the
sum of the squared differences of the two influences of each person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stegvis.statistics.contract import OUTCOME, NotEstimable, prepare
from stegvis.statistics.gates import failed_gate
from stegvis.statistics.risk_ratio import fit_design
from stegvis.statistics.terms import Term
from stegvis.study.protocol_models import Diagnostics, Models


@dataclass(frozen=True)
class Estimate:
    """Coefficients (k) on the log scale, and each person's influence on them (n x k, indexed by person)."""

    coefficients: pd.Series
    influence: pd.DataFrame


@dataclass(frozen=True)
class Change:
    """The change of coefficients from one estimate to another, and its covariance."""

    difference: pd.Series
    covariance: pd.DataFrame

    def std_error(self, name: str) -> float:
        """The standard error of one coefficient's change; 0 between identical data.

        Raises:
            KeyError: no such coefficient.
        """
        return float(np.sqrt(self.covariance.to_numpy().diagonal()[self.covariance.index.get_loc(name)]))


def estimate(
    frame: pd.DataFrame,
    terms: Sequence[Term],
    models: Models,
    *,
    outcome: str = OUTCOME,
    gates: Diagnostics | None = None,
) -> Estimate | NotEstimable:
    """The modified Poisson fit of a frame with the influence of each person.

    Args:
        frame: one row per person, indexed by person.
        terms: the right-hand side.
        models: limits, from the protocol.
        outcome: column of 0 and 1.
        gates: limits that the model must meet, of the first term's coefficients; None: it need not.

    Raises:
        ValueError: a person has two rows, or the caller broke the contract of ``prepare``.
    """
    if not frame.index.is_unique:
        raise ValueError("a person has two rows")
    design = prepare(frame, terms, models, outcome=outcome)
    if isinstance(design, NotEstimable):
        return design
    fit = fit_design(design, models)
    if isinstance(fit, NotEstimable):
        return fit
    if gates is not None:
        own = [name for name in fit.coefficients.index if str(name).partition("[")[0] == terms[0].column]
        if failed := failed_gate(fit, own, gates):
            return NotEstimable(failed)
    X = design.X.to_numpy()
    mu = np.exp(X @ fit.coefficients.to_numpy())
    A = X.T @ (X * mu[:, None])
    influence = np.linalg.solve(A, (X * (design.y - mu)[:, None]).T).T
    return Estimate(fit.coefficients, pd.DataFrame(influence, design.X.index, fit.coefficients.index))


def change(before: Estimate, after: Estimate, names: Sequence[str]) -> Change:
    """The change of the named coefficients from one estimate to the other.

    Raises:
        KeyError: an estimate lacks a coefficient.
    """
    wanted = list(names)
    people = before.influence.index.union(after.influence.index)
    old, new = (each.influence[wanted].reindex(people, fill_value=0.0).to_numpy() for each in (before, after))
    moved = new - old
    return Change(
        after.coefficients[wanted] - before.coefficients[wanted],
        pd.DataFrame(moved.T @ moved, wanted, wanted),
    )
