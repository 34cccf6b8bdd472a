"""The rows of a delivered epochs file, a million at a time, as whole numbers: each spelling is looked up once.

Text comes as places in a dictionary, as Parquet stores it. So a row is a few small integers, and what they mean is read
by the rules of every other layout (``stegvis/storage/epoch_spellings.py``), once for each distinct spelling.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stegvis.storage.epoch_spellings import value_kind

Places = npt.NDArray[np.int32]
Clock = npt.NDArray[np.int64]

AT_ONCE = 1_000_000  # rows
NOTHING = -1  # in the place of a code or of the number of a problem

TICKS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}  # of a clock, in a second


class OddFileError(Exception):
    """A file that is no matter of whole numbers; it is read row by row instead."""


@dataclass(frozen=True)
class Part:
    """Row groups that are read at once: their numbers, the first row (from 0) and how many rows they have."""

    groups: tuple[int, ...]
    first_row: int
    rows: int

    @property
    def is_large(self) -> bool:
        """Whether it has too many rows to be in memory."""
        return self.rows > 2 * AT_ONCE


@dataclass(frozen=True)
class Spelled:
    """A column of some rows.

    Attributes:
        places: of each row (n,) its spelling's place in the others; -1, the last of them, where the cell is blank.
        codes: what the spellings mean (k + 1,); -1 if nothing.
        problems: the number of each spelling's problem (k + 1,); -1 if it has none.
    """

    places: Places
    codes: Places
    problems: Places


@dataclass(frozen=True)
class Rows:
    """Some rows of the file: the first one's number (from 0), and their columns.

    ``clock`` is in the file's unit (n,), ``timeless`` where it is blank (n,), None if nowhere.
    """

    first_row: int
    person: Spelled
    clock: Clock
    timeless: npt.NDArray[np.bool_] | None
    activity: Spelled
    speed: Spelled


class Spellings:
    """The spellings of a column so far, each read once; for several threads.

    Args:
        kind: of the cells.
        read: the code and the number of the problem of each distinct cell, -1 for none.
        lock: held while spellings are read.
    """

    def __init__(
        self, kind: pa.DataType, read: Callable[[pa.ChunkedArray], Sequence[tuple[int, int]]], lock: threading.Lock
    ) -> None:
        self.kind = kind
        self._read = read
        self._lock = lock
        self._known: dict[Any, tuple[int, int]] = {}

    def of(self, column: pa.ChunkedArray) -> Spelled:
        """A column of rows, whose cells may be a dictionary's."""
        if pa.types.is_null(column.type):
            return self._meaning(np.full(len(column), NOTHING, dtype=np.int32), [])
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        elif column.num_chunks > 1:
            column = column.unify_dictionaries()
        cells = only_chunk(column)
        places = cells.indices.cast(pa.int32())
        if places.null_count:
            places = pc.fill_null(places, NOTHING)
        return self._meaning(places.to_numpy(), cells.dictionary.to_pylist())

    def _meaning(self, places: Places, spelled: list[Any]) -> Spelled:
        spelled = [None if each != each else each for each in spelled] + [None]  # no number is no cell
        with self._lock:
            new = list(dict.fromkeys(each for each in spelled if each not in self._known))
            if new:
                self._known |= dict(zip(new, self._read(pa.chunked_array([pa.array(new, self.kind)])), strict=True))
            codes, problems = zip(*(self._known[each] for each in spelled), strict=True)
        return Spelled(places, np.array(codes, dtype=np.int32), np.array(problems, dtype=np.int32))


class EpochRows:
    """The rows of a file.

    Args:
        file: a Parquet file.
        sources: the delivered name of each canonical column.

    Attributes:
        count: of the rows.
        unit: of the clock: s, ms, us or ns.
        kinds: of the cells of the other columns.

    Raises:
        OddFileError: a column is of a kind that takes another way.
    """

    def __init__(self, file: Path, sources: Mapping[str, str]) -> None:
        self._file, self._sources = file, sources
        with pq.ParquetFile(file) as opened:
            self._metadata, schema = opened.metadata, opened.schema_arrow
        kinds = {name: schema.field(source).type for name, source in sources.items()}
        clock = kinds.pop("epoch_start")
        if not pa.types.is_timestamp(clock) or clock.tz is not None:
            raise OddFileError("times are written as text or have a zone")
        if not all(_is_usual(value_kind(kind)) for kind in kinds.values()):
            raise OddFileError("cells are neither text nor numbers")
        self.count: int = self._metadata.num_rows
        self.unit: str = clock.unit
        self.kinds = {name: value_kind(kind) for name, kind in kinds.items()}
        self._texts = [sources[name] for name, kind in kinds.items() if _is_text(kind)]

    def parts(self) -> list[Part]:
        """The file in parts: of row groups as many at once as have a million rows together."""
        parts: list[Part] = []
        groups: list[int] = []
        first = rows = 0
        for number in range(self._metadata.num_row_groups):
            more = self._metadata.row_group(number).num_rows
            if groups and rows + more > AT_ONCE:
                parts.append(Part(tuple(groups), first, rows))
                first, rows, groups = first + rows, 0, []
            groups.append(number)
            rows += more
        return [*parts, Part(tuple(groups), first, rows)] if groups else parts

    def tables(self, part: Part) -> Iterator[tuple[int, pa.Table]]:
        """The first row and the rows of a part, as they are stored; of a large one several tables."""
        names = list(self._sources.values())
        with pq.ParquetFile(
            self._file, metadata=self._metadata, read_dictionary=self._texts, pre_buffer=False
        ) as opened:
            if not part.is_large:
                yield part.first_row, opened.read_row_groups(list(part.groups), columns=names, use_threads=False)
                return
            first = part.first_row
            for batch in opened.iter_batches(AT_ONCE, list(part.groups), names, use_threads=False):
                yield first, pa.Table.from_batches([batch])
                first += batch.num_rows

    def read(self, first_row: int, table: pa.Table, spellings: Mapping[str, Spellings]) -> Rows:
        """What the rows of a table mean, by the spellings of ``person``, ``activity`` and ``speed``."""
        if sorted(table.column_names) != sorted(self._sources.values()):
            raise OddFileError("a column has parts of its own")
        found = {
            name: known.of(
                table[self._sources[name]] if name in self._sources else pa.chunked_array([pa.nulls(table.num_rows)])
            )
            for name, known in spellings.items()
        }
        time = only_chunk(table[self._sources["epoch_start"]])
        timeless = time.is_null().to_numpy(zero_copy_only=False) if time.null_count else None
        clock = pc.fill_null(time.view(pa.int64()), 0) if time.null_count else time.view(pa.int64())
        return Rows(first_row, found["person"], clock.to_numpy(), timeless, found["activity"], found["speed"])


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_usual(kind: pa.DataType) -> bool:
    whole, floating = pa.types.is_integer(kind), pa.types.is_float32(kind) or pa.types.is_float64(kind)
    return bool(_is_text(kind) or whole or floating or pa.types.is_null(kind))


def only_chunk(column: pa.ChunkedArray) -> pa.Array:
    """A column as one array."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
