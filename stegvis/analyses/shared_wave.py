"""The analyses of a wave, shared between this process and a second one.

An analysis is a function of a wave's data alone, so it does not matter where it is computed. This process
makes one table after the other, from its first analysis on; the second one begins with the last analysis of the table
that is made next. Whoever comes to an analysis that it has begun takes the rows from there. If it fails, its analyses
are computed here.
"""

from __future__ import annotations

import os
import pickle
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any

from stegvis.analyses.second_process import Fitted, Place, SecondProcess, analyses_of
from stegvis.analyses.wave_data import Analysis, WaveData
from stegvis.statistics.results import GROUPS, ResultRow

# Smaller waves are fitted before a second process has started.
SMALLEST = 10_000

_process: SecondProcess | None = None
_wave: SharedWave | None = None


class SharedWave:
    """The analyses of a wave of which the second process takes the last that nobody has taken."""

    def __init__(self, data: WaveData, places: Sequence[Place], process: SecondProcess) -> None:
        self.data = data
        self._process = process
        self._todo = list(places)
        self._running: Place | None = None
        self._found: dict[Place, Fitted] = {}
        self._changed = threading.Condition()
        threading.Thread(target=self._feed, daemon=True).start()

    def take(self, place: Place) -> Fitted | None:
        """What the second process found, or is about to find; None if the analysis is to be computed here."""
        with self._changed:
            if place in self._todo:
                self._todo.remove(place)
            self._changed.wait_for(lambda: self._running != place)
            return self._found.pop(place, None)

    def stop(self) -> None:
        """Begin no further analysis in the second process."""
        with self._changed:
            self._todo.clear()

    def _feed(self) -> None:
        try:
            self._process.ask(self.data)
            while place := self._next():
                if fitted := self._process.ask(place):
                    self._found[place] = fitted
        except (OSError, EOFError, pickle.UnpicklingError, ValueError):  # it has ended
            self.stop()
            self._next()

    def _next(self) -> Place | None:
        with self._changed:
            self._running = self._todo.pop() if self._todo else None
            self._changed.notify_all()
            return self._running


def shared_wave(data: WaveData, groups: Collection[str]) -> SharedWave | None:
    """The analyses of some groups of a wave, which a second process has begun to compute.

    Args:
        data: one wave; the second process goes on where the data are those of the last call.
        groups: the tables that are made of it in this process.

    Returns:
        None where a second process would not be faster: one processor, or few people.
    """
    global _process, _wave
    if _processors() < 2 or len(data.eligible) < SMALLEST:
        return None
    plain = replace(data, protocol=data.protocol.without_record())
    if _wave is None or not _same(plain, _wave.data):
        if _wave is not None:
            _wave.stop()
        if _process is None or not _process.alive:
            _process = SecondProcess()
        # The group that is made next is begun first, at its end. Dagster makes tables that can be made by name.
        later = sorted(set(GROUPS).intersection(groups), reverse=True)
        places = [(group, number) for group in later for number in range(len(analyses_of(group)))]
        _wave = SharedWave(plain, places, _process)
    return _wave


def from_either(
    group: str, number: int, analysis: Analysis, shared: SharedWave, record: Callable[[str, Any], None]
) -> Analysis:
    """An analysis whose rows come from the second process where that has them; what it read there is recorded here."""

    @wraps(analysis)
    def fit(data: WaveData) -> list[ResultRow]:
        fitted = shared.take((group, number))
        if fitted is None:
            return analysis(data)
        for name, value in fitted.reads.items():
            record(name, value)
        return fitted.rows

    return fit


def _processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _same(one: WaveData, other: WaveData) -> bool:
    """Whether analyses of both return the same rows."""
    frames = ((one.people, other.people), (one.eligible, other.eligible), (one.days, other.days))
    return (
        one.levels == other.levels and one.protocol == other.protocol and all(a is b or a.equals(b) for a, b in frames)
    )
