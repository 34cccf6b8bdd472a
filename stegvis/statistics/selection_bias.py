"""Risk and odds ratios corrected for selection, from assumed selection probabilities.

Lash, Fox and Fink 2009, Applying Quantitative Bias Analysis to Epidemiologic Data, doi 10.1007/978-0-387-87959-8.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# One number, or m draws.
Values = float | np.ndarray


@dataclass(frozen=True)
class SelectedTable:
    """The four cells of a 2 x 2 table: counts, or selection probabilities."""

    exposed_cases: Values
    unexposed_cases: Values
    exposed_others: Values
    unexposed_others: Values

    @property
    def risk_ratio(self) -> Values:
        exposed = self.exposed_cases / (self.exposed_cases + self.exposed_others)
        return exposed / (self.unexposed_cases / (self.unexposed_cases + self.unexposed_others))

    @property
    def odds_ratio(self) -> Values:
        return self.exposed_cases * self.unexposed_others / (self.unexposed_cases * self.exposed_others)


def before_selection(selected: SelectedTable, probabilities: SelectedTable) -> SelectedTable:
    """The table before selection, from the observed table and the selection probabilities of its cells.

    Raises:
        ValueError: a probability is not in (0, 1].
    """
    numbers = vars(probabilities)
    if not all(np.all((np.asarray(value) > 0) & (np.asarray(value) <= 1)) for value in numbers.values()):
        raise ValueError("a selection probability must be above 0 and at most 1")
    return SelectedTable(**{name: count / numbers[name] for name, count in vars(selected).items()})
