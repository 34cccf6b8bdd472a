"""Bouts: epochs of one activity on end, as the lake stores them. Nothing is lost, and rows of epochs can be had again.

A bout ends where the activity, the walking speed, the wear of a sensor or the length of epochs changes, where an epoch
is missing, and at midnight, device-local; so a bout belongs to one day, the day its epochs begin on. Bouts are as long
as these rules let them be, so the same epochs in the same order always give the same bouts. An epoch of more than one
activity that was classified by the second is stored as epochs of one second (``accelerometry.mixed_epochs``).

``person``                       text
``start``                        device-local timestamp, milliseconds
``seconds``                      length
``activity``, ``speed``          small integers, see ``stegvis/accelerometry/activity.py``
``wear_back``, ``wear_thigh``    whether the sensor was worn; null where unknown
``epoch_seconds``                length of the epochs that the bout was made from; the bout has seconds / epoch_seconds
``confidence``                   list: probability of the activity, times 255
``cadence``                      list: steps per minute; 0 where not walking or unknown
``centimeters_per_second``       list: walking speed, at most 255; 0 where not walking or unknown

A list has one value per epoch, or a single one if all of them are equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

PER_EPOCH = ("confidence", "cadence", "centimeters_per_second")
WEAR = ("wear_back", "wear_thigh")
CODES = ("activity", "speed")

EPOCHS = pa.schema(
    [
        ("person", pa.string()),
        ("epoch_start", pa.timestamp("ms")),
        ("activity", pa.uint8()),
        ("speed", pa.uint8()),
        ("confidence", pa.uint8()),
        ("wear_back", pa.bool_()),
        ("wear_thigh", pa.bool_()),
        ("cadence", pa.uint8()),
        ("centimeters_per_second", pa.uint8()),
    ]
)
# Epochs to be stored, not all of which need have the same length.
LENGTH = pa.field("seconds", pa.int32())
BOUTS = pa.schema(
    [
        ("person", pa.string()),
        ("start", pa.timestamp("ms")),
        ("seconds", pa.int32()),
        ("activity", pa.uint8()),
        ("speed", pa.uint8()),
        ("wear_back", pa.bool_()),
        ("wear_thigh", pa.bool_()),
        ("epoch_seconds", pa.int32()),
        ("confidence", pa.list_(pa.uint8())),
        ("cadence", pa.list_(pa.uint8())),
        ("centimeters_per_second", pa.list_(pa.uint8())),
    ]
)

_DAY = 86_400_000  # milliseconds
_UNKNOWN_WEAR = 2

Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint8]


def bouts_of(epochs: Iterable[pa.Table], epoch_seconds: int) -> Iterator[pa.Table]:
    """The bouts of epochs that come table by table, in the order of person and time.

    A bout may go on in the next table, so the rows of each table's last bout, at most a day, wait for it.

    Args:
        epochs: tables with the columns of ``EPOCHS``; those of wear, cadence and speed in centimeters may be missing,
            which is unknown. ``person`` may be dictionary-encoded. A further column ``LENGTH`` has the length of each
            epoch.
        epoch_seconds: length of an epoch where there is no such column.

    Yields:
        Tables with the columns of ``BOUTS``, ``person`` dictionary-encoded; none without an epoch.

    Raises:
        ValueError: a cell other than wear is missing.
    """
    waiting: pa.Table | None = None
    for table in epochs:
        rows = _complete(table, epoch_seconds)
        if waiting is not None:
            rows = pa.concat_tables([waiting, rows]).unify_dictionaries()
        if not rows.num_rows:
            continue
        rows = rows.combine_chunks()
        first = _first_rows(rows)
        waiting = rows.slice(first[-1])
        if first[-1]:
            yield _bouts(rows.slice(0, first[-1]), first[:-1])
    if waiting is not None and waiting.num_rows:
        yield _bouts(waiting, np.zeros(1, dtype=np.int64))


def epochs_of(bouts: pa.Table) -> pa.Table:
    """The rows of epochs, with the columns of ``EPOCHS``, that these bouts were made from, in the same order."""
    bouts = bouts.combine_chunks()
    each = _numbers(bouts, "epoch_seconds")
    counts = _numbers(bouts, "seconds") // np.maximum(each, 1)
    row = np.repeat(np.arange(bouts.num_rows), counts)
    place = np.arange(row.size) - np.repeat(np.cumsum(counts) - counts, counts)
    clock = _numbers(bouts, "start")[row] + 1000 * each[row] * place
    columns: dict[str, Any] = {name: bouts[name].take(pa.array(row)) for name in ("person", *CODES, *WEAR)}
    columns["epoch_start"] = pa.array(clock).cast(pa.timestamp("ms"))
    for name in PER_EPOCH:
        lists = _only_chunk(bouts[name])
        given = lists.value_lengths().to_numpy(zero_copy_only=False)
        times = np.repeat(np.where(given == 1, counts, 1), given)
        columns[name] = pa.array(np.repeat(lists.flatten().to_numpy(zero_copy_only=False), times))
    return pa.table([columns[name] for name in EPOCHS.names], names=EPOCHS.names).cast(EPOCHS)


def _complete(table: pa.Table, epoch_seconds: int) -> pa.Table:
    """Epochs with every column in order and their length, ``person`` dictionary-encoded."""
    columns = []
    for field in (*EPOCHS, LENGTH):
        if field.name in table.column_names:
            column = table[field.name]
        else:
            blank = None if field.name in WEAR else epoch_seconds if field == LENGTH else 0
            column = pa.chunked_array([pa.repeat(pa.scalar(blank, field.type), table.num_rows)])
        if column.null_count and field.name not in WEAR:
            raise ValueError(f"epochs without {field.name} cannot be stored")
        if field.name != "person":
            column = column.cast(field.type)
        elif not pa.types.is_dictionary(column.type):
            column = column.cast(field.type).dictionary_encode()
        else:
            column = column.cast(pa.dictionary(pa.int32(), pa.string()))
        columns.append(column)
    return pa.table(columns, names=[*EPOCHS.names, LENGTH.name])


def _first_rows(epochs: pa.Table) -> Integers:
    """The rows at which bouts begin."""
    clock, length = _numbers(epochs, "epoch_start"), _only_chunk(epochs[LENGTH.name]).to_numpy()
    day = clock // _DAY
    begins = np.ones(len(clock), dtype=bool)
    begins[1:] = (np.diff(clock) != 1000 * length[:-1].astype(np.int64)) | (day[1:] != day[:-1])
    person = _only_chunk(epochs["person"]).indices.to_numpy()
    codes = [_only_chunk(epochs[name]).to_numpy() for name in CODES]
    for values in (person, length, *codes, *(_wear(epochs, name) for name in WEAR)):
        begins[1:] |= values[1:] != values[:-1]
    return np.flatnonzero(begins)


def _bouts(epochs: pa.Table, first: Integers) -> pa.Table:
    """The bouts that begin at these rows."""
    epochs = epochs.combine_chunks()
    counts = np.diff(first, append=epochs.num_rows)
    rows = epochs.take(pa.array(first))
    columns: dict[str, Any] = {name: rows[name] for name in ("person", *CODES, *WEAR)}
    columns["start"] = rows["epoch_start"]
    length = _only_chunk(rows[LENGTH.name]).to_numpy()
    columns["seconds"] = pa.array((counts * length).astype(np.int32))
    columns["epoch_seconds"] = pa.array(length)
    for name in PER_EPOCH:
        columns[name] = _lists(_only_chunk(epochs[name]).to_numpy(), first, counts)
    return pa.table({name: columns[name] for name in BOUTS.names})


def _lists(values: Codes, first: Integers, counts: Integers) -> pa.Array:
    """The values of each bout's epochs, once where they are equal."""
    same = np.minimum.reduceat(values, first) == np.maximum.reduceat(values, first)
    kept = np.repeat(~same, counts)
    kept[first] = True
    ends = np.cumsum(np.where(same, 1, counts))
    return pa.ListArray.from_arrays(pa.array(np.append(0, ends).astype(np.int32)), pa.array(values[kept]))


def _wear(epochs: pa.Table, name: str) -> Codes:
    """Wear as numbers, with one for unknown."""
    column = _only_chunk(epochs[name])
    if column.null_count == len(column):
        return np.full(len(column), _UNKNOWN_WEAR, dtype=np.uint8)
    return np.asarray(pc.fill_null(column.cast(pa.uint8()), _UNKNOWN_WEAR).to_numpy(zero_copy_only=False))


def _numbers(table: pa.Table, name: str) -> Integers:
    """A column of moments (milliseconds) or integers."""
    return np.asarray(_only_chunk(table[name]).cast(pa.int64()).to_numpy(zero_copy_only=False))


def _only_chunk(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
