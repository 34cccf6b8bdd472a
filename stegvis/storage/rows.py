"""What a function that makes a table returns when it has more to say than the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stegvis.study.plausible_items import outside

if TYPE_CHECKING:
    import pandas as pd

    from stegvis.plausibility.measures import Profile
    from stegvis.plausibility.ranges import Compared


@dataclass
class Rows:
    """The rows of a table, and what happened while they were made.

    Attributes:
        source: the rows, as a SELECT over the warehouse or a frame.
        also: rows of further tables that are published in the same transaction, by name.
        summary: counts about the making (rows read, rows quarantined ...) that expectations may evaluate.
        problems: what went into quarantine: file, row, column, rule, message.
        metadata: shown in the Dagster UI; counts only.
        pictures: small plots of published numbers as SVG, by name; shown in the Dagster UI.
        shards: files of the lake that the SELECT reads as the views ``bouts`` and ``epochs``.
        on_publish: called inside the transaction that publishes, to move files into place.
        lake_files: files of the lake that belong to the rows, where they are once published.
        profile: of a wave or batch, the means and shares in which a wrong delivery shows.
        compared: the profile beside what is expected.
        scratch: a folder that is removed afterwards; what is published was moved away before.
    """

    source: str | pd.DataFrame
    also: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    summary: Mapping[str, float] = field(default_factory=dict)
    problems: pd.DataFrame | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    pictures: Callable[[], Mapping[str, str]] = dict
    shards: Sequence[Path] | None = None
    on_publish: Callable[[], None] | None = None
    lake_files: Sequence[Path] = ()
    profile: Profile | None = None
    compared: Sequence[Compared] = ()
    scratch: Path | None = None

    @classmethod
    def of(cls, made: Rows | str | pd.DataFrame) -> Rows:
        """What a function returned that may return its rows alone."""
        return made if isinstance(made, Rows) else cls(made)

    def tables(self, name: str) -> dict[str, str | pd.DataFrame]:
        """The rows of every table, by name; ``name`` is the first one's."""
        return {name: self.source, **self.also}

    @property
    def outside(self) -> dict[str, float]:
        """How far each item of the profile is beyond its expected range, for the expectations to evaluate."""
        return {outside(each.item): each.outside for each in self.compared}
