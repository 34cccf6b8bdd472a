"""Reading one delivered file by its contract: the one way of ``stegvis validate`` and of the refresh.

A new layout, or a new rule, is added here and holds for both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from stegvis.deliveries.contract import Contracted, apply_contract, contract_days, contract_signal
from stegvis.deliveries.problems import file_problem
from stegvis.sql import sql_text
from stegvis.storage.delivered_epochs import RefusedFile, delivered_epochs, people_of, problems_of, rows_of
from stegvis.storage.reading import UnreadableFile, read_table
from stegvis.study.codebook import Codebook, LayoutName
from stegvis.study.protocol import Protocol

UNREADABLE = "unreadable"


@dataclass(frozen=True)
class DeliveryContract:
    """What deliveries are checked against.

    Attributes:
        codebook: columns and codes of each layout.
        protocol: the length of an epoch, the days of a recording, the largest share in quarantine.
        epochs_select: the SELECT that reads the rows of an epochs file.
    """

    codebook: Codebook
    protocol: Protocol
    epochs_select: str = field(default_factory=lambda: sql_text("delivered_epochs"))


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
    """

    frame: pd.DataFrame
    problems: pd.DataFrame
    rows_read: int = 0
    rows_quarantined: int = 0
    notes: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether nothing of the file is used because of a problem with the whole of it."""
        return bool(self.problems["row"].isna().any())

    @property
    def unreadable(self) -> bool:
        """Whether the file could not even be read."""
        return bool((self.problems["rule"] == UNREADABLE).any())


def read_delivered(file: Path, label: str, layout: LayoutName, contract: DeliveryContract) -> DeliveredFile:
    """Read a delivered file and check it against its layout; a file that cannot be used is refused, never raised.

    Args:
        file: the file, in any format its layout may have. An epochs file is streamed and may exceed memory.
        label: what the list of problems calls it.
        layout: what the file holds.
        contract: what it is checked against.
    """
    try:
        if layout == "epochs":
            return _read_epochs(file, label, contract)
        contracted = _contracted(file, label, layout, contract)
    except UnreadableFile as error:
        return DeliveredFile(pd.DataFrame(), file_problem(label, UNREADABLE, error.reason))
    return DeliveredFile(
        contracted.frame, contracted.problems, contracted.rows_read, contracted.rows_quarantined, contracted.notes
    )


def _contracted(file: Path, label: str, layout: LayoutName, contract: DeliveryContract) -> Contracted:
    columns = contract.codebook[layout]
    match layout:
        case "days":
            return contract_days(read_table(file), columns, label, contract.protocol.days)
        case "signal":
            return contract_signal(read_table(file, infer_types=True), columns, label)
        case _:
            return apply_contract(read_table(file), columns, label)


def _read_epochs(file: Path, label: str, contract: DeliveryContract) -> DeliveredFile:
    layout, seconds = contract.codebook["epochs"], contract.protocol.epochs.seconds
    try:
        with delivered_epochs(file, layout, contract.epochs_select, seconds) as epochs:
            problems = problems_of(epochs, label)
            return DeliveredFile(people_of(epochs), problems, rows_of(epochs), len(problems), epochs.notes)
    except RefusedFile as error:
        return DeliveredFile(pd.DataFrame(), error.problems.assign(file=label), error.rows, error.rows)
