"""From rows of a delivered epochs file to bouts, in the order of person and time.

Rows come as whole numbers (``stegvis/storage/epoch_rows.py``). Those of one person whose epochs ascend are a stretch,
with pauses or without. Two stretches of a person that do not overlap in time hold no epoch twice, and lie in the order
of their first epochs; so a file needs no sorting, and its rows no comparing, unless stretches overlap. Rows of many
people in turns (a file sorted by time) are first put in the order of people, as they are otherwise, within the rows in
memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stegvis.accelerometry.activity import ACTIVITIES
from stegvis.storage.epoch_rows import NOTHING, TICKS, Clock, OddFileError, Places, Rows

Booleans = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]
Records = npt.NDArray[np.void]

# A bout: its start in milliseconds, its epochs, and the codes of the lake.
BOUT = np.dtype([("start", "i8"), ("epochs", "i4"), ("activity", "u1"), ("speed", "u1")], align=True)
# A stretch: whose, its first and last epoch in milliseconds, how many epochs and bouts it has.
STRETCH = np.dtype([("person", "i4"), ("bouts", "i4"), ("first", "i8"), ("last", "i8"), ("epochs", "i8")])

_DAY = 86_400_000  # milliseconds
# Rows of a person on end below which the rows of a table are put in the order of people first.
_SHORTEST_BLOCK = 50
_WALKING = ACTIVITIES["walking"]


@dataclass(frozen=True)
class Rules:
    """What a row must be: the length of an epoch; the first moment within the bounds and the first after them, in the
    file's unit; the numbers of the problems of a blank and of a moment outside.
    """

    epoch_seconds: int
    unit: str
    bounds: tuple[int, int]
    blank: int
    outside: int

    @property
    def step(self) -> int:
        """An epoch in the file's unit."""
        return self.epoch_seconds * TICKS[self.unit]


@dataclass(frozen=True)
class Ordered:
    """What some rows came to.

    Attributes:
        bouts: ``BOUT`` (b,), by stretch.
        stretches: ``STRETCH`` (s,).
        broken: rows with a problem of their own (r,), from 0, and the number of each one's problem (r,).
        first: of the first good rows in the file's order, if asked for: person (n,) and milliseconds (n,).
    """

    bouts: Records
    stretches: Records
    broken: tuple[Integers, Places]
    first: tuple[Places, Clock] | None


@dataclass(frozen=True)
class GoodRows:
    """Rows without a problem of their own (n,).

    ``row`` is their number in the file, from 0; ``person``, ``activity`` and ``speed`` are codes; ``clock`` is in
    milliseconds.
    """

    row: Integers
    person: Places
    clock: Clock
    activity: Places
    speed: Places


def ordered(rows: Rows, rules: Rules, first: int = 0) -> Ordered:
    """The bouts of some rows of the file, and which rows have a problem of their own.

    Args:
        rows: of the file.
        rules: what a row must be.
        first: how many of the good rows to give as they are.

    Raises:
        OddFileError: an epoch begins between two milliseconds.
    """
    problem = problems(rows, rules)
    columns = (rows.person.places, rows.clock, rows.activity.places, rows.speed.places)
    broken = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32)
    if problem is not None:
        where = np.flatnonzero(problem != NOTHING)
        broken = where + rows.first_row, problem[where]
        good = problem == NOTHING
        columns = (columns[0][good], columns[1][good], columns[2][good], columns[3][good])
    person, clock = columns[:2]
    few = (rows.person.codes[person[:first]], _milliseconds(clock[:first], rules)) if first else None
    if np.count_nonzero(person[1:] != person[:-1]) * _SHORTEST_BLOCK > len(person):
        columns = _taken(columns, np.argsort(_ranks(rows)[person], kind="stable"))
    bouts, stretches = _bouts(columns, rows, rules)
    if len(stretches) * _SHORTEST_BLOCK > len(person) + 100 * _SHORTEST_BLOCK:
        columns = _taken(columns, np.lexsort((columns[1], _ranks(rows)[columns[0]])))
        bouts, stretches = _bouts(columns, rows, rules)
    return Ordered(bouts, stretches, broken, few)


