"""Read the deliveries of a table: the file in each drop by its contract, later drops correcting earlier ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from stegvis.deliveries.contract import apply_contract
from stegvis.storage.delivered_files import DeliveredFile, DeliveryContract, read_delivered
from stegvis.storage.landing import Drop
from stegvis.storage.names import TABLE_ENDINGS
from stegvis.study.codebook import Codebook, LayoutName

PROBLEM_COLUMNS = ["file", "row", "column", "rule", "message"]


@dataclass
class Delivered:
    """Rows read from deliveries, and what happened on the way.

    ``largest_share``: of the rows of a drop that are in quarantine, in the drop with most.
    """

    frames: list[pd.DataFrame] = field(default_factory=list)
    problems: list[pd.DataFrame] = field(default_factory=list)
    rows_read: int = 0
    rows_quarantined: int = 0
    files_read: int = 0
    files_refused: int = 0
    largest_share: float = 0.0

    def refuse(self, file: str, rule: str, message: str) -> None:
        """Quarantine a whole file."""
        self.files_refused += 1
        self.problems.append(
            pd.DataFrame([{"file": file, "row": pd.NA, "column": "", "rule": rule, "message": message}])
        )

    def summary(self) -> dict[str, float]:
        """Counts for the expectations and the UI."""
        return {
            "rows_read": self.rows_read,
            "rows_quarantined": self.rows_quarantined,
            "quarantined_share": self.largest_share,
            "files_read": self.files_read,
            "files_refused": self.files_refused,
        }

    def all_problems(self) -> pd.DataFrame:
        """Everything in quarantine: file, row, column, rule, message."""
        filled = [p for p in self.problems if len(p)]
        if not filled:
            return pd.DataFrame(columns=PROBLEM_COLUMNS).astype({"row": "Int64"})
        return pd.concat([p[PROBLEM_COLUMNS].astype({"row": "Int64"}) for p in filled], ignore_index=True)


def count_file(found: DeliveredFile, into: Delivered) -> None:
    """Count a file of a batch of recordings, and list what is wrong with it."""
    into.rows_read += found.rows_read
    into.rows_quarantined += found.rows_quarantined
    # A batch is one drop.
    into.largest_share = into.rows_quarantined / into.rows_read if into.rows_read else 0.0
    into.problems.append(found.problems)
    into.files_refused += found.refused
    into.files_read += not found.refused


@dataclass(frozen=True)
class _Part:
    """The file of one drop, as it was read."""

    drop: Drop
    name: str
    label: str
    found: DeliveredFile


def read_drops(
    layout_name: LayoutName,
    drops: Sequence[Drop],
    file_stem: str | None,
    contract: DeliveryContract,
    report: Callable[[str], None],
) -> Delivered:
    """Read the file of a layout from each drop.

    Quarantine is counted by drop, over what still matters: rows of people whom a later drop has again do not, nor does
    a file that is refused as a whole once a later drop could be read.

    Args:
        layout_name: which part of the codebook.
        drops: in the order they apply.
        file_stem: the file's name without its ending; None takes every table file.
        contract: codebook and protocol.
        report: called with a line after each drop.
    """
    delivered, parts = Delivered(), []
    for drop in drops:
        files = [f for f in drop.files if f.path.suffix.lower() in TABLE_ENDINGS and file_stem in (None, f.path.stem)]
        if not files:
            expected = f"{file_stem}{{{','.join(TABLE_ENDINGS)}}}"
            delivered.refuse(f"{drop.name}/", "file_missing", f"the drop has no {expected}")
        for file in files:
            label = f"{drop.name}/{file.name}"
            parts.append(_Part(drop, file.name, label, read_delivered(file.path, label, layout_name, contract)))
        report(f"read delivery {drop.kind}/{drop.name}")
    for place, part in enumerate(parts):
        later = [each.found for each in parts[place + 1 :] if not each.found.refused]
        # Withdrawals add up: a list cures no other.
        _add(delivered, part, later if layout_name != "withdrawals" else [])
    if layout_name == "withdrawals" and delivered.rows_read:
        delivered.largest_share = delivered.rows_quarantined / delivered.rows_read
    return delivered


def _add(delivered: Delivered, part: _Part, later: Sequence[DeliveredFile]) -> None:
    """Add a file: its good rows, and of its problems those that no later drop has cured."""
    found = part.found
    delivered.rows_read += found.rows_read
    if found.refused:
        if later:
            return
        delivered.files_refused += 1
        delivered.problems.append(found.problems)
        delivered.rows_quarantined += found.rows_quarantined
        # A file that cannot be read costs itself; one that is no table of its kind is a delivery that failed.
        delivered.largest_share = max(delivered.largest_share, float(found.rows_read > 0))
        return
    delivered.files_read += 1
    delivered.frames.append(found.frame.assign(delivery=part.drop.name, delivered_file=part.name))
    cured = _rows_of(found, [person for each in later for person in each.frame["person"]])
    broken = found.problems[~found.problems["row"].isin(cured)]
    used = found.frame["source_row"]
    quarantined = found.rows_quarantined - len(set(cured) - set(used))
    delivered.problems.append(broken)
    delivered.rows_quarantined += quarantined
    if found.rows_read:
        delivered.largest_share = max(delivered.largest_share, quarantined / found.rows_read)


def _rows_of(found: DeliveredFile, people: Sequence[str]) -> list[int]:
    """The rows of a file that name one of these people."""
    if found.people is None:
        return []
    return found.people.loc[found.people["person"].isin(people), "source_row"].tolist()


def newest_per_person(
    delivered: Delivered,
    layout_name: LayoutName,
    codebook: Codebook,
    without_withdrawn: Callable[[pd.DataFrame], pd.DataFrame],
) -> pd.DataFrame:
    """One row per person: a later drop's row corrects an earlier one's.

    ``without_withdrawn`` leaves out people whose consent is withdrawn.
    """
    columns = [*codebook[layout_name].columns, "delivery"]
    if not delivered.frames:
        return empty(layout_name, codebook, "delivery")
    rows = without_withdrawn(pd.concat(delivered.frames, ignore_index=True))
    return rows.drop_duplicates("person", keep="last")[columns].sort_values("person", ignore_index=True)


def empty(layout_name: LayoutName, codebook: Codebook, *more: str) -> pd.DataFrame:
    """No rows, with the layout's columns and their types."""
    layout = codebook[layout_name]
    nothing = pd.DataFrame({c.source[0]: pd.Series(dtype="string") for c in layout.columns.values()})
    frame = apply_contract(nothing, layout, "").frame[list(layout.columns)]
    return frame.assign(**{name: pd.Series(dtype="string") for name in more})
