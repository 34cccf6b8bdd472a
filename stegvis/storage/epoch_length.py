"""Epochs of another length than the study's: refused, since every row would count as one epoch of the study."""

from __future__ import annotations

import duckdb
import numpy as np
import numpy.typing as npt

# Of the first rows; a share, because epochs have gaps, and rows out of order make others.
LOOKED_AT = 50_000
FEWEST_STEPS = 20
SHARE_OF_ONE_LENGTH = 0.9

_STEPS = """
select mode(step), count(*) filter (where step = (select mode(step) from steps)) / count(*), count(*)
from steps
"""
_TABLE = f"""
create or replace temp table steps as
select epoch_ms(epoch_start) - lag(epoch_ms(epoch_start)) over (partition by person order by epoch_start) as step
from (select person, epoch_start from checked where problem is null limit {LOOKED_AT})
qualify step is not null
"""


def other_length(connection: duckdb.DuckDBPyConnection, epoch_seconds: int) -> str | None:
    """Why the epochs of an opened file cannot be used, if their length is not the study's; None if it is.

    Args:
        connection: with the view ``checked``, the rows of the file with the problem of each.
        epoch_seconds: the study's length.
    """
    connection.execute(_TABLE)
    step, share, steps = connection.execute(_STEPS).fetchall()[0]
    connection.execute("drop table steps")
    return refusal_of(step, share, steps, epoch_seconds)


def refusal_of(step: int | None, share: float, steps: int, epoch_seconds: int) -> str | None:
    """Why epochs cannot be used, if their length is not the study's; None if it is.

    Args:
        step: milliseconds between epochs of a person, most often.
        share: of the steps that are this long.
        steps: how many there are.
        epoch_seconds: the study's length.
    """
    if not step or steps < FEWEST_STEPS or share < SHARE_OF_ONE_LENGTH or step == 1000 * epoch_seconds:
        return None
    return (
        f"its epochs are {step / 1000:g} seconds long, and the study's are {epoch_seconds}: make epochs of "
        f"{epoch_seconds} seconds of them (the activity of most of the time), or deliver day totals"
    )


def other_length_of(person: npt.NDArray[np.int32], clock: npt.NDArray[np.int64], epoch_seconds: int) -> str | None:
    """The same of the first ``LOOKED_AT`` good rows: whose epoch each is (n,), and when (n,), in milliseconds."""
    order = np.lexsort((clock, person))
    steps = np.diff(clock[order])[np.diff(person[order]) == 0]
    if not steps.size:
        return None
    lengths, times = np.unique(steps, return_counts=True)
    return refusal_of(int(lengths[times.argmax()]), float(times.max() / steps.size), steps.size, epoch_seconds)
