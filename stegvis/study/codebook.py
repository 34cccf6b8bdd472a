"""Source columns and value codes, read from ``codebook.toml`` into typed, validated objects.

Names, types and codes of the columns of a delivery. Delivered cells are checked against it by
``stegvis.deliveries.contract``.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import Field, model_validator

from stegvis.study.outcomes import Outcome
from stegvis.study.settings import Section, SettingsError, read_settings

ColumnType = Literal["text", "number", "date", "timestamp", "code", "tick"]
Reader = Literal["actipass", "actimotus", "ggir"]
LayoutName = Literal["participants", "questionnaire", "days", "epochs", "signal", "withdrawals", "vital_status"]
LAYOUTS: tuple[LayoutName, ...] = get_args(LayoutName)
# Columns of participants that every study has; the program itself uses them.
COMMON = ("person", "baseline_date", "sex", "age", "recorded_days")
DAY = "{day}"  # placeholder for the number of the day in a source name

# The days of a column for which the codebook gives none: dates may be of birth, times are a device's.
ANY_DATE = (dt.date(1900, 1, 1), dt.date(2099, 12, 31))
ANY_TIME = (dt.date(2000, 1, 1), dt.date(2099, 12, 31))


class CodebookError(SettingsError):
    """The codebook file breaks its own rules; the message names the layout and the column."""


def normal_code(text: str) -> str:
    """The one spelling of a code: ``1``, ``01``, ``1.0`` and `` 1 `` are all ``1``; words are unchanged."""
    text = text.strip()
    number = re.fullmatch(r"\+?(-?)0*([0-9]+)(?:\.0*)?", text)
    return number[1] + number[2] if number else text


class CovariateRole(Section):
    """What a column is to the models: a covariate.

    A covariate that the protocol lists is in the models that list it; ``models`` and ``complete_case`` are for others.

    Attributes:
        label: its name in print.
        label_nb: the same in Norwegian.
        models: those that adjust for it; none if only sensitivity analyses do.
        complete_case: whether people of whom it is not known are excluded.
    """

    label: str = Field(min_length=1)
    label_nb: str = Field(min_length=1)
    models: tuple[Literal["age", "adjusted"], ...] = ("adjusted",)
    complete_case: bool = True


class DerivedColumn(Section):
    """A column of participants that is made from delivered ones.

    Attributes:
        rule: ``first_known`` is the first of the sources that is known; ``any_yes`` is yes if one of them is, no if all
            are; ``at_least`` is yes from the protocol's ``covariates.cuts`` on, no below; ``or_none`` is the source, or
            none where it is missing or another column has a given level.
        source: canonical columns of participants.
        unless: of ``or_none``: levels of other columns where it is none.
        covariate: its role, as of a delivered column.
    """

    rule: Literal["first_known", "any_yes", "at_least", "or_none"]
    source: tuple[str, ...] = Field(min_length=1)
    unless: dict[str, str] = Field(default_factory=dict)
    covariate: CovariateRole | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.rule in ("at_least", "or_none") and len(self.source) != 1:
            raise ValueError(f"{self.rule} has one source")
        if self.unless and self.rule != "or_none":
            raise ValueError("unless belongs to or_none")
        return self


class Column(Section):
    """One canonical column: its source and the cells it may hold."""

    source: tuple[str, ...] = Field(min_length=1)
    type: ColumnType
    required: bool = False
    filled: bool = False
    unique: bool = False
    range: tuple[float, float] | None = None
    dates: tuple[dt.date, dt.date] | None = None
    unit: str = ""
    codes: dict[str, str] | None = None
    covariate: CovariateRole | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.type == "code") != bool(self.codes):
            raise ValueError("a column of type code, and only such a column, has codes")
        if self.codes and len({normal_code(code) for code in self.codes}) < len(self.codes):
            raise ValueError("two codes are different spellings of the same code")
        if self.range and (self.type != "number" or not self.range[0] < self.range[1]):
            raise ValueError("a range belongs to a number, and runs from low to high")
        if self.dates and (self.type not in ("date", "timestamp") or not self.dates[0] <= self.dates[1]):
            raise ValueError("dates bound a date or a timestamp, and run from the first to the last")
        if self.covariate and self.type not in ("code", "number"):
            raise ValueError("a covariate is of type code or number")
        if self.type == "tick" and not (self.required and not self.filled):
            raise ValueError("a tick is required and may be blank: an absent column is not an empty box")
        return self

    @property
    def bounds(self) -> tuple[dt.date, dt.date]:
        """The first and the last day that a date or a time may have."""
        return self.dates or (ANY_DATE if self.type == "date" else ANY_TIME)


class Layout(Section):
    """One kind of file: its name, what a row is, and its columns in their canonical order."""

    indivisible = True

    file: str
    grain: str
    key: tuple[str, ...] = ()
    reader: Reader | None = None
    columns: dict[str, Column] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        sources = [name for column in self.columns.values() for name in column.source]
        # Two columns may be read from one source, but not what identifies a row.
        own = [name for column in self.columns.values() for name in column.source if column.unique or column.filled]
        repeated = {name for column in self.columns.values() for name in column.source if column.source.count(name) > 1}
        twice = sorted({name for name in own if sources.count(name) > 1} | repeated)
        if twice:
            raise ValueError(f"source name used twice: {', '.join(twice)}")
        if not set(self.key) <= set(self.columns):
            raise ValueError("key names a column that the layout does not have")
        if sum(column.unique for column in self.columns.values()) > (0 if self.key else 1):
            raise ValueError("a row is identified by key or by one unique column")
        return self

    @property
    def identity(self) -> tuple[str, ...]:
        """The columns that identify a row; none if rows may repeat."""
        return self.key or tuple(name for name, column in self.columns.items() if column.unique)


class Codebook(Section):
    """Every layout, by name: ``codebook["participants"]``, and the columns made from delivered ones."""

    participants: Layout
    derived: dict[str, DerivedColumn] = Field(default_factory=dict)
    outcomes: dict[str, Outcome] = Field(default_factory=dict)
    questionnaire: Layout
    days: Layout
    epochs: Layout
    signal: Layout
    withdrawals: Layout
    vital_status: Layout

    @model_validator(mode="before")
    @classmethod
    def _with_vital_status(cls, given: Any) -> Any:
        """A codebook that says nothing of a register knows the layout that every study has."""
        if not isinstance(given, dict) or "vital_status" in given:
            return given
        person = given.get("participants", {}).get("columns", {}).get("person", {})
        return {**given, "vital_status": _vital_status(person.get("source", ["person"]))}

    def __getitem__(self, name: LayoutName) -> Layout:
        if name not in LAYOUTS:
            raise KeyError(f"the codebook has no layout '{name}'")
        layout: Layout = getattr(self, name)
        return layout


def _vital_status(person: Sequence[str]) -> dict[str, Any]:
    """The layout of a register's delivery, with the names that a study has for the person."""
    needed = {"required": True, "filled": True}
    events = {"died": "died", "emigrated": "emigrated"}
    return {
        "file": "vital_status",
        "grain": "one row per person and event",
        "key": ["person", "date", "event"],
        "columns": {
            "person": {"source": person, "type": "text", **needed},
            "date": {"source": ["date"], "type": "date", **needed},
            "event": {"source": ["event"], "type": "code", "codes": events, **needed},
        },
    }


