"""A delivered epochs file, read once: its people, what is wrong with it, and the bouts of its epochs.

There are two ways. Where times are timestamps and other cells text or numbers, a file is read a million rows at a time
(``stegvis/storage/epochs_in_one_reading.py``). Any other file, one that cannot be read so, and one whose rows are in
no order, goes row by row through DuckDB (``stegvis/storage/delivered_epochs.py``), which takes ten times as long and
knows every kind of file. Both give the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from stegvis.storage.delivered_epochs import (
    EpochsContract,
    delivered_epochs,
    keep_bouts,
    people_of,
    problems_of,
    used_columns,
)
from stegvis.storage.epoch_rows import OddFileError
from stegvis.storage.epochs_in_one_reading import in_one_reading
from stegvis.storage.kept_bouts import KeptBouts

Report = Callable[[str], None]

LONG = 10_000_000  # rows whose reading row by row is reported: some seconds


@dataclass(frozen=True)
class EpochsRead:
    """What an epochs file holds.

    Attributes:
        people: one row per person with a good epoch: person, start (the first epoch), hours (of all good epochs).
        problems: the rows in quarantine, each with the first rule it breaks: file, row, column (as delivered), rule,
            message.
        rows: of the file.
        notes: what is worth knowing and needs no correction.
        bouts: of the good epochs; whoever has them closes them.
    """

    people: pd.DataFrame
    problems: pd.DataFrame
    rows: int
    notes: tuple[str, ...]
    bouts: KeptBouts


def no_report(line: str) -> None:
    """Report progress to nobody."""


def read_epochs_file(
    file: Path, label: str, contract: EpochsContract, bouts_in: Path | None = None, report: Report = no_report
) -> EpochsRead:
    """Read an epochs file.

    Of rows with the same person and epoch the first that breaks no other rule is kept.

    Args:
        file: a Parquet file, which may be larger than memory.
        label: what the list of problems calls it.
        contract: what it is read by.
        bouts_in: a folder on whose disk its bouts are kept; None if nobody wants them.
        report: called with one line of progress at a time.

    Raises:
        UnreadableFile: not Parquet, or truncated.
        RefusedFile: a required column is missing, a column occurs twice, there are no rows, or the epochs are of
            another length.
    """
    used = used_columns(file, contract.layout)
    kept = KeptBouts(bouts_in, contract.epoch_seconds)
    try:
        try:
            found = in_one_reading(file, label, used.sources, contract, kept, report)
        except OddFileError:
            kept.clear()
            if used.rows >= LONG:
                report(f"{label} is read row by row, which takes longer")
            found = _row_by_row(file, label, contract, kept)
        return EpochsRead(*found, used.rows, used.notes, kept)
    except BaseException:
        kept.close()
        raise


def _row_by_row(file: Path, label: str, contract: EpochsContract, kept: KeptBouts) -> tuple[pd.DataFrame, pd.DataFrame]:
    with delivered_epochs(file, contract) as epochs:
        if kept.has_bouts:
            keep_bouts(epochs, kept)
        return people_of(epochs), problems_of(epochs, label)
