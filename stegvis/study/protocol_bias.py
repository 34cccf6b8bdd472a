"""The protocol's section on several biases at once: priors of the bias parameters."""

from __future__ import annotations

from pydantic import Field, model_validator

from stegvis.study.protocol_models import ErrorPrior
from stegvis.study.settings import Section


class RatioPrior(Section):
    """Prior distribution of a risk ratio: a trapezoid (lowest, the two ends of the plateau, highest)."""

    values: tuple[float, float, float, float]

    @model_validator(mode="after")
    def _in_order(self) -> RatioPrior:
        if list(self.values) != sorted(self.values) or self.values[0] <= 0:
            raise ValueError("the prior of a ratio has four values above 0, in order")
        return self


class OutcomeErrors(Section):
    """Accuracy of the reported outcome, by the recorded category of the exposure: the highest, and the reference."""

    sensitivity_top: ErrorPrior
    sensitivity_reference: ErrorPrior
    specificity_top: ErrorPrior
    specificity_reference: ErrorPrior


class ExposureErrors(Section):
    """Accuracy of the recorded category (the highest against the reference), by the true outcome."""

    sensitivity_cases: ErrorPrior
    sensitivity_others: ErrorPrior
    specificity_cases: ErrorPrior
    specificity_others: ErrorPrior


class SelectionProbabilities(Section):
    """Probability of being analyzed by true category and true outcome; only ratios of the four matter."""

    top_cases: ErrorPrior
    top_others: ErrorPrior
    reference_cases: ErrorPrior
    reference_others: ErrorPrior

    @model_validator(mode="after")
    def _above_zero(self) -> SelectionProbabilities:
        for name in type(self).model_fields:
            prior: ErrorPrior = getattr(self, name)
            if prior.shape == "trapezoidal" and prior.values[0] <= 0:
                raise ValueError(f"{name}: nobody would be analyzed with a probability of 0")
        return self


class UnmeasuredConfounder(Section):
    """A binary confounder that was not measured: its prevalence by category, and its risk ratio for the outcome."""

    prevalence_top: ErrorPrior
    prevalence_reference: ErrorPrior
    risk_ratio: RatioPrior


class CombinedBias(Section):
    """Several biases at once, of the highest category of each exposure; a bias without a section is not corrected.

    Attributes:
        draws: of all parameters, and of the sampling error.
        largest_impossible_share: if more draws than this share contradict the data, nothing is estimated.
        correlation: of the parameters of the two groups of one bias, on the normal scale: whoever answers well in one
            group answers well in the other.
        seed: of the draws.
    """

    draws: int = Field(ge=100)
    largest_impossible_share: float = Field(ge=0, lt=1)
    correlation: float = Field(ge=0, lt=1)
    seed: int = Field(ge=0)
    outcome: OutcomeErrors | None = None
    exposure: ExposureErrors | None = None
    selection: SelectionProbabilities | None = None
    confounder: UnmeasuredConfounder | None = None
