"""Analyses ``outcome:<name>``: the main models of the study's other outcomes.

The people and their categories are those of the main analysis, without the people of whom the outcome is not known and,
where the codebook asks for it, without those who have it at baseline.
"""

from __future__ import annotations

from collections.abc import Iterator

from stegvis.analyses.category_model import category_rows
from stegvis.analyses.condition import Condition, meeting
from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.results import ResultRow
from stegvis.statistics.terms import MODELS

PREFIX, AT_BASELINE = "outcome_", "baseline_outcome_"
KNOWN, FREE = "outcome known", "free of the outcome at baseline"


def secondary_outcome_rows(data: WaveData) -> list[ResultRow]:
    """``rr`` per category and ``p_joint`` of both exposures and both models for each outcome beside the primary one."""
    names = [column.removeprefix(PREFIX) for column in map(str, data.people) if column.startswith(PREFIX)]
    return [row for name in names for row in _rows(data, name)]


def sample_of(name: str, population: str) -> tuple[Condition, ...]:
    """The conditions that everybody meets in the analysis of an outcome."""
    free = (Condition(f"{AT_BASELINE}{name}", "==", 0),) if population == FREE else ()
    return (Condition(f"{PREFIX}{name}", "known"), *free)


def _rows(data: WaveData, name: str) -> Iterator[ResultRow]:
    population = FREE if f"{AT_BASELINE}{name}" in data.people else KNOWN
    sample = data.people[meeting(sample_of(name, population), data.people)]
    for exposure in data.protocol.exposures.names:
        for model in MODELS:
            template = data.template(f"outcome:{name}", model, exposure, population)
            yield from category_rows(
                sample,
                template,
                data.covariates(model),
                data.protocol,
                outcome=f"{PREFIX}{name}",
                labels=data.labels(exposure),
            )
