"""Bouts of a delivered epochs file, from its one reading until it is known whose are used.

Whose epochs of a batch are used is known when all of its recordings have been read. Until then the bouts are in a file
without a name, 16 bytes each, which disappears with the process however that ends, and which identifies nobody: whose
stretches of bouts they are is known in memory only.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from stegvis.storage.bouts import BOUTS
from stegvis.storage.epoch_order import BOUT, STRETCH, Records, merged, stretches_of
from stegvis.storage.epoch_rows import only_chunk
from stegvis.storage.lake import EpochLake

# Bouts that are put in order at once; more if a single person has more.
_AT_ONCE = 100_000
_CERTAIN, _UNKNOWN_PACE = 255, 0
# A stretch, with the place of its first bout in the file and the number of the addition it came with.
_PLACED = np.dtype([*((name, STRETCH[name]) for name in STRETCH.names or ()), ("at", "i8"), ("part", "i4")])


class KeptBouts:
    """Bouts in any order of people, written once and then read by person.

    Args:
        folder: on whose disk they are; made if it is not there. None: only the stretches are kept.
        epoch_seconds: length of an epoch.
    """

    def __init__(self, folder: Path | None, epoch_seconds: int) -> None:
        self._numbers: dict[str, int] = {}
        self._epoch_seconds = epoch_seconds
        self._file = None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - it is closed with this object
        self.clear()

    @property
    def has_bouts(self) -> bool:
        """Whether the bouts themselves are kept."""
        return self._file is not None

    def clear(self) -> None:
        """Begin anew."""
        self._numbers.clear()
        self._parts: list[Records] = []
        self._bouts = self._additions = self.stretches_kept = 0
        if self._file is not None:
            self._file.seek(0)
            self._file.truncate()

    def add(self, bouts: Records, stretches: Records) -> None:
        """Keep bouts (``epoch_order.BOUT``), in the order of their stretches (``epoch_order.STRETCH``)."""
        placed = np.zeros(len(stretches), dtype=_PLACED)
        for name in STRETCH.names or ():
            placed[name] = stretches[name]
        placed["at"] = self._bouts + np.cumsum(stretches["bouts"], dtype=np.int64) - stretches["bouts"]
        placed["part"] = self._additions
        self._parts.append(placed)
        self._additions += 1
        self._bouts += len(bouts)
        self.stretches_kept += len(stretches)
        if self._file is not None:
            self._file.write(bouts.tobytes())

    def add_table(self, table: pa.Table) -> None:
        """Keep bouts in the lake's columns, of which no epoch comes again; in any order."""
        person = only_chunk(table["person"])
        numbers = np.array([self.number(name) for name in person.dictionary.to_pylist()], dtype=np.int32)
        bouts = np.zeros(table.num_rows, dtype=BOUT)
        bouts["start"] = only_chunk(table["start"]).view(pa.int64()).to_numpy()
        bouts["epochs"] = only_chunk(table["seconds"]).to_numpy() // self._epoch_seconds
        for name in ("activity", "speed"):
            bouts[name] = only_chunk(table[name]).to_numpy()
        whose = numbers[person.indices.to_numpy()]
        # Another bout may belong into a pause.
        self.add(bouts, stretches_of(bouts, whose, 1000 * self._epoch_seconds, pauses=False))

    def number(self, name: str) -> int:
        """The number of a person, a new one if need be."""
        return self._numbers.setdefault(name, len(self._numbers))

    def stretches(self) -> Records:
        """All stretches, with ``at`` (the place of the first bout) and ``part`` (which addition it came with)."""
        self._parts = [np.concatenate(self._parts) if self._parts else np.zeros(0, dtype=_PLACED)]
        return self._parts[0]

    def overlapping(self) -> tuple[npt.NDArray[np.bool_], int]:
        """The people with stretches that overlap in time (a truth value for each), and how many epochs they have."""
        stretches = self.stretches()
        found = np.zeros(len(self._numbers), dtype=bool)
        ordered = stretches[np.lexsort((stretches["first"], stretches["person"]))]
        mine = ordered["person"][1:] == ordered["person"][:-1]
        found[ordered["person"][1:][mine & (ordered["first"][1:] <= ordered["last"][:-1])]] = True
        return found, int(stretches["epochs"][found[stretches["person"]]].sum())

    def remove(self, people: npt.NDArray[np.bool_]) -> None:
        """Forget the stretches of some people: a truth value for each."""
        stretches = self.stretches()
        self._parts = [stretches[~people[stretches["person"]]]]

    def people(self) -> pd.DataFrame:
        """Everybody who has an epoch, in the order of names: person, start (the first epoch), hours (of all epochs)."""
        stretches = self.stretches()
        epochs = np.zeros(len(self._numbers), dtype=np.int64)
        np.add.at(epochs, stretches["person"], stretches["epochs"])
        start = np.full(len(self._numbers), np.iinfo(np.int64).max)
        np.minimum.at(start, stretches["person"], stretches["first"])
        names = sorted(name for name, number in self._numbers.items() if epochs[number])
        listed = np.array([self._numbers[name] for name in names], dtype=np.int64)
        return pd.DataFrame(
            {
                "person": pd.Series(names, dtype="str"),
                "start": pd.Series(start[listed].astype("datetime64[ms]").astype("datetime64[us]")),
                "hours": epochs[listed] * (1000 * self._epoch_seconds) / 3_600_000.0,
            }
        )

    def write_shard(self, lake: EpochLake, name: str, people: Sequence[str]) -> Path:
        """Stage a shard of these people's epochs, sorted by person and time.

        Raises:
            ValueError: the bouts themselves were not kept.
        """
        return lake.write_bouts(name, self._tables(sorted(people)))

    def close(self) -> None:
        """Remove the bouts from the disk."""
        if self._file is not None:
            self._file.close()

    def _tables(self, people: Sequence[str]) -> Iterator[pa.Table]:
        """Tables of bouts (``stegvis/storage/bouts.py``), some people at a time."""
        if self._file is None:
            raise ValueError("the bouts were not kept")
        self._file.flush()
        rank = np.full(len(self._numbers), -1, dtype=np.int32)
        for place, person in enumerate(people):
            if person in self._numbers:
                rank[self._numbers[person]] = place
        stretches = self.stretches()
        stretches = stretches[rank[stretches["person"]] >= 0]
        whose = rank[stretches["person"]]
        order = np.lexsort((stretches["first"], whose))
        stretches, whose = stretches[order], whose[order]
        ends = np.cumsum(stretches["bouts"], dtype=np.int64)
        last_of_person = np.flatnonzero(np.diff(whose, append=-1)) + 1
        begin = 0
        while begin < len(stretches):
            wanted = np.searchsorted(ends, (ends[begin - 1] if begin else 0) + _AT_ONCE) + 1
            place = min(int(np.searchsorted(last_of_person, wanted)), len(last_of_person) - 1)
            end = int(last_of_person[place])
            some = stretches[begin:end]
            bouts, each = merged(self._read(some), np.repeat(whose[begin:end], some["bouts"]), self._epoch_seconds)
            yield self._as_table(bouts, each, people)
            begin = end

    def _read(self, stretches: Records) -> Records:
        """The bouts of stretches; those that follow each other in the file are read at once."""
        assert self._file is not None
        content = bytearray(int(stretches["bouts"].sum()) * BOUT.itemsize)
        into = memoryview(content)
        at, counts = stretches["at"], stretches["bouts"].astype(np.int64)
        first = np.flatnonzero(np.append(True, at[1:] != (at + counts)[:-1]))
        places, lengths = at[first] * BOUT.itemsize, np.add.reduceat(counts, first) * BOUT.itemsize
        done = 0
        for place, length in zip(places.tolist(), lengths.tolist(), strict=True):
            while length:
                got = os.preadv(self._file.fileno(), [into[done : done + length]], place)
                if not got:
                    raise OSError("the bouts of a delivered file are gone from the disk")
                done, place, length = done + got, place + got, length - got
        return np.frombuffer(content, dtype=BOUT)

    def _as_table(self, bouts: Records, whose: npt.NDArray[np.int64], people: Sequence[str]) -> pa.Table:
        count = len(bouts)
        first, last = int(whose[0]), int(whose[-1])
        names = pa.array(people[first : last + 1], pa.string())
        unknown = pa.nulls(count, pa.bool_())
        pace = _the_same(_UNKNOWN_PACE, count)
        columns = {
            "person": pa.DictionaryArray.from_arrays(pa.array((whose - first).astype(np.int32)), names),
            "start": pa.array(np.ascontiguousarray(bouts["start"])).cast(pa.timestamp("ms")),
            "seconds": pa.array((bouts["epochs"] * self._epoch_seconds).astype(np.int32)),
            "activity": pa.array(np.ascontiguousarray(bouts["activity"])),
            "speed": pa.array(np.ascontiguousarray(bouts["speed"])),
            "wear_back": unknown,
            "wear_thigh": unknown,
            "epoch_seconds": pa.array(np.full(count, self._epoch_seconds, dtype=np.int32)),
            "confidence": _the_same(_CERTAIN, count),
            "cadence": pace,
            "centimeters_per_second": pace,
        }
        return pa.table([columns[name] for name in BOUTS.names], names=BOUTS.names)


def _the_same(value: int, bouts: int) -> pa.Array:
    """A list of one value for each bout: all of its epochs have it."""
    ends = np.arange(bouts + 1, dtype=np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), pa.array(np.full(bouts, value, dtype=np.uint8)))
