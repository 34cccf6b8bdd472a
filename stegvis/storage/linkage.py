"""Whether deliveries belong to each other: participants of a batch or wave whom no baseline questionnaire has.

Identifiers that lost their leading zeros, or another project's numbers, show here first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import duckdb

from stegvis.storage.warehouse import table_exists

_TABLES: dict[Literal["batch", "wave"], str] = {"batch": "recordings", "wave": "followup_questionnaire"}


@dataclass(frozen=True)
class Linkage:
    """How many of the people of a batch of recordings, or of a wave, the baseline has."""

    kind: Literal["batch", "wave"]
    key: str
    people: int
    unlinked: int

    @property
    def share(self) -> float:
        """The share of the people whom the baseline has; 1 for nobody."""
        return 1 - self.unlinked / self.people if self.people else 1.0

    def sentence(self, smallest_share: float) -> str:
        """What was found, with the next step where it is too little."""
        text = f"{self.unlinked:,} of {self.people:,} people are in no baseline questionnaire"
        if self.share >= smallest_share:
            return text
        return f"{text}; at least {smallest_share:.0%} should be: compare how identifiers are written (leading zeros)"


def linkage(connection: duckdb.DuckDBPyConnection) -> list[Linkage]:
    """Every batch and wave with somebody whom no baseline has; none before there is a baseline.

    Args:
        connection: an open warehouse.
    """
    found: list[Linkage] = []
    if not table_exists(connection, "baseline_questionnaire"):
        return found
    for kind, table in _TABLES.items():
        if table_exists(connection, table):
            rows = connection.execute(
                f"""
                select
                    "{kind}",
                    count(distinct person),
                    count(distinct person) filter (
                        where person not in (select b.person from baseline_questionnaire as b)
                    )
                from "{table}"
                where person is not null
                group by all
                order by 1
                """
            ).fetchall()
            found += [Linkage(kind, key, people, unlinked) for key, people, unlinked in rows if unlinked]
    return found
