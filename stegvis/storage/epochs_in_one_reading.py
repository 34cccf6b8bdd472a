"""A delivered epochs file of whole numbers: read a million rows at a time by two threads, its bouts made on the way.

Only people with stretches that overlap in time can have an epoch twice; their rows alone are read again and compared.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from stegvis.accelerometry.activity import ACTIVITIES, SPEEDS
from stegvis.deliveries.contract import FIRST_ROW
from stegvis.deliveries.problems import file_problem
from stegvis.deliveries.times import limits, out_of_bounds
from stegvis.storage.delivered_epochs import EpochsContract, RefusedFile, listed
from stegvis.storage.epoch_length import LOOKED_AT, other_length_of
from stegvis.storage.epoch_order import GoodRows, Ordered, Rules, good_rows, ordered, without_repeated
from stegvis.storage.epoch_rows import NOTHING, TICKS, EpochRows, OddFileError, Part, Rows, Spellings
from stegvis.storage.epoch_spellings import BLANK, TWICE, Problems, read_spellings
from stegvis.storage.kept_bouts import KeptBouts

THREADS = 2
# Tables that are read ahead of the one whose bouts are kept next.
AHEAD = 3
# Rows of people whose stretches overlap that are compared in memory, and stretches that are kept there.
MOST_COMPARED = 20_000_000
MOST_STRETCHES = 20_000_000
REPORTED_EVERY = 100_000_000  # epochs

Integers = npt.NDArray[np.int64]
Found = TypeVar("Found")


def in_one_reading(
    file: Path,
    label: str,
    sources: Mapping[str, str],
    contract: EpochsContract,
    kept: KeptBouts,
    report: Callable[[str], None],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The people and the problems of a file (``stegvis/storage/epochs_file.py``); its bouts are added to ``kept``.

    Args:
        file: a Parquet file.
        label: what the list of problems calls it.
        sources: the delivered name of each canonical column.
        contract: what it is read by.
        kept: for the bouts; empty.
        report: called with one line of progress at a time.

    Raises:
        OddFileError: the file takes another way; what is in ``kept`` is of no use.
        RefusedFile: the epochs are of another length.
    """
    reading = _Reading(file, sources, contract, kept)
    reading.read(label, report)
    reading.compare()
    return kept.people(), reading.problems(label)