def problems(rows: Rows, rules: Rules) -> Places | None:
    """The number of each row's first problem (n,), -1 for none; None if no row has one."""
    columns = (rows.person, rows.activity, rows.speed)
    clock = rows.clock
    low, high = rules.bounds
    timely = rows.timeless is None and (not len(clock) or bool(clock.min() >= low and clock.max() < high))
    if timely and not any((each.problems[:-1] != NOTHING).any() or _blank_matters(each.problems, each.places)
                          for each in columns):  # fmt: skip
        return None
    found = rows.person.problems[rows.person.places]
    times = np.where((clock < low) | (clock >= high), np.int32(rules.outside), np.int32(NOTHING))
    if rows.timeless is not None:
        times[rows.timeless] = rules.blank
    for other in (times, *(each.problems[each.places] for each in columns[1:])):
        found = np.where(found == NOTHING, other, found)
    return found


def good_rows(rows: Rows, rules: Rules, people: Booleans) -> GoodRows:
    """The good rows of some people (a truth value for each code of a person), as they are in the file."""
    problem = problems(rows, rules)
    person = rows.person.codes[rows.person.places]
    # A blank identifier has a problem, whatever the last person is.
    chosen = people[person] if problem is None else people[person] & (problem == NOTHING)
    where = np.flatnonzero(chosen)
    activity, speed = (each.codes[each.places[where]] for each in (rows.activity, rows.speed))
    clock = _milliseconds(rows.clock[where], rules)
    return GoodRows(where + rows.first_row, person[where], clock, activity, _only_of_walking(activity, speed))


def without_repeated(rows: GoodRows, epoch_seconds: int) -> tuple[Records, Records, Integers]:
    """Bouts and stretches of good rows in any order, and the numbers of rows whose epoch an earlier row has."""
    order = np.lexsort((rows.row, rows.clock, rows.person))
    person, clock = rows.person[order], rows.clock[order]
    again = np.zeros(len(order), dtype=bool)
    again[1:] = (person[1:] == person[:-1]) & (clock[1:] == clock[:-1])
    kept = order[~again]
    columns = (person[~again], clock[~again], rows.activity[kept], rows.speed[kept])
    first = _first_rows(columns, 1000 * epoch_seconds)
    bouts, stretches = _of_runs(*_taken(columns, first), _counts(first, len(kept)), epoch_seconds)
    return bouts, stretches, np.sort(rows.row[order[again]])


def merged(bouts: Records, whose: Integers, epoch_seconds: int) -> tuple[Records, Integers]:
    """Bouts in the order of person and time, as long as they can be: a person's that go on in the next become one.

    Args:
        bouts: ``BOUT`` (b,), none of them beyond midnight.
        whose: of each (b,), any number of its person.
        epoch_seconds: length of an epoch.
    """
    if not len(bouts):
        return bouts, whose
    start = bouts["start"]
    begins = np.ones(len(bouts), dtype=bool)
    begins[1:] = start[1:] != (start + 1000 * epoch_seconds * bouts["epochs"])[:-1]
    begins[1:] |= start[1:] // _DAY != start[:-1] // _DAY
    for column in (whose, bouts["activity"], bouts["speed"]):
        begins[1:] |= column[1:] != column[:-1]
    first = np.flatnonzero(begins)
    joined = bouts[first]
    joined["epochs"] = np.add.reduceat(bouts["epochs"], first)
    return joined, whose[first]


def _blank_matters(problems_of: Places, places: Places) -> bool:
    return bool(problems_of[-1] != NOTHING and len(places) and places.min() == NOTHING)


def _ranks(rows: Rows) -> npt.NDArray[np.unsignedinteger]:
    """A small number for the person of each place in the dictionary, the smaller the faster to sort."""
    rank = np.unique(rows.person.codes, return_inverse=True)[1]
    return rank.astype(np.uint16 if len(rank) < 2**16 else np.uint32)


def _taken(columns: tuple[Places, Clock, Places, Places], order: Integers) -> tuple[Places, Clock, Places, Places]:
    return columns[0][order], columns[1][order], columns[2][order], columns[3][order]


