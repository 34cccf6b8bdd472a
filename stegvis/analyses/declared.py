"""The estimates that were asked for first, with p-values adjusted for how many they are: ``declared_estimates.csv``.

They are looked up among a wave's published results, after diagnostics and disclosure control, and adjusted from the
p-values as published. So the table says nothing that the results do not, and whoever has a release can repeat it with
R's ``p.adjust``. The family is what the protocol declares: an estimate that is withheld, suppressed or missing keeps
its place in it, as if its p-value were 1.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from stegvis.claims.ranks import ranked
from stegvis.disclosure.digits import significant
from stegvis.statistics.multiplicity import benjamini_hochberg, holm
from stegvis.statistics.results import KEY_COLUMNS
from stegvis.study.protocol import Protocol
from stegvis.study.protocol_estimates import DeclaredEstimate, in_words

DECLARED_COLUMNS: dict[str, str] = {
    "wave": "str",
    "purpose": "str",
    "place": "Int64",
    "asked": "str",
    "analysis": "str",
    "population": "str",
    "model": "str",
    "exposure": "str",
    "term": "str",
    "level": "str",
    "reference": "str",
    "measure": "str",
    "estimate": "float64",
    "ci_low": "float64",
    "ci_high": "float64",
    "p_value": "float64",
    "p_holm": "float64",
    "p_fdr": "float64",
    "family": "Int64",
    "status": "str",
    "note": "str",
}
# Those that results.csv does not have.
MEANINGS = {
    "purpose": "primary or secondary; every other row of results.csv is exploratory",
    "place": "Place in the protocol's list, the primary estimate first",
    "asked": "What was asked, in words",
    "p_holm": "p value adjusted by Holm's method over the declared family",
    "p_fdr": "p value adjusted by Benjamini and Hochberg's method over the declared family",
    "family": "Number of estimates declared, whether or not they could be estimated",
}
ABSENT = "not among the results of this wave"
_FROM_ROW = ("reference", "estimate", "ci_low", "ci_high", "p_value", "status", "note")


def declared_estimates(results: pd.DataFrame, wave: str, protocol: Protocol) -> pd.DataFrame:
    """The declared estimates of a wave, the primary one first; none where the protocol declares none.

    Args:
        results: published rows, of this wave and perhaps of others.
        wave: its name.
        protocol: declares the estimates, and the digits of p-values.
    """
    declared = protocol.estimates.declared()
    mine = results[results["wave"].astype("str") == wave]
    rows = [
        {"wave": wave, "purpose": purpose, "place": place, "asked": in_words(each, protocol), **_found(each, mine)}
        for place, (purpose, each) in enumerate(declared, start=1)
    ]
    frame = pd.DataFrame(rows, columns=list(DECLARED_COLUMNS)).assign(family=len(declared))
    p, digits = frame["p_value"].astype("float64").tolist(), protocol.release.digits.p_values
    for name, adjusted in (("p_holm", holm), ("p_fdr", benjamini_hochberg)):
        frame[name] = significant(pd.Series(adjusted(p, len(declared)), frame.index, dtype="float64"), digits)
    return frame.astype(DECLARED_COLUMNS)


def declared_of_waves(results: pd.DataFrame, protocol: Protocol, waves: list[str]) -> pd.DataFrame:
    """The declared estimates of several waves, each a family of its own."""
    found = [declared_estimates(results, wave, protocol) for wave in waves]
    empty = pd.DataFrame(columns=list(DECLARED_COLUMNS)).astype(DECLARED_COLUMNS)
    return pd.concat(found, ignore_index=True) if found else empty


def purpose_of(row: Any, declared: pd.DataFrame) -> str:
    """What a row of results was declared to be: primary, secondary, or exploratory if it was not."""
    same = pd.Series(True, declared.index)
    for name in KEY_COLUMNS:
        same &= declared[name].astype("str") == str(row[name])
    return str(declared.loc[same, "purpose"].iloc[0]) if same.any() else "exploratory"


def _found(each: DeclaredEstimate, results: pd.DataFrame) -> dict[str, Any]:
    """The row of a declared estimate, or that there is none."""
    wanted = (
        (results["analysis"] == each.analysis)
        & (results["exposure"] == each.exposure)
        & (results["model"] == each.model)
        & (results["measure"] == each.measure)
        & (results["term"] == each.term)
    )
    # Each of these analyses has one population, which its name decides.
    rows = [{str(name): value for name, value in row.items()} for row in results[wanted].to_dict("records")]
    if each.category is not None:
        rows = ranked(rows)[each.category - 1 : each.category]
    key = {"analysis": each.analysis, "model": each.model, "exposure": each.exposure, "term": each.term}
    if len(rows) != 1:
        absent = {"population": "", "level": "", "measure": each.measure, "reference": ""}
        return key | absent | {"status": "not_estimable", "note": ABSENT}
    row = rows[0]
    return key | {name: row[name] for name in ("population", "level", "measure", *_FROM_ROW)}