def read_codebook(file: Path) -> Codebook:
    """Read and validate a codebook file.

    Raises:
        CodebookError: the file is not TOML, a key is unknown or missing, a code column has no codes, or a source name
            identifies rows and is used twice within a layout.
    """
    return read_settings(file, Codebook, CodebookError)


def levels(layout: Layout, column: str) -> tuple[str, ...]:
    """The canonical levels of a code column in the codebook's order, each once; the first is the reference.

    Raises:
        KeyError: the layout has no such column, or it has no codes.
    """
    codes = layout.columns[column].codes
    if codes is None:
        raise KeyError(f"the column '{column}' has no codes")
    return tuple(dict.fromkeys(codes.values()))


def covariates(codebook: Codebook) -> dict[str, CovariateRole]:
    """The covariates by name, delivered ones first, in the codebook's order."""
    columns = {**codebook.participants.columns, **codebook.derived}
    return {name: column.covariate for name, column in columns.items() if column.covariate}


def study_columns(codebook: Codebook) -> dict[str, Column | DerivedColumn]:
    """The columns of a participant that the study itself defines: all but those that every study has, and raw sources.

    Raw sources are those of derived columns and of the primary outcome. A derived column takes the place of a delivered
    one of the same name.
    """
    sources = {name for each in codebook.derived.values() for name in each.source}
    sources |= {name for each in codebook.outcomes.values() if each.primary for name in each.asked_at_baseline}
    delivered = {
        name: column
        for name, column in codebook.participants.columns.items()
        if name not in COMMON and (column.covariate or name not in sources)
    }
    return {**delivered, **codebook.derived}


def secondary_outcomes(codebook: Codebook) -> dict[str, Outcome]:
    """The outcomes beside the primary one, by name."""
    return {name: each for name, each in codebook.outcomes.items() if not each.primary}


def participant_levels(codebook: Codebook) -> dict[str, tuple[str, ...]]:
    """The levels of every column of a participant that has any, by name; the first is the reference."""
    participants = codebook.participants
    found = {name: levels(participants, name) for name, column in participants.columns.items() if column.codes}
    for name, derived in codebook.derived.items():
        if derived.rule in ("any_yes", "at_least"):
            found[name] = ("no", "yes")
        elif derived.source[0] in found:
            more = ("none",) if derived.rule == "or_none" else ()
            found[name] = (*found[derived.source[0]], *more)
    return found
