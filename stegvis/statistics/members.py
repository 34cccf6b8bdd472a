"""The exact people behind published counts, recorded while the counts are computed.

Disclosure control works on sets of people, never on the names of analyses. The sets of a table of results are kept
beside it with one row per person, so that erasing a person is deleting a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

# Between wave and person in a key; no wave holds it.
_BETWEEN = "\x1f"
# Of a frame of people: the columns that say who they are.
WHO = ("wave", "person")
MEMBER_COLUMNS: dict[str, str] = {"wave": "str", "person": "str", "numbers": "object"}


class MembersError(ValueError):
    """A count has no recorded people, or other people than it counts; the message contains no person."""


@dataclass(frozen=True, eq=False)
class Members:
    """The people behind a count, and which of them are cases.

    Attributes:
        frame: rows of the people: ``person``, and ``wave`` if they are of several waves.
        cases: n, whether each is a case; None where no events are counted.
    """

    frame: pd.DataFrame
    cases: np.ndarray | None

    @classmethod
    def of(cls, people: pd.DataFrame, outcome: str | None) -> Members | None:
        """The people of a frame; None if it does not identify them (so that nothing of it can be published)."""
        if "person" not in people:
            return None
        cases = None if outcome is None else people[outcome].to_numpy(dtype="float64", na_value=0.0) == 1
        return cls(only(people, ()), cases)


def only(people: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """Some columns of a frame of people, and those that say who they are; choosing rows of these is much faster."""
    wanted = dict.fromkeys((*(name for name in WHO if name in people), *columns))
    return people[list(wanted)]


def recorded(wave: str, counted: Sequence[tuple[int | None, int | None, Members | None]]) -> pd.DataFrame:
    """The people behind the counts of rows, one row per person.

    Args:
        wave: of people without one.
        counted: n, events and the members of each row, in the order of the rows.

    Returns:
        MEMBER_COLUMNS; ``numbers`` has a bit for the n and one for the events of every row in turn, packed.

    Raises:
        MembersError: a row has a count but no members, or not as many as it counts.
    """
    distinct = {id(each): each for _, _, each in counted if each is not None}
    everyone, codes = _people(wave, [each.frame for each in distinct.values()])
    places = dict(zip(distinct, codes, strict=True))
    bits = np.zeros((2 * len(counted), len(everyone)), dtype=bool)
    for row, (n, events, members) in enumerate(counted):
        if n is None and events is None:
            continue
        if members is None:
            raise MembersError("a row of results counts people that were not recorded")
        at = places[id(members)]
        if n is not None:
            bits[2 * row, at] = True
        if events is not None and members.cases is not None:
            bits[2 * row + 1, at[members.cases]] = True
        if (n, events) != _sizes(n, events, bits[2 * row : 2 * row + 2]):
            raise MembersError("a row of results counts other people than were recorded")
    packed = np.packbits(bits, axis=0).T
    return everyone.assign(numbers=[row.tobytes() for row in packed]) if len(everyone) else _nobody()


def _nobody() -> pd.DataFrame:
    """No people; ``numbers`` are bytes all the same, or the table that waves share would turn into one of texts."""
    import pyarrow as pa

    return pd.DataFrame(columns=list(MEMBER_COLUMNS)).astype(MEMBER_COLUMNS | {"numbers": pd.ArrowDtype(pa.binary())})


def unpacked(numbers: pd.Series, rows: int) -> np.ndarray:
    """The bits behind the counts of rows: 2 x rows (n and events in turn) by people."""
    if numbers.empty:
        return np.zeros((2 * rows, 0), dtype=bool)
    raw = np.frombuffer(b"".join(map(bytes, numbers)), dtype="uint8").reshape(len(numbers), -1)
    return np.unpackbits(raw, axis=1, count=2 * rows).T.astype(bool)


def _people(wave: str, frames: Sequence[pd.DataFrame]) -> tuple[pd.DataFrame, list[np.ndarray]]:
    """Wave and person of everyone in some frames, in order of both, and where each row of each frame is among them."""
    if not frames:
        return pd.DataFrame(columns=list(WHO), dtype="str"), []
    # Texts are compared once and numbers from there on: most people are in most of the frames.
    persons, names = _persons([frame["person"] for frame in frames])
    waves, wave_names = _waves(wave, frames)
    pairs, distinct = pd.factorize(waves * len(names) + persons)
    everyone = pd.DataFrame(
        {"wave": wave_names.take(distinct // len(names)), "person": names.take(distinct % len(names))}
    )
    order = (everyone["wave"] + _BETWEEN + everyone["person"]).argsort().to_numpy()
    place = np.empty(len(order), dtype="int64")
    place[order] = np.arange(len(order))
    ends = np.cumsum([len(frame) for frame in frames])
    return everyone.iloc[order].reset_index(drop=True), np.split(place[pairs], ends[:-1])


def _persons(people: Sequence[pd.Series]) -> tuple[np.ndarray, pd.Index]:
    """The number of each person in some columns, and the persons; columns of the same categories have numbers."""
    kinds = {id(each.dtype): each.dtype for each in people}.values()
    if all(isinstance(kind, pd.CategoricalDtype) for kind in kinds) and len(set(kinds)) == 1:
        codes = np.concatenate([each.cat.codes.to_numpy("int64") for each in people])
        return codes, pd.Index(people[0].cat.categories, dtype="str")
    numbers, names = pd.factorize(pd.concat([each.astype("str") for each in people]))
    return numbers, pd.Index(names)


def _waves(wave: str, frames: Sequence[pd.DataFrame]) -> tuple[np.ndarray, pd.Index]:
    """The number of the wave of each row of some frames, and the waves; ``wave`` where a frame has none."""
    if any("wave" in frame for frame in frames):
        every = [frame.get("wave", pd.Series(wave, frame.index)).astype("str") for frame in frames]
        numbers, names = pd.factorize(pd.concat(every))
        return numbers, pd.Index(names)
    return np.zeros(sum(map(len, frames)), dtype="int64"), pd.Index([wave], dtype="str")


def _sizes(n: int | None, events: int | None, bits: np.ndarray) -> tuple[int | None, int | None]:
    people, cases = (int(each.sum()) for each in bits)
    return None if n is None else people, None if events is None else cases
