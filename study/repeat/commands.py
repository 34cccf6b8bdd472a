"""The table of commands: for each estimate, how to get it in R and in Stata.

Belongs here: walking over the results. Does not belong here: either language's spelling.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from study.protocol import EXPOSURES, Protocol
from study.repeat import r, stata
from study.repeat.models import model_of
from study.statistics.results import KEY_COLUMNS

COMMAND_COLUMNS = (*KEY_COLUMNS, "r", "stata")


def commands(results: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """The commands of every row of a wave's results.

    Args:
        results: rows of one wave, in the order they were made.
        protocol: the protocol they were made under.

    Returns:
        ``KEY_COLUMNS``, ``r`` and ``stata``; a command is empty where none gives the row (see docs/methods.md).
    """
    labels = category_labels(results)
    block = ["analysis", "population", "model", "exposure", "term", "measure"]
    place = results.groupby(block, sort=False).cumcount() + 1
    rows = []
    for number, row in zip(place, results.to_dict("records"), strict=True):
        named = {str(name): str(value) for name, value in row.items()}
        model = model_of(named, protocol, labels)
        written = (r.command(named, number, model, protocol), stata.command(named, number, model, protocol))
        rows.append((*(named[key] for key in KEY_COLUMNS), *written))
    return pd.DataFrame(rows, columns=list(COMMAND_COLUMNS), dtype="str")


def category_labels(results: pd.DataFrame) -> Mapping[str, Sequence[str]]:
    """The labels of the categories of each exposure, the lowest first, as the main models print them."""
    main = results[(results["analysis"] == "main") & (results["model"] == "adjusted") & (results["measure"] == "rr")]
    return {each: main.loc[main["exposure"] == each, "level"].tolist() for each in EXPOSURES}
