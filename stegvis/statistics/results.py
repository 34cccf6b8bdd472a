"""The results table: one row per estimate, its columns and its validation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd

from stegvis.statistics.additive_interaction import Difference
from stegvis.statistics.e_value import e_value, e_value_of_interval
from stegvis.statistics.members import Members, recorded
from stegvis.statistics.risk_ratio import Ratio
from stegvis.study.protocol import Protocol

Status = Literal["ok", "not_estimable", "suppressed"]
STATUSES: tuple[Status, ...] = ("ok", "not_estimable", "suppressed")

# The tables of a wave's estimates, in the order in which their rows are put together.
GROUPS = (
    "risk_ratios",
    "absolute_risks",
    "bias_models",
    "dose_response",
    "sensitivity_models",
    "time_use_models",
)
RESULT_COLUMNS: dict[str, str] = {
    "wave": "str",
    "analysis": "str",
    "population": "str",
    "model": "str",
    "exposure": "str",
    "term": "str",
    "level": "str",
    "reference": "str",
    "n": "Int64",
    "events": "Int64",
    "measure": "str",
    "estimate": "float64",
    "ci_low": "float64",
    "ci_high": "float64",
    "std_error": "float64",
    "p_value": "float64",
    "e_value": "float64",
    "e_value_ci": "float64",
    "status": "str",
    "note": "str",
}
ESTIMATE_COLUMNS = ("estimate", "ci_low", "ci_high", "std_error", "p_value", "e_value", "e_value_ci")
KEY_COLUMNS = ("wave", "analysis", "population", "model", "exposure", "term", "level", "measure")


class ResultsError(ValueError):
    """A table of results is not valid; the message contains no value."""


@dataclass(frozen=True)
class ResultRow:
    """One estimate. An analysis makes a template with the first fields filled, then rows from it."""

    wave: str
    analysis: str
    population: str
    model: str
    exposure: str
    term: str = ""
    level: str = ""
    reference: str = ""
    n: int | None = None
    events: int | None = None
    measure: str = "rr"
    estimate: float = np.nan
    ci_low: float = np.nan
    ci_high: float = np.nan
    std_error: float = np.nan
    p_value: float = np.nan
    e_value: float = np.nan
    e_value_ci: float = np.nan
    status: Status = "ok"
    note: str = ""
    # Who is counted; not a column of the results.
    members: Members | None = field(default=None, compare=False, repr=False)

    def counting(self, people: pd.DataFrame, outcome: str | None) -> ResultRow:
        """This row with n and events of the people, and with who they are.

        Args:
            people: one row per person (and wave); ``person`` says who they are.
            outcome: column of 0 and 1; None counts no events.
        """
        events = None if outcome is None else int(people[outcome].sum())
        return replace(self, n=len(people), events=events, members=Members.of(people, outcome))

    def with_ratio(self, ratio: Ratio) -> ResultRow:
        """This row with a risk ratio and its E-values."""
        return replace(
            self,
            **asdict(ratio),
            e_value=e_value(ratio.estimate),
            e_value_ci=e_value_of_interval(ratio.ci_low, ratio.ci_high),
        )

    def with_estimate(self, estimated: Ratio | Difference) -> ResultRow:
        """This row with an estimate without E-value, which is not an association of an exposure with the outcome."""
        return replace(self, **asdict(estimated))

    def not_estimable(self, reason: str) -> ResultRow:
        """This row without an estimate, with the reason in its note."""
        return replace(self, status="not_estimable", note=joined(self.note, reason))


def joined(*remarks: str) -> str:
    """Remarks as one note."""
    return "; ".join(remark for remark in remarks if remark)


def options_note(protocol: Protocol, variance: str | None = None) -> str:
    """The mode and options of a row, for example ``as_published; sample_quartiles; stata variance``."""
    return joined(
        protocol.study.mode, protocol.exposures.categories, f"{variance or protocol.models.variance} variance"
    )


def to_frame(rows: Iterable[ResultRow]) -> pd.DataFrame:
    """The rows as a validated table with the columns and types of ``RESULT_COLUMNS``.

    Raises:
        ResultsError: the table is not valid.
    """
    columns = list(RESULT_COLUMNS)
    values = [[getattr(row, name) for name in columns] for row in rows]
    frame = pd.DataFrame(values, columns=columns).astype(RESULT_COLUMNS)
    validate(frame)
    return frame


def members_of(rows: Sequence[ResultRow]) -> pd.DataFrame:
    """The people behind the rows, one row per person (``members.MEMBER_COLUMNS``).

    Raises:
        MembersError: a row has a count without its people.
    """
    return recorded(rows[0].wave if rows else "", [(row.n, row.events, row.members) for row in rows])


def validate(results: pd.DataFrame) -> None:
    """Check that a table of results is valid.

    Raises:
        ResultsError: columns, types or statuses are wrong; a key occurs twice; a row that is ok has no estimate or an
            interval that does not include it; a row that is not ok has an estimate, or gives no reason.
    """
    if list(results.columns) != list(RESULT_COLUMNS):
        raise ResultsError("the columns of the results are not the agreed ones")
    if wrong := [name for name, dtype in RESULT_COLUMNS.items() if str(results[name].dtype) != dtype]:
        raise ResultsError(f"columns of the wrong type: {', '.join(wrong)}")
    if not results["status"].isin(STATUSES).all():
        raise ResultsError("a status is not one of ok, not_estimable, suppressed")
    if results.duplicated(list(KEY_COLUMNS)).any():
        raise ResultsError("two rows have the same key")
    ok = results["status"] == "ok"
    if results.loc[ok, "estimate"].isna().any():
        raise ResultsError("a row is ok but has no estimate")
    if results.loc[~ok, list(ESTIMATE_COLUMNS)].notna().any(axis=None):
        raise ResultsError("a row is not ok but has an estimate")
    if (results.loc[~ok, "note"] == "").any():
        raise ResultsError("a row is not ok but gives no reason")
    outside = (results["estimate"] < results["ci_low"]) | (results["estimate"] > results["ci_high"])
    if outside.any():
        raise ResultsError("an estimate is outside its interval")
    if (results["events"] > results["n"]).fillna(False).any():
        raise ResultsError("a row has more events than people")