def _bouts(columns: tuple[Places, Clock, Places, Places], rows: Rows, rules: Rules) -> tuple[Records, Records]:
    """The bouts and stretches of good rows as they are."""
    first = _first_rows(columns, rules.step)
    person, clock, activity, speed = _taken(columns, first)
    counts = _counts(first, len(columns[0]))
    codes = rows.activity.codes[activity]
    pace = _only_of_walking(codes, rows.speed.codes[speed])
    return _of_runs(
        rows.person.codes[person], _milliseconds(clock, rules), codes, pace, counts, rules.epoch_seconds
    )  # fmt: skip


def _first_rows(columns: tuple[Places, Clock, Places, Places], step: int) -> Integers:
    """The rows at which the person or the codes change, or an epoch does not follow the one before by a step."""
    person, clock, activity, speed = columns
    begins = np.ones(len(clock), dtype=bool)
    inside = begins[1:]
    np.not_equal(np.subtract(clock[1:], clock[:-1]), step, out=inside)
    for column in (person, activity, speed):
        inside |= column[1:] != column[:-1]
    return np.flatnonzero(begins)


def _counts(first: Integers, rows: int) -> Integers:
    return np.diff(first, append=rows)


def _of_runs(
    person: Places, start: Clock, activity: Places, speed: Places, counts: Integers, epoch_seconds: int
) -> tuple[Records, Records]:
    """Bouts and stretches of runs of epochs: the runs are cut at midnight.

    Raises:
        OddFileError: a good row has no person or no activity, which the codebook of this study allows.
    """
    if (person == NOTHING).any() or (activity == NOTHING).any():
        raise OddFileError("a person or an activity may be blank")
    step = 1000 * epoch_seconds
    day = start // _DAY
    pieces = (start + step * (counts - 1)) // _DAY - day + 1
    run = np.repeat(np.arange(len(start)), pieces)
    place = np.arange(len(run)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    # The first epoch of each piece: of the later ones, the first that begins on their day.
    before = np.where(place > 0, -((start[run] - (day[run] + place) * _DAY) // step), 0)
    ends = np.append(before[1:], 0)
    ends[np.cumsum(pieces) - 1] = counts
    # A day on which no epoch begins, because epochs are longer, is no piece.
    filled = ends > before
    run, before, ends = run[filled], before[filled], ends[filled]
    bouts = np.zeros(len(run), dtype=BOUT)
    bouts["start"] = start[run] + step * before
    bouts["epochs"] = ends - before
    bouts["activity"], bouts["speed"] = activity[run], speed[run]
    return bouts, stretches_of(bouts, person[run], step)


def stretches_of(bouts: Records, person: Places, step: int, pauses: bool = True) -> Records:
    """The stretches of bouts (b,) of people (b,), whose epochs are a step apart, in milliseconds.

    ``pauses``: whether a stretch may have any.
    """
    last = bouts["start"] + step * (bouts["epochs"].astype(np.int64) - 1)
    begins = np.ones(len(bouts), dtype=bool)
    begins[1:] = person[1:] != person[:-1]
    begins[1:] |= bouts["start"][1:] <= last[:-1] if pauses else bouts["start"][1:] != last[:-1] + step
    first = np.flatnonzero(begins)
    found = np.zeros(len(first), dtype=STRETCH)
    found["person"], found["first"] = person[first], bouts["start"][first]
    found["bouts"] = np.diff(first, append=len(bouts))
    found["last"] = last[first + found["bouts"] - 1]
    found["epochs"] = np.add.reduceat(bouts["epochs"], first, dtype=np.int64) if len(first) else 0
    return found


def _only_of_walking(activity: Places, speed: Places) -> Places:
    return np.where((activity == _WALKING) & (speed > 0), speed, 0)


def _milliseconds(clock: Clock, rules: Rules) -> Clock:
    """Moments in the file's unit as milliseconds.

    Raises:
        OddFileError: one is not a whole number of them.
    """
    ticks = TICKS[rules.unit]
    if ticks <= 1000:
        return clock * (1000 // ticks)
    each = ticks // 1000
    if (clock % each).any():
        raise OddFileError("an epoch begins between two milliseconds")
    return clock // each
