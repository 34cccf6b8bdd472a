"""The input of every analysis of one wave: its frames, checked once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from stegvis.statistics.categories import level_labels
from stegvis.statistics.levels import Levels
from stegvis.statistics.results import ResultRow, options_note, to_frame
from stegvis.statistics.terms import Model, Term, covariate_terms
from stegvis.study.protocol import Exposure, Protocol


@dataclass(frozen=True)
class WaveData:
    """The participants of one wave.

    Attributes:
        people: the analysis set, one row per analyzed person in order of ``person``, with the categories of
            ``add_categories``.
        eligible: all participants with an exposure and without the outcome at baseline, whether or not they responded
            or their covariates are complete. The columns of ``people``, with ``low_back_pain`` missing for
            non-respondents, and ``answered`` (bool); in order of ``person``.
        days: one row per analyzed person and valid day: ``person``, ``day``, ``weekend`` (missing without a date),
            ``walking_minutes``, ``walking_met``; in order of person and day.
        protocol: the study's protocol.
        levels: ordered levels of the categorical covariates, the reference first.
        cohort: rows of ``sql/cohort_selection.sql``: everyone at baseline; None where no analysis reads them.

    Raises:
        ValueError: there is not exactly one wave, a person has two rows, or a frame is not in order of ``person``.
    """

    people: pd.DataFrame
    eligible: pd.DataFrame
    days: pd.DataFrame
    protocol: Protocol
    levels: Levels
    cohort: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        waves = self.people["wave"].unique()
        if len(waves) != 1:
            raise ValueError(f"one wave is needed, not {len(waves)}")
        for what, frame in (("analysis set", self.people), ("eligible people", self.eligible)):
            if frame["person"].duplicated().any():
                raise ValueError(f"a person is twice in the {what}")
            # A fixed order of rows makes the last digits the same in every run.
            if not frame["person"].is_monotonic_increasing:
                raise ValueError(f"the {what} is not in order of person")

    @property
    def wave(self) -> str:
        return str(self.people["wave"].iloc[0])

    def covariates(self, model: Model) -> tuple[Term, ...]:
        """The covariates of a model as terms."""
        return covariate_terms(model, self.protocol, self.levels)

    def labels(self, exposure: Exposure) -> dict[int, str]:
        """The printed labels of the categories of the whole sample."""
        return level_labels(self.people, exposure, self.protocol)

    def template(self, analysis: str, model: Model, exposure: Exposure, population: str = "all") -> ResultRow:
        """A row without the estimate."""
        return ResultRow(self.wave, analysis, population, model, exposure, note=options_note(self.protocol))


# An analysis returns all its rows from a wave's data.
Analysis = Callable[[WaveData], list[ResultRow]]


def fit(
    analyses: Sequence[Analysis], data: WaveData, progress: Callable[[str], None] = lambda line: None
) -> pd.DataFrame:
    """The rows of ``rows_of`` as results."""
    return to_frame(rows_of(analyses, data, progress))


def rows_of(
    analyses: Sequence[Analysis], data: WaveData, progress: Callable[[str], None] = lambda line: None
) -> list[ResultRow]:
    """Fit analyses one after the other.

    Args:
        analyses: of one group, in the order of their rows.
        data: one wave.
        progress: called with a line of text before each analysis.

    Returns:
        One row per estimate, with the people behind it.

    Raises:
        ValueError: a frame breaks the contract.
    """
    rows: list[ResultRow] = []
    for number, analysis in enumerate(analyses, start=1):
        name = f"{analysis.__module__.rsplit('.', 1)[-1]}.{analysis.__name__}"
        progress(f"{name} ({number} of {len(analyses)})")
        rows += analysis(data)
    return rows


def walking_days(days: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """The walking of single days, from seconds.

    Args:
        days: ``person``, ``day``, ``date`` (missing where not delivered), and seconds ``walking_slow``,
            ``walking_moderate``, ``walking_brisk``, ``walking``.
        protocol: for the METs.

    Returns:
        ``person``, ``day``, ``weekend``, ``walking_minutes``, ``walking_met`` (missing without a speed, absent
        in a study of volume alone).
    """
    date = pd.to_datetime(days["date"])
    found = pd.DataFrame(
        {
            "person": days["person"],
            "day": days["day"],
            "weekend": (date.dt.day_of_week >= 5).astype("boolean").where(date.notna()),
            "walking_minutes": days["walking"].astype("float64") / 60,
        }
    )
    mets = protocol.exposures.mets
    if mets is None:
        return found
    slow, moderate, brisk = mets
    met_seconds = slow * days["walking_slow"] + moderate * days["walking_moderate"] + brisk * days["walking_brisk"]
    return found.assign(walking_met=met_seconds.astype("float64") / days["walking"].astype("float64"))
