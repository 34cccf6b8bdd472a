"""The columns of people that a codebook defines, covariates and others, added to a SELECT of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stegvis.study.codebook import Codebook, Column, DerivedColumn, secondary_outcomes, study_columns
from stegvis.study.literals import literal
from stegvis.study.outcome_columns import number, with_answers


def with_study_columns(select: str, codebook: Codebook, order: Sequence[str] = ()) -> str:
    """A SELECT of people with the columns of the cohort that the codebook defines.

    Args:
        select: one row per person, or per person and something else, with the column ``person``.
        codebook: of the study.
        order: columns that the rows are in order of.
    """
    free = [f"baseline_outcome_{name}" for name, each in secondary_outcomes(codebook).items() if each.free_at_baseline]
    columns = {name: f'source."{name}"' for name in (*study_columns(codebook), *free)}
    return with_columns(select, "cohort", columns, order)


def with_baseline_columns(select: str, codebook: Codebook) -> str:
    """The SELECT of the cohort with the columns that the codebook defines, from the baseline questionnaire.

    Those are the study's own columns, the answers on the primary outcome, and ``baseline_outcome_<name>`` (1, 0 or
    missing) of each other outcome that people must be free of.
    """
    columns = {name: _expression(name, column) for name, column in study_columns(codebook).items()}
    for name, outcome in secondary_outcomes(codebook).items():
        if outcome.free_at_baseline:
            columns[f"baseline_outcome_{name}"] = number(outcome)
    answers = with_answers(select, "baseline_questionnaire", codebook)
    return with_columns(answers, "baseline_questionnaire", columns)


def with_follow_up_columns(select: str, codebook: Codebook) -> str:
    """The SELECT of a wave's outcomes with the answers on the primary one, and ``outcome_<name>`` of each other one."""
    columns = {f"outcome_{name}": number(outcome) for name, outcome in secondary_outcomes(codebook).items()}
    answers = with_answers(select, "followup_questionnaire", codebook)
    return with_columns(answers, "followup_questionnaire", columns, by=("wave", "person"))


def with_other_outcomes(select: str, codebook: Codebook, order: Sequence[str]) -> str:
    """A SELECT of people and waves with ``outcome_<name>`` of each secondary outcome; missing of non-respondents."""
    columns = {f"outcome_{name}": f'source."outcome_{name}"' for name in secondary_outcomes(codebook)}
    return with_columns(select, "outcome_questionnaire", columns, order, by=("wave", "person"), join="left join")


def composed(table: str, select: str, codebook: Codebook) -> str:
    """The SELECT in ``sql/<table>.sql`` with what the study's codebook adds to it.

    Args:
        table: its name.
        select: the text of the file.
        codebook: of the study.
    """
    if table == "cohort":
        return with_baseline_columns(select, codebook)
    if table == "outcome_questionnaire":
        return with_follow_up_columns(select, codebook)
    if table == "eligible_people":
        people = with_study_columns(select, codebook, order=("person",))
        return with_other_outcomes(people, codebook, order=("person",))
    if table == "pain_histories":
        return with_study_columns(select, codebook, order=("wave", "person"))
    return select


def with_columns(
    select: str,
    source: str,
    columns: Mapping[str, str],
    order: Sequence[str] = (),
    by: Sequence[str] = ("person",),
    join: str = "inner join",
) -> str:
    """A SELECT with further columns of the same people; the SELECT itself where there are none.

    Args:
        select: one row per person, or per person and something else, with the column ``person``.
        source: the table that has the columns, one row per person.
        columns: by name, an expression in SQL on ``source``.
        order: columns that the rows are in order of.
        by: the columns that identify a row of the source.
        join: how the two are joined.
    """
    if not columns:
        return select
    further = ", ".join(f'{expression} as "{name}"' for name, expression in columns.items())
    ordered = f"order by {', '.join(order)}" if order else ""
    return f"""
with made as (
{select}
)

select made.*, {further}
from made
{join} "{source}" as source using ({", ".join(by)})
{ordered}
"""


def _expression(name: str, column: Column | DerivedColumn) -> str:
    """A column of the cohort as an expression on the baseline questionnaire."""
    if isinstance(column, Column):
        return f'source."{name}"'
    given = [f'source."{each}"' for each in column.source]
    (first, *_) = given
    if column.rule == "first_known":
        return f"coalesce({', '.join(given)})"
    if column.rule == "any_yes":
        yes, no = (f" {how} ".join(f"{each} = '{answer}'" for each in given) for how, answer in _ANSWERS)
        return f"case when {yes} then 'yes' when {no} then 'no' end"
    if column.rule == "at_least":
        cut = f"getvariable('covariates.cuts')['{name}']"
        return f"case when {first} >= {cut} then 'yes' when {first} is not null then 'no' end"
    elsewhere = [f'source."{other}" = {literal(level)}' for other, level in column.unless.items()]
    return f"case when {' or '.join([*elsewhere, f'{first} is null'])} then 'none' else {first} end"


# How the answers to several questions make one: any yes is a yes, only no everywhere is a no.
_ANSWERS = (("or", "yes"), ("and", "no"))
