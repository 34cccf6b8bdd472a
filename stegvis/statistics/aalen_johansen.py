"""The cumulative incidence of competing events: Aalen and Johansen's estimator (Scand J Stat 1978;5:141-150).

With competing events, one minus Kaplan and Meier's estimate of a single event would be too high: who died cannot
emigrate any more. Standard errors are those of the infinitesimal jackknife, as in R's ``survival::survfit`` for several
states (Therneau and Grambsch 2000, Modeling Survival Data, doi 10.1007/978-1-4757-3294-8).
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Incidence:
    """The cumulative incidence of one kind of event at a time: a risk, between 0 and 1.

    ``std_error``: of the estimate; ``ci_low`` and ``ci_high``: on the scale of its logarithm, missing where it is 0.
    """

    estimate: float
    std_error: float
    ci_low: float
    ci_high: float


def cumulative_incidence(
    times: Floats, causes: npt.NDArray[np.int64], horizon: float, confidence: float = 0.95
) -> dict[int, Incidence]:
    """The cumulative incidence of each kind of event until a time.

    Args:
        times: of the event, or until which the person is known to have had none (n,), any unit; at the same time events
            come first.
        causes: the kind of event (n,), from 1; 0 is none.
        horizon: in the unit of ``times``.
        confidence: level of the interval.

    Returns:
        By kind of event, every one that occurs in ``causes``.

    Raises:
        ValueError: nobody is there, the two differ in length, or a time is missing or negative.
    """
    if times.size == 0 or times.shape != causes.shape:
        raise ValueError("times and causes must have the same length, and somebody must be there")
    if not (times >= 0).all():
        raise ValueError("a time must not be missing or negative")
    kinds = [int(kind) for kind in np.unique(causes) if kind != 0]
    incidence, influences = _curves(times, causes, kinds, horizon)
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    found = {}
    for kind in kinds:
        estimate, std_error = incidence[kind], float(np.sqrt((influences[kind] ** 2).sum()))
        low, high = np.nan, np.nan
        if estimate > 0:
            spread = np.exp(z * std_error / estimate)
            low, high = estimate / spread, min(estimate * spread, 1.0)
        found[kind] = Incidence(estimate, std_error, float(low), float(high))
    return found


def _curves(
    times: Floats, causes: npt.NDArray[np.int64], kinds: list[int], horizon: float
) -> tuple[dict[int, float], dict[int, Floats]]:
    """The incidences, and each person's influence (n,) on the incidences.

    People are taken in the order of their times, so that those at risk are the rest of a row.
    """
    order = np.argsort(times, kind="stable")
    t, c = times[order], causes[order]
    n = t.size
    free, of_free = 1.0, np.zeros(n)
    incidence, influences = dict.fromkeys(kinds, 0.0), {kind: np.zeros(n) for kind in kinds}
    for time in np.unique(t[(c != 0) & (t <= horizon)]):
        first, end = np.searchsorted(t, time, side="left"), np.searchsorted(t, time, side="right")
        at_risk = n - first
        here = c[first:end]
        hazards = {kind: float((here == kind).sum()) / at_risk for kind in kinds}
        changed = np.zeros(n)
        for kind, hazard in hazards.items():
            # Of each person at risk: what they add to the hazard, less what everyone adds.
            own = np.zeros(n)
            own[first:] = -hazard / at_risk
            own[first:end] += (here == kind) / at_risk
            influences[kind] += of_free * hazard + free * own
            changed += own
        total = sum(hazards.values())
        of_free = of_free * (1 - total) - free * changed
        for kind, hazard in hazards.items():
            incidence[kind] += free * hazard
        free *= 1 - total
    return incidence, influences
