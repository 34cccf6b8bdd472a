"""Reading one delivered file by its contract: the one way of ``stegvis validate`` and of the refresh.

A new layout, or a new rule, is added here and holds for both.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from stegvis.deliveries.contract import Contracted, apply_contract, columns_of_days, contract_days, contract_signal
from stegvis.deliveries.day_tables import READERS, contract_long_days
from stegvis.deliveries.identifiers import Stored, as_delivered
from stegvis.deliveries.problems import file_problem, join_problems
from stegvis.deliveries.vital_status import contract_vital_status
from stegvis.sql import sql_text
from stegvis.storage.delivered_epochs import EpochsContract, RefusedFile
from stegvis.storage.epochs_file import no_report, read_epochs_file
from stegvis.storage.faults import UNREADABLE
from stegvis.storage.kept_bouts import KeptBouts
from stegvis.storage.reading import DeliveredTable, UnreadableFile, as_unreadable, read_columns, read_table
from stegvis.storage.statistics_files import contradictions
from stegvis.study.codebook import Codebook, Column, Layout, LayoutName, normal_code
from stegvis.study.protocol import Protocol

CONTRADICTION = "labels_contradict"


@dataclass(frozen=True)
class DeliveryContract:
    """What deliveries are checked against.

    Attributes:
        codebook: columns and codes of each layout.
        protocol: the length of an epoch, the days of a recording, the largest share in quarantine.
        epochs_select: the SELECT that reads the rows of an epochs file.
        stored: from an identifier in canonical form to what the reader gets in its place.
        latest: the last day on which something that a register records can have happened; None for no such day.
    """

    codebook: Codebook
    protocol: Protocol
    epochs_select: str = field(default_factory=lambda: sql_text("delivered_epochs"))
    stored: Stored = as_delivered
    latest: dt.date | None = None


@dataclass(frozen=True)
class DeliveredFile:
    """A delivered file after its contract.

    Attributes:
        frame: the rows used, in the layout's canonical columns (``stegvis/deliveries/contract.py``). Of an epochs file,
            whose rows stay where they are, one row per person: person, start (the first good epoch), hours.
        problems: file, row, column, rule, message (``stegvis/deliveries/problems.py``).
        rows_read: rows of the file (of day totals, days with a delivered cell); 0 if it cannot be read.
        rows_quarantined: how many of them are not used.
        notes: what is worth knowing and needs no correction.
        people: of a questionnaire, ``source_row`` and ``person`` of every row, used or not; otherwise None.
        bouts: of an epochs file, the bouts of its good epochs, if they were wanted; whoever has them closes them.
    """

    frame: pd.DataFrame
    problems: pd.DataFrame
    rows_read: int = 0
    rows_quarantined: int = 0
    notes: tuple[str, ...] = ()
    people: pd.DataFrame | None = None
    bouts: KeptBouts | None = None

    @property
    def refused(self) -> bool:
        """Whether nothing of the file is used because of a problem with the whole of it."""
        return bool(self.problems["row"].isna().any())

    @property
    def unreadable(self) -> bool:
        """Whether the file could not even be read."""
        return bool((self.problems["rule"] == UNREADABLE).any())


def read_delivered(
    file: Path,
    label: str,
    layout: LayoutName,
    contract: DeliveryContract,
    bouts_in: Path | None = None,
    report: Callable[[str], None] = no_report,
) -> DeliveredFile:
    """Read a delivered file and check it against its layout; a file that cannot be used is refused, never raised.

    Args:
        file: the file, in any format its layout may have. An epochs file is streamed and may exceed memory.
        label: what the list of problems calls it.
        layout: what the file holds.
        contract: what it is checked against.
        bouts_in: of an epochs file, the folder on whose disk its bouts are kept; None if nobody wants them.
        report: called with one line of progress at a time, if reading takes long.
    """
    try:
        if layout == "epochs":
            return _read_epochs(file, label, contract, bouts_in, report)
        contracted = _contracted(file, label, layout, contract)
    except Exception as error:  # whatever reading it raised: a damaged file costs itself
        found = as_unreadable(error, file)
        if not isinstance(found, UnreadableFile):
            raise
        return DeliveredFile(pd.DataFrame(), file_problem(label, UNREADABLE, found.reason))
    return DeliveredFile(
        _stored(contracted.frame, contract.stored), contracted.problems, contracted.rows_read,
        contracted.rows_quarantined, contracted.notes,
        None if contracted.people is None else _stored(contracted.people, contract.stored),
    )  # fmt: skip


def _stored(rows: pd.DataFrame, stored: Stored) -> pd.DataFrame:
    """Rows with what is stored in the place of identifiers."""
    if stored is as_delivered or "person" not in rows:
        return rows
    kept = {person: stored(person) for person in rows["person"].dropna().unique()}
    return rows.assign(person=rows["person"].map(kept).astype(rows["person"].dtype))


def read_signal(file: Path, label: str, layout: Layout) -> Contracted:
    """Read one person's signal and check it against its layout.

    Raises:
        UnreadableFile: it cannot be read.
    """
    table = read_columns(file, {*_sources(layout.columns), "label"}, infer_types=True)
    return contract_signal(table.frame, layout, label, table.names)


def _contracted(file: Path, label: str, layout: LayoutName, contract: DeliveryContract) -> Contracted:
    columns = contract.codebook[layout]
    match layout:
        case "days":
            rules = contract.protocol.days
            if columns.reader is not None:
                return READERS[columns.reader](read_table(file), label, rules)
            if "day" in columns.columns:
                table = read_columns(file, _sources(columns.columns))
                return contract_long_days(table.frame, columns, label, rules, table.names)
            table = read_columns(file, _sources(columns_of_days(columns, rules)))
            return contract_days(table.frame, columns, label, rules, table.names)
        case "signal":
            return read_signal(file, label, columns)
        case _:
            table = read_columns(file, _sources(columns.columns))
            if layout == "vital_status":
                contracted = contract_vital_status(table.frame, columns, label, contract.latest, table.names)
            else:
                contracted = apply_contract(table.frame, columns, label, names=table.names)
            wrong = _wrong_labels(table, columns, label)
            if wrong.empty:
                return contracted
            return Contracted(
                contracted.frame.iloc[:0],
                join_problems([wrong, contracted.problems]),
                contracted.rows_read,
                contracted.rows_read,
            )


def _sources(columns: Mapping[str, Column]) -> set[str]:
    """The names that the columns may have in a file."""
    return {source for column in columns.values() for source in column.source}


def _wrong_labels(table: DeliveredTable, layout: Layout, label: str) -> pd.DataFrame:
    """Value labels by which a code means something else than in the codebook: none of the file can be trusted."""
    found = []
    for column in layout.columns.values():
        source = next((source for source in column.source if source in table.frame), None)
        if source is None or source not in table.labels or not (column.codes or column.type == "tick"):
            continue
        codes = column.codes or {"1": "yes", "0": "no"}
        by_code = {normal_code(code): level for code, level in codes.items()}
        labels = {normal_code(code): text for code, text in table.labels[source].items()}
        for code, level, named in contradictions(labels, by_code):
            message = (
                f"the file's value labels say that code {code} is '{named}'; in the codebook it is "
                f"{level if code not in by_code else repr(level)}"
            )
            found.append(file_problem(label, CONTRADICTION, message, source))
    return join_problems(found)


def _read_epochs(
    file: Path, label: str, contract: DeliveryContract, bouts_in: Path | None, report: Callable[[str], None]
) -> DeliveredFile:
    layout, seconds = contract.codebook["epochs"], contract.protocol.epochs.seconds
    rules = EpochsContract(layout, contract.epochs_select, seconds, contract.stored)
    try:
        found = read_epochs_file(file, label, rules, bouts_in, report)
    except RefusedFile as error:
        return DeliveredFile(pd.DataFrame(), error.problems.assign(file=label), error.rows, error.rows)
    return DeliveredFile(
        found.people, found.problems, found.rows, len(found.problems), found.notes, bouts=found.bouts
    )  # fmt: skip
