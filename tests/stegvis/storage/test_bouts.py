"""Bouts of epochs: nothing is lost, and where they are cut, against plain Python that looks at one epoch at a time."""

from __future__ import annotations

import datetime as dt
import itertools
import random

import numpy as np
import pyarrow as pa
import pytest

from stegvis.storage.bouts import BOUTS, EPOCHS, LENGTH, PER_EPOCH, bouts_of, epochs_of
from tests.stegvis.storage.random_epochs import Epoch, as_table, random_epochs

SEEDS = range(150)


def bouts(table: pa.Table, seconds: int, rows: int = 1_000_000) -> pa.Table:
    parts = [table.slice(start, rows) for start in range(0, table.num_rows, rows)]
    return pa.concat_tables([part.cast(BOUTS) for part in bouts_of(parts, seconds)] or [BOUTS.empty_table()])


def one_by_one(epochs: list[Epoch], seconds: int) -> list[list[Epoch]]:
    """The epochs of each bout."""
    found: list[list[Epoch]] = []
    for epoch in epochs:
        last = found[-1][-1] if found else None
        goes_on = (
            last is not None
            and last.person == epoch.person
            and last.epoch_start + dt.timedelta(seconds=seconds) == epoch.epoch_start
            and last.epoch_start.date() == epoch.epoch_start.date()
            and (last.activity, last.speed) == (epoch.activity, epoch.speed)
            and (last.wear_back, last.wear_thigh) == (epoch.wear_back, epoch.wear_thigh)
        )
        if goes_on:
            found[-1].append(epoch)
        else:
            found.append([epoch])
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_of_epochs_come_back_as_they_were(seed: int) -> None:
    epochs, seconds = random_epochs(seed)
    assert epochs_of(bouts(as_table(epochs), seconds)).to_pylist() == [vars(epoch) for epoch in epochs]


@pytest.mark.parametrize("seed", SEEDS)
def test_bouts_are_cut_as_plain_python_cuts_them(seed: int) -> None:
    epochs, seconds = random_epochs(seed)
    found = bouts(as_table(epochs), seconds).to_pylist()
    expected = one_by_one(epochs, seconds)
    assert len(found) == len(expected)
    for bout, mine in zip(found, expected, strict=True):
        assert (bout["person"], bout["start"]) == (mine[0].person, mine[0].epoch_start)
        assert (bout["seconds"], bout["epoch_seconds"]) == (seconds * len(mine), seconds)
        for name in PER_EPOCH:
            values = [getattr(epoch, name) for epoch in mine]
            assert bout[name] == (values[:1] if len(set(values)) == 1 else values)


@pytest.mark.parametrize("seed", SEEDS)
def test_it_does_not_matter_in_which_tables_the_epochs_come(seed: int) -> None:
    epochs, seconds = random_epochs(seed)
    table = as_table(epochs)
    whole = bouts(table, seconds)
    assert bouts(table, seconds, random.Random(seed).choice([1, 2, 7, 100])).equals(whole)
    encoded = table.set_column(0, "person", table["person"].dictionary_encode())
    assert bouts(encoded, seconds, 13).equals(whole)


def test_the_random_epochs_have_what_there_is_to_test() -> None:
    drawn = [random_epochs(seed) for seed in SEEDS]
    found = [bout for epochs, seconds in drawn for bout in one_by_one(epochs, seconds)]
    assert sum(len(bout) > 10 for bout in found) > 100
    assert {seconds for _, seconds in drawn} == {1, 5, 15, 60}
    midnights = [
        bout for epochs, seconds in drawn for bout in itertools.pairwise(epochs)
        if bout[0].person == bout[1].person and bout[0].epoch_start.date() < bout[1].epoch_start.date()
        and bout[1].epoch_start - bout[0].epoch_start == dt.timedelta(seconds=seconds)
        and bout[0].activity == bout[1].activity
    ]  # fmt: skip
    assert len(midnights) > 20
    repeated = [
        pair for epochs, _ in drawn for pair in itertools.pairwise(epochs)
        if (pair[0].person, pair[0].epoch_start) == (pair[1].person, pair[1].epoch_start)
    ]  # fmt: skip
    assert len(repeated) > 20


def test_unknown_wear_and_pace_need_no_column() -> None:
    epochs, seconds = random_epochs(3)
    table = as_table(epochs).select(["person", "epoch_start", "activity", "speed", "confidence"])
    back = epochs_of(bouts(table, seconds))
    assert back["wear_back"].null_count == back["wear_thigh"].null_count == table.num_rows > 0
    assert set(back["cadence"].to_pylist()) == set(back["centimeters_per_second"].to_pylist()) == {0}


@pytest.mark.parametrize("name", ["person", "epoch_start", "activity", "confidence"])
def test_a_missing_cell_is_refused(name: str) -> None:
    table = as_table(random_epochs(3)[0])
    field = EPOCHS.field(name)
    blank = table.set_column(EPOCHS.get_field_index(name), field, pa.nulls(table.num_rows, field.type))
    with pytest.raises(ValueError, match=name):
        list(bouts_of([blank], 5))


def test_no_epochs_make_no_bouts() -> None:
    assert list(bouts_of([], 5)) == list(bouts_of([EPOCHS.empty_table()], 5)) == []
    assert epochs_of(BOUTS.empty_table()).num_rows == 0


def by_the_second(epochs: list[Epoch], seed: int) -> tuple[list[Epoch], list[int]]:
    """The same 5-second epochs, a third of them as five epochs of one second; and the length of each."""
    rng = random.Random(seed)
    rows, lengths = [], []
    for epoch in epochs:
        if rng.random() < 0.33:
            for second in range(5):
                start = epoch.epoch_start + dt.timedelta(seconds=second)
                rows.append(Epoch(**vars(epoch) | {"epoch_start": start, "activity": rng.choice([3, 4])}))
            lengths += [1] * 5
        else:
            rows.append(epoch)
            lengths.append(5)
    return rows, lengths


@pytest.mark.parametrize("seed", [seed for seed in range(300) if random_epochs(seed)[1] == 5][:60])
def test_epochs_of_one_second_among_others_come_back_and_fill_the_same_time(seed: int) -> None:
    epochs, _ = random_epochs(seed)
    rows, lengths = by_the_second(epochs, seed)
    table = as_table(rows).append_column(LENGTH, pa.array(lengths, pa.int32()))
    found = bouts(table, 5, rows=37)
    assert epochs_of(found).to_pylist() == [vars(row) for row in rows]
    counts = found["seconds"].to_numpy() // found["epoch_seconds"].to_numpy()
    assert np.repeat(found["epoch_seconds"].to_numpy(), counts).tolist() == lengths
    assert sum(found["seconds"].to_pylist()) == 5 * len(epochs)
