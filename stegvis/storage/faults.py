"""What is wrong with deliveries, in short: drop, file, column, rule and count, never a value or a person.

A recording's file is named after its person, so only files of a fixed name are named here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


UNREADABLE = "unreadable"  # the rule that a file breaks which cannot be read
MOST_FAULTS = 5  # in a sentence; the others are counted
NAMED_FILES = ("participants", "questionnaire", "days", "epochs")


@dataclass(frozen=True)
class Fault:
    """The problems of one rule and column in a drop's file.

    Attributes:
        drop: its name.
        file: its file, or which kind of file.
        column: as in the file; blank if the problem is not of a column.
        rule: its short name (docs/deliveries.md).
        count: rows, or files that are refused as a whole.
        whole: whether files as a whole are refused.
    """

    drop: str
    file: str
    column: str
    rule: str
    count: int
    whole: bool

    def sentence(self) -> str:
        """The fault as a phrase."""
        column = f" column {self.column}" if self.column else ""
        what = "refused as a whole" if self.whole else f"{self.count:,} row{'s' if self.count != 1 else ''}"
        return f"{self.drop}/{self.file}{column}: {self.rule}, {what}"


def read_faults(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], list[Fault]]:
    """What is in quarantine, by table and partition, the most frequent first.

    Args:
        connection: an open warehouse.
    """
    rows = connection.execute(
        """
        with named as (
            select
                asset, partition, column_name, rule, "row",
                split_part(file, '/', 1) as delivered_in,
                split_part(file, '/', -1) as name
            from quarantine
        )
        select
            asset, partition, delivered_in,
            if(regexp_extract(name, '^[^.]*') in (select unnest(?)), name, 'a file') as shown,
            coalesce(column_name, '') as of_column, rule, count(*) as problems, "row" is null as whole
        from named
        group by asset, partition, delivered_in, shown, of_column, rule, whole
        order by asset, partition, problems desc, delivered_in, shown, of_column, rule
        """,
        [list(NAMED_FILES)],
    ).fetchall()
    found: dict[tuple[str, str], list[Fault]] = {}
    for table, partition, *fault in rows:
        found.setdefault((table, partition), []).append(Fault(*fault))
    return found


@dataclass(frozen=True)
class Unusable:
    """A sealed drop of which nothing could be used: ``kind/name``, and why with the next step."""

    delivery: str
    reason: str


def unusable_drops(
    faults: Mapping[tuple[str, str], Sequence[Fault]], kinds: Mapping[str, str | None]
) -> list[Unusable]:
    """The questionnaires whose one file cannot be read, and that no later drop has cured.

    The rows of the other drops are used, but somebody has to deliver these again.

    Args:
        faults: what is in quarantine, by table and partition.
        kinds: the kind of delivery that a table is read from.
    """
    cure = "deliver it again in a later drop of the same kind"
    return [
        Unusable(f"{kinds[table]}/{fault.drop}", f"{fault.sentence()}; the other drops are used. {cure}")
        for (table, _), found in sorted(faults.items())
        for fault in found
        if kinds.get(table) in ("baseline", "followup", "registry") and fault.whole and fault.rule == UNREADABLE
    ]


def in_short(faults: list[Fault]) -> str:
    """The first faults as one phrase."""
    more = f", and {len(faults) - MOST_FAULTS} more kinds" if len(faults) > MOST_FAULTS else ""
    return "; ".join(fault.sentence() for fault in faults[:MOST_FAULTS]) + more