class _Reading:
    """A file while it is read."""

    def __init__(self, file: Path, sources: Mapping[str, str], contract: EpochsContract, kept: KeptBouts) -> None:
        self._file, self._sources, self._contract, self._kept = file, sources, contract, kept
        self._problems = Problems()
        self._broken: list[tuple[Integers, npt.NDArray[np.int32]]] = []
        self._first: list[tuple[npt.NDArray[np.int32], Integers]] = []
        self._length_is_known = False
        try:
            self._rows = EpochRows(file, sources)
        except OddFileError:
            raise
        except Exception as error:  # whatever reading a damaged footer raised
            raise OddFileError("it cannot be read so") from error
        lock = threading.Lock()
        self._spellings = {
            name: Spellings(self._rows.kinds.get(name, pa.string()), partial(self._meanings, name), lock)
            for name in ("person", "activity", "speed")
        }
        column = contract.layout.columns["epoch_start"]
        # In Python's numbers: nanoseconds may not reach as far as the bounds.
        low, high = (int(day.astype("int64")) * TICKS[self._rows.unit] // TICKS["us"] for day in limits(column.bounds))
        self._rules = Rules(
            contract.epoch_seconds,
            self._rows.unit,
            (low, high),
            self._problems.number("blank", "epoch_start", BLANK),
            self._problems.number("out_of_range", "epoch_start", out_of_bounds(column.bounds)),
        )

    def read(self, label: str, report: Callable[[str], None]) -> None:
        """Read the file once.

        Raises:
            OddFileError: it takes another way.
            RefusedFile: the epochs are of another length.
        """
        done, reported = 0, 0
        for rows, found in self._of_each_table(self._ordered):
            self._kept.add(found.bouts, found.stretches)
            self._broken.append(found.broken)
            if found.first is not None and not self._length_is_known:
                self._first.append(found.first)
                self._check_length(last=False)
            if self._kept.stretches_kept > MOST_STRETCHES:
                raise OddFileError("its rows are in no order")
            done += rows
            if done - reported >= REPORTED_EVERY:
                reported = done
                report(f"read {done:,} of {self._rows.count:,} epochs of {label}")
        if done != self._rows.count:
            raise OddFileError("it has other rows than it says")
        if not self._length_is_known:
            self._check_length(last=True)

    def compare(self) -> None:
        """Look for repeated epochs among people whose stretches overlap.

        Raises:
            OddFileError: there are too many of them.
        """
        people, epochs = self._kept.overlapping()
        if not people.any():
            return
        if epochs > MOST_COMPARED:
            raise OddFileError("many people's rows overlap")
        parts = [found for _, found in self._of_each_table(partial(self._good_rows, people)) if len(found.row)]
        rows = GoodRows(*(np.concatenate([getattr(part, name) for part in parts]) for name in GoodRows.__annotations__))
        bouts, stretches, repeated = without_repeated(rows, self._contract.epoch_seconds)
        self._kept.remove(people)
        self._kept.add(bouts, stretches)
        number = self._problems.number("duplicate", "epoch_start", TWICE)
        self._broken.append((repeated, np.full(len(repeated), number, dtype=np.int32)))

    def problems(self, label: str) -> pd.DataFrame:
        """The rows in quarantine."""
        rows, numbers = (np.concatenate(parts) for parts in zip(*self._broken, strict=True))
        order = np.argsort(rows)
        broken = pd.DataFrame({"row": rows[order] + FIRST_ROW, "problem": numbers[order]})
        return listed(broken, self._problems, self._sources, label)

    def _ordered(self, rows: Rows) -> Ordered:
        return ordered(rows, self._rules, 0 if self._length_is_known else LOOKED_AT)

    def _good_rows(self, people: npt.NDArray[np.bool_], rows: Rows) -> GoodRows:
        return good_rows(rows, self._rules, people)

    def _check_length(self, last: bool) -> None:
        person, clock = (np.concatenate(parts)[:LOOKED_AT] for parts in zip(*self._first, strict=True))
        if len(person) < LOOKED_AT and not last:
            return
        self._length_is_known = True
        self._first = []
        wrong = other_length_of(person, clock, self._contract.epoch_seconds)
        if wrong is not None:
            name = self._file.name
            raise RefusedFile(name, file_problem(name, "epoch_length", wrong), self._rows.count)

    def _of_each_table(self, work: Callable[[Rows], Found]) -> Iterator[tuple[int, Found]]:
        """What comes of each table of the file, in their order, with its number of rows.

        Row groups are read by the threads that work on them; of large ones, one thread reads the tables of the next.
        """
        with ThreadPoolExecutor(THREADS, thread_name_prefix="epochs") as pool:
            waiting: deque[Future[list[tuple[int, Found]]]] = deque()
            try:
                for task in self._tasks(work):
                    waiting.append(pool.submit(task))
                    if len(waiting) > AHEAD:
                        yield from waiting.popleft().result()
                while waiting:
                    yield from waiting.popleft().result()
            finally:
                pool.shutdown(cancel_futures=True)

    def _tasks(self, work: Callable[[Rows], Found]) -> Iterator[Callable[[], list[tuple[int, Found]]]]:
        for part in self._rows.parts():
            if part.is_large:
                for first_row, table in self._tables(part):
                    yield partial(self._done, work, [(first_row, table)])
            else:
                yield partial(self._read_and_done, work, part)

    def _read_and_done(self, work: Callable[[Rows], Found], part: Part) -> list[tuple[int, Found]]:
        return self._done(work, self._tables(part))

    def _done(
        self, work: Callable[[Rows], Found], tables: Iterator[tuple[int, pa.Table]] | list[tuple[int, pa.Table]]
    ) -> list[tuple[int, Found]]:
        try:
            return [(table.num_rows, work(self._rows.read(first, table, self._spellings))) for first, table in tables]
        except (IndexError, UnicodeDecodeError, pa.ArrowException) as error:  # damaged pages
            raise OddFileError("it cannot be read so") from error

    def _tables(self, part: Part) -> Iterator[tuple[int, pa.Table]]:
        try:
            yield from self._rows.tables(part)
        except Exception as error:  # whatever reading a damaged file raised
            raise OddFileError("it cannot be read so") from error

    def _meanings(self, name: str, spelled: pa.ChunkedArray) -> list[tuple[int, int]]:
        """The code and the number of the problem of each spelling of a column; -1 for none."""
        column = self._contract.layout.columns[name]
        values, numbers = read_spellings(spelled, self._spellings[name].kind, column, name, self._problems)
        if name == "person":
            codes = [NOTHING if pd.isna(each) else self._kept.number(self._contract.stored(each)) for each in values]
        else:
            known = ACTIVITIES if name == "activity" else SPEEDS
            codes = [NOTHING if pd.isna(each) else known[each] for each in values]
        return list(zip(codes, numbers.astype("Int32").fillna(NOTHING), strict=True))
