"""Section of the protocol on overlap of the categories of an exposure."""

from __future__ import annotations

from pydantic import Field, model_validator

from stegvis.study.settings import Section


class Overlap(Section):
    """Whether everyone could be in every category, and estimates that rest on it.

    Attributes:
        equipoise: preference scores between these count as no clear preference.
        folds: of cross-fitting of the doubly robust estimates; 1 for none.
        seed: of the order in which people are dealt to folds.
    """

    equipoise: tuple[float, float] = (0.3, 0.7)
    folds: int = Field(default=1, ge=1, le=20)
    seed: int = Field(default=20250613, ge=0)

    @model_validator(mode="after")
    def _around_a_half(self) -> Overlap:
        low, high = self.equipoise
        if not 0 < low < 0.5 < high < 1:
            raise ValueError("equipoise must be two preference scores within 0 and 1, with 0.5 between them")
        return self
