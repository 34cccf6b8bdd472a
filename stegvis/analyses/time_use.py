"""Time use in the 24-hour day: the people and the parts of the day in ``isotemporal`` and ``composition``.

A day has five parts. Running and cycling are one, since most people do neither; lying is awake or asleep, which the
sensors cannot distinguish.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import permutations

import pandas as pd

from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.composition import closure
from stegvis.statistics.contract import OUTCOME
from stegvis.statistics.results import ResultRow, joined, options_note
from stegvis.statistics.terms import Model

PARTS: dict[str, tuple[str, ...]] = {
    "lying": ("whole_day_lying_minutes",),
    "sitting": ("whole_day_sitting_minutes",),
    "standing": ("whole_day_standing_minutes",),
    "walking": ("whole_day_walking_minutes",),
    "running and cycling": ("whole_day_running_minutes", "whole_day_cycling_minutes"),
}
# A part may not be shorter or longer after a move than at these quantiles of the people.
SUPPORT = (0.01, 0.99)
POPULATION = "at least one whole day"
EXPOSURE = "time_use"


@dataclass(frozen=True)
class Days:
    """The analyzed participants with a 24-hour day; ``frame`` has minutes for each of ``PARTS``, in total 24 h."""

    frame: pd.DataFrame
    minutes: float
    note: str
    few_left_out: bool = False

    def template(self, data: WaveData, analysis: str, model: Model) -> ResultRow:
        """A row without the estimate."""
        row = ResultRow(
            data.wave,
            analysis,
            POPULATION,
            model,
            EXPOSURE,
            note=joined(options_note(data.protocol), self.note),
        )
        return self.counted(row, self.frame)

    def beyond(self, start: pd.Series[float], source: str, target: str, amount: float) -> str | None:
        """Why this move from a day would end where hardly anybody is; None if people spend their days so.

        Args:
            start: minutes of each of ``PARTS`` before the move.
            source: the part that gets shorter.
            target: the part that gets longer.
            amount: minutes.
        """
        lowest, highest = SUPPORT
        if start[source] - amount < self._support[lowest][source]:
            return f"{source} would be shorter than in all but {lowest:.0%} of people"
        if start[target] + amount > self._support[highest][target]:
            return f"{target} would be longer than in all but {1 - highest:.0%} of people"
        return None

    @cached_property
    def _support(self) -> dict[float, pd.Series[float]]:
        """The quantiles ``SUPPORT`` of each part."""
        return {share: self.frame[list(PARTS)].quantile(share) for share in SUPPORT}

    def counted(self, row: ResultRow, frame: pd.DataFrame) -> ResultRow:
        """A row with its people and cases; without them if they are nearly those of the main analysis."""
        return row if self.few_left_out else row.counting(frame, OUTCOME)


def days_of(data: WaveData) -> Days:
    """The participants of a wave with at least one 24-hour day, with the parts closed to 24 hours."""
    minutes = data.protocol.days.seconds_per_day / 60
    people = data.people[data.people["whole_days"] > 0].reset_index(drop=True)
    left_out = len(data.people) - len(people)
    smallest = data.protocol.disclosure.smallest_count
    note = f"{left_out if left_out >= smallest else f'fewer than {smallest}'} people without a whole day left out"
    parts = pd.DataFrame({part: people[list(columns)].sum(axis=1) for part, columns in PARTS.items()}, dtype="float64")
    if len(people):
        parts = pd.DataFrame(closure(parts.to_numpy(), minutes), people.index, list(PARTS))
    frame = pd.concat([people, parts], axis=1)
    return Days(frame, minutes, note if left_out else "", few_left_out=0 < left_out < smallest)


def moves(template: ResultRow, data: WaveData) -> list[tuple[str, str, float, ResultRow]]:
    """Every reallocation of the protocol: source, target, minutes, and its row."""
    return [
        (
            source,
            target,
            amount,
            replace(template, term=source, level=f"{amount:g} min {source} -> {target}", reference=source),
        )
        for amount in data.protocol.time_use.reallocated_minutes
        for source, target in permutations(PARTS, 2)
    ]
