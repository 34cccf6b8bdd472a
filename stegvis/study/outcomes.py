"""The outcomes of a study: what counts as having one, from the answers to a questionnaire."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from stegvis.study.settings import Section

Kind = Literal["screen", "question", "score", "tick"]


class Outcome(Section):
    """An outcome of the follow-up questionnaire; the primary one is asked at baseline in columns of the same names.

    Attributes:
        label: its name in print.
        label_nb: the same in Norwegian.
        kind: ``screen`` is a question (no, yes) followed by boxes, one of which counts; ``question`` is one question;
            ``score`` is a number with a cut; ``tick`` is one box.
        source: the column of the screen, the question, the score or the tick.
        box: of a screen: the column of the box.
        levels: of a question: those that count.
        at_least: of a score: it counts from here on.
        limited: a column (no, yes) that says whether the outcome is severe.
        primary: whether it is the outcome of the main analyses; exactly one is.
        free_at_baseline: of another outcome: people who have it at baseline are left out.
    """

    label: str = Field(min_length=1)
    label_nb: str = Field(min_length=1)
    kind: Kind
    source: str
    box: str | None = None
    levels: tuple[str, ...] = ()
    at_least: float | None = None
    limited: str | None = None
    primary: bool = False
    free_at_baseline: bool = False

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        given = {"screen": self.box is not None, "question": bool(self.levels), "score": self.at_least is not None}
        names = {"screen": "box", "question": "levels", "score": "at_least"}
        for kind, name in names.items():
            if given[kind] != (self.kind == kind):
                raise ValueError(f"{name} belongs to the kind {kind}, and to no other")
        if self.primary and self.free_at_baseline:
            raise ValueError("people with the primary outcome at baseline are left out by the exclusions")
        if self.limited and not self.primary:
            raise ValueError("limited belongs to the primary outcome")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a questionnaire that it is made from."""
        return tuple(name for name in (self.source, self.box, self.limited) if name)

    @property
    def asked_at_baseline(self) -> tuple[str, ...]:
        """The columns of participants that it is made from."""
        if not (self.primary or self.free_at_baseline):
            return ()
        return tuple(name for name in (self.source, self.box) if name)
