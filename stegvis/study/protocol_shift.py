"""The protocol's section ``shift``: how much more of each exposure the estimate of ``shifted`` supposes."""

from __future__ import annotations

from pydantic import Field

from stegvis.study.protocol_models import Exposure
from stegvis.study.settings import Section


class Shift(Section):
    """More of an exposure for everybody.

    Attributes:
        walking_minutes: minutes a day more; None estimates nothing.
        walking_met: METs more; None estimates nothing.
        highest_percentile: nobody is supposed to have more than this percentile (a share) of what people have.
        smallest_share: with a smaller share of people who have more, nothing is estimated.
    """

    walking_minutes: float | None = Field(default=None, gt=0)
    walking_met: float | None = Field(default=None, gt=0)
    highest_percentile: float = Field(default=0.99, gt=0.5, lt=1)
    smallest_share: float = Field(default=0.5, gt=0, le=1)

    def amount(self, exposure: Exposure) -> float | None:
        """How much more of an exposure, in its unit."""
        return self.walking_minutes if exposure == "walking_minutes" else self.walking_met
