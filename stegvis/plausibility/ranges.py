"""Comparing the profile of a new wave or batch with the others and with what the protocol expects."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stegvis.plausibility.measures import Profile, together
from stegvis.study.plausible_items import LABELS
from stegvis.study.protocol_publication import Expected, Plausibility


@dataclass(frozen=True)
class Compared:
    """An item of a profile beside the range in which it is expected.

    Attributes:
        item: its name in the protocol.
        value: what was found.
        lowest: of the expected range, with what chance explains.
        highest: see ``lowest``.
        chance: the standard error of the value.
    """

    item: str
    value: float
    lowest: float
    highest: float
    chance: float

    @property
    def outside(self) -> float:
        """How far the value is beyond the range; negative below it, 0 inside."""
        return min(self.value - self.lowest, 0.0) + max(self.value - self.highest, 0.0)

    def sentence(self) -> str:
        """What was found and what was expected."""
        label, form = LABELS[self.item]
        value, lowest, highest = (form.format(each) for each in (self.value, self.lowest, self.highest))
        return f"{label} is {value}, expected {lowest} to {highest}"


def compare(
    now: Profile, others: Sequence[Profile], expected: Mapping[str, Expected], rules: Plausibility
) -> list[Compared]:
    """Each item beside its expected range: that of the protocol, and near the mean of the other waves or batches.

    Args:
        now: the new wave or batch.
        others: those that are published; may be empty.
        expected: the protocol's range and largest difference, by item.
        rules: how much chance explains, and of how few people nothing is compared.
    """
    found = []
    for item, measure in now.items():
        if measure.people < rules.fewest_people:
            continue
        rule = expected[item]
        lowest, highest, difference = rule.lowest, rule.highest, rule.difference
        chance = measure.standard_error
        before = together([profile[item] for profile in others if item in profile])
        if before is not None:
            near = before.mean - difference, before.mean + difference
            if near[0] <= highest and near[1] >= lowest:
                near = max(near[0], lowest), min(near[1], highest)
            # Otherwise the others were outside themselves, and accepted.
            lowest, highest = near
            chance = math.hypot(chance, before.standard_error)
        most = 1.0 if "%" in LABELS[item][1] else math.inf
        slack = rules.standard_errors * chance
        low, high = max(lowest - slack, 0.0), min(highest + slack, most)
        found.append(Compared(item, measure.mean, low, high, measure.standard_error))
    return found
