"""The twin's recordings as delivered: day totals, 5-second epochs, 50 Hz signals and raw pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from stegvis.twin.cohort import TooFewPeopleError, TwinCohort
from stegvis.twin.draws import Flags, stream
from stegvis.twin.epochs import delivered_tables, wear
from stegvis.twin.files import complete, parquet_options, write_drop, write_table
from stegvis.twin.gait_parameters import GaitParameters
from stegvis.twin.raw import write_raw_pair
from stegvis.twin.raw_days import RawDay, draw_raw_day
from stegvis.twin.signals import draw_signal
from stegvis.twin.tables import day_totals

EPOCHS_BATCH, SIGNALS_BATCH, RAW_BATCH = "epochs", "signals", "raw"

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Levels:
    """Which of the recorded people (m,) are delivered in which form; nobody in two of them.

    Attributes:
        epochs, signals, raw: masks of those who are delivered so.
        faulty: mask of those whose raw pair comes with a fault, besides their day totals.
    """

    epochs: Flags
    signals: Flags
    raw: Flags
    faulty: Flags

    @property
    def totals(self) -> Flags:
        """Mask of those who are delivered as day totals."""
        return ~(self.epochs | self.signals | self.raw)


def choose_levels(cohort: TwinCohort, epochs: int, signals: int, raw: int, faulty: int) -> Levels:
    """Choose who is delivered in which form, among those with a complete valid day.

    Raises:
        TooFewPeopleError: they are too few.
    """
    sizes = [epochs, signals, raw, faulty]
    days = cohort.days
    fit = np.flatnonzero(cohort.complete_days.any(axis=1) & ~cohort.population.flags("withdrawn")[days.rows])
    if sum(sizes) > fit.size:
        raise TooFewPeopleError(
            f"epochs, signals and raw pairs together exceed the {fit.size:,} people with a full valid day"
        )
    order = stream(cohort.seed, "deliveries.levels").permutation(fit)
    # Epochs are of complete weeks as long as there are any.
    order = order[np.argsort(days.recorded[order] < days.seconds.shape[1], kind="stable")]
    chosen = np.zeros((4, days.rows.size), dtype=bool)
    # Epochs from one end and the others from the other end, so that more epochs do not change who the others are.
    chosen[0, order[: sizes[0]]] = True
    end = order.size
    for purpose, size in enumerate(sizes[1:], 1):
        chosen[purpose, order[end - size : end]] = True
        end -= size
    return Levels(*chosen)


def write_day_totals(out: Path, cohort: TwinCohort, as_totals: Flags, progress: Progress) -> None:
    """The batches of day totals; a few people are in two of them, with fewer days in the first."""
    days, batches = cohort.days, cohort.parameters.cohort.batches
    dates = cohort.population.people["baseline_date"].to_numpy()[days.rows]
    ends = np.array(batches.names, dtype="datetime64[M]")
    batch = np.minimum(np.searchsorted(ends, dates.astype("datetime64[M]"), side="left"), len(ends) - 1)
    drawn = stream(cohort.seed, "deliveries.redelivered").random(days.rows.size) < batches.redelivered_share
    again = drawn & (days.recorded > 1)
    shorter = days.seconds.copy()
    shorter[np.arange(shorter.shape[1]) >= (days.recorded // 2)[:, None]] = np.nan
    for number, (name, suffix) in enumerate(zip(batches.names, batches.formats, strict=True)):
        early = as_totals & again & (batch == number + 1)
        keep = (as_totals & (batch == number)) | early
        if not keep.any():
            continue
        progress(f"writing day totals of batch {name}")
        seconds = np.where(early[:, None, None], shorter, days.seconds)
        write_drop(out / "recordings" / name, {f"days.{suffix}": day_totals(cohort, keep, seconds)})


def write_epochs(out: Path, cohort: TwinCohort, chosen: Flags) -> None:
    """The batch of 5-second epochs: every recorded day of each chosen person, people in order."""
    folder = out / "recordings" / EPOCHS_BATCH
    folder.mkdir(parents=True)
    model = cohort.parameters.epochs
    rows, people, first = zip(*cohort.in_order(chosen), strict=True)
    worn = wear(people, np.array(first), cohort.days.seconds[list(rows)], cohort.seed, model, cohort.protocol)
    writer: pq.ParquetWriter | None = None
    with (folder / "epochs.parquet").open("wb") as sink:
        for table in delivered_tables(worn, cohort.seed, model):
            # Without Arrow's own schema every reader sees the words as plain text.
            writer = writer or pq.ParquetWriter(
                sink, table.schema, store_schema=False, **parquet_options("epoch_start")
            )
            writer.write_table(table)
        if writer:
            writer.close()
    complete(folder)


def write_signals(out: Path, cohort: TwinCohort, chosen: Flags, moving: GaitParameters) -> None:
    """The batch of 50 Hz signals: one hour on the morning after the clinic visit, one file per person."""
    folder = out / "recordings" / SIGNALS_BATCH
    folder.mkdir(parents=True)
    for _, person, first in cohort.in_order(chosen):
        rng, start = stream(cohort.seed, f"signals.{person}"), first.astype("datetime64[ms]") + np.timedelta64(9, "h")
        frame, _ = draw_signal(start, cohort.parameters.signals, rng, cohort.protocol.epochs, moving)
        write_table(frame, folder / f"{person}.parquet")
    complete(folder)


def raw_days(cohort: TwinCohort, chosen: Flags) -> list[RawDay]:
    """The first complete day of each chosen person, people in order."""
    complete_days, model = cohort.complete_days, cohort.parameters.epochs
    return [
        draw_raw_day(person, first, cohort.days.seconds[row], complete_days[row], cohort.seed, model, cohort.protocol)
        for row, person, first in cohort.in_order(chosen)
    ]


def write_raw(
    out: Path, cohort: TwinCohort, days: list[RawDay], moving: GaitParameters, progress: Progress
) -> list[dict[str, float]]:
    """The batch of raw pairs, one day of each person; returns what is true of each pair, by its number."""
    folder = out / "recordings" / RAW_BATCH
    folder.mkdir(parents=True)
    pairs: list[dict[str, float]] = []
    for number, day in enumerate(days, 1):
        progress(f"writing raw pair {number} of {len(days)}")
        truth = write_raw_pair(
            folder, day.person, 1, cohort.seed, protocol=cohort.protocol, start=day.start, sequence=day.sequence,
            parameters=moving,
        )  # fmt: skip
        pairs.append({"pair": number} | truth.summary())
    complete(folder)
    return pairs
