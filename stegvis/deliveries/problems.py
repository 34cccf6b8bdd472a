"""The list of problems of a delivery: one row per breach of a rule.

Columns: ``file``, ``row`` (line number, the header being line 1; missing for a problem of the whole file), ``column``
(the source name), ``rule`` (a short name) and ``message`` (a sentence that says what is allowed, never what was found).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

DTYPES = {"file": "str", "row": "Int64", "column": "str", "rule": "str", "message": "str"}
PROBLEM_COLUMNS = tuple(DTYPES)


def no_problems() -> pd.DataFrame:
    """An empty list with its dtypes."""
    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in DTYPES.items()})


def file_problem(file: str, rule: str, message: str, column: str | None = None) -> pd.DataFrame:
    """A list of one problem that concerns the whole file."""
    problem = {"file": [file], "row": [pd.NA], "column": [column], "rule": [rule], "message": [message]}
    return pd.DataFrame(problem).astype(DTYPES)


def row_problems(
    file: str, rule: str, message: str | pd.Series, rows: npt.NDArray[np.int64], column: str
) -> pd.DataFrame:
    """A list with the same problem in each of the rows; the message may differ by row."""
    sentences = message.to_numpy() if isinstance(message, pd.Series) else [message] * len(rows)
    problem = {"file": file, "row": rows, "column": column, "rule": rule, "message": sentences}
    return pd.DataFrame(problem).astype(DTYPES)


def join_problems(lists: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Several lists as one, whole-file problems first, then by row."""
    filled = [problems for problems in lists if len(problems)]
    if not filled:
        return no_problems()
    joined = pd.concat(filled, ignore_index=True)
    return joined.sort_values("row", kind="stable", na_position="first", ignore_index=True)
