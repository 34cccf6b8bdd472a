"""The outcomes of a study as columns of a SELECT: one meaning for each kind of question."""

from __future__ import annotations

from stegvis.study.codebook import Codebook
from stegvis.study.literals import literal
from stegvis.study.outcomes import Outcome


def with_answers(select: str, questionnaire: str, codebook: Codebook) -> str:
    """A SELECT with the table ``outcome_answers``: a questionnaire with the answers on the primary outcome.

    Args:
        select: reads ``outcome_answers``, which has the columns of the questionnaire and outcome_screen (yes, no,
            missing), outcome_box (bool) and outcome_limited (yes, no, missing; missing where it is not asked).
        questionnaire: the table with the answers, at baseline or of the follow-ups.
        codebook: has exactly one primary outcome.
    """
    (outcome,) = (each for each in codebook.outcomes.values() if each.primary)
    asked = outcome.limited if questionnaire == "followup_questionnaire" else None
    limited = f'source."{asked}"' if asked else "null::varchar"
    return f"""
with outcome_answers as (
    select
        source.*,
        {screen(outcome)} as outcome_screen,
        {_box(outcome)} as outcome_box,
        {limited} as outcome_limited,
        {"true" if asked else "false"} as outcome_limited_asked
    from "{questionnaire}" as source
)

select *
from (
{select}
)
"""


def screen(outcome: Outcome) -> str:
    """The answer to the question as yes, no or missing; an expression on ``source``."""
    column = f'source."{outcome.source}"'
    if outcome.kind == "screen":
        return column
    if outcome.kind == "tick":
        return f"if({column}, 'yes', 'no')"
    return f"case when {_counts(outcome)} then 'yes' when {column} is not null then 'no' end"


def number(outcome: Outcome) -> str:
    """The outcome as 1, 0 or missing; an expression on ``source``."""
    return f"case when {screen(outcome)} is null then null when {_box(outcome)} then 1 else 0 end"


def _box(outcome: Outcome) -> str:
    """Whether the outcome is reported, where the question is answered."""
    if outcome.kind in ("screen", "tick"):
        return f'source."{outcome.box or outcome.source}"'
    return f"coalesce({_counts(outcome)}, false)"


def _counts(outcome: Outcome) -> str:
    column = f'source."{outcome.source}"'
    if outcome.kind == "score":
        return f"{column} >= {outcome.at_least!r}"
    return f"{column} in ({', '.join(map(literal, outcome.levels))})"
