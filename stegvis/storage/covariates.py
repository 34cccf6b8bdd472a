"""Covariates that a codebook adds: a SELECT of people with their columns."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def with_covariates(select: str, source: str, added: Collection[str], order: Sequence[str] = ()) -> str:
    """A SELECT with the columns of covariates that the codebook adds; the SELECT itself where it adds none.

    Args:
        select: one row per person, or per person and something else, with the column ``person``.
        source: the table that has the covariates, one row per person.
        added: names of the covariates; a column of that name in the SELECT is replaced.
        order: columns that the rows are in order of.
    """
    if not added:
        return select
    names = ", ".join(f"'{name}'" for name in added)
    columns = ", ".join(f'source."{name}"' for name in added)
    ordered = f"order by {', '.join(order)}" if order else ""
    return f"""
with made as (
{select}
),

without_added as (
    select columns(lambda name: name not in ({names}))
    from made
)

select without_added.*, {columns}
from without_added
inner join "{source}" as source using (person)
{ordered}
"""
