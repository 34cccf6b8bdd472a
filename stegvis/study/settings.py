"""Reading a TOML file of the study into typed, validated, immutable objects.

Belongs here: what every such file shares: strict keys, and errors that name the file and the key. Does not belong here:
what any of them holds.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, to_jsonable_python

# Called with the dotted name of a value and the value as JSON would hold it.
Record = Callable[[str, Any], None]


class Section(BaseModel):
    """A part of a settings file: immutable, strict about its keys, and able to record what is read of it.

    A section handed out by a ``Study`` records every value that is read, by its dotted name (``exposures.met_slow``). A
    list or a table of plain values counts as one value, and so does a whole section that is compared, iterated, dumped
    or pickled.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    __slots__ = ("_reads",)

    # A section whose parts are not distinguished: reading any of it counts as reading it all.
    indivisible: ClassVar[bool] = False

    def with_record(self, name: str, record: Record) -> Self:
        """A copy that calls ``record`` with the name and the value of whatever is read of it."""
        copy = self._with_sections(lambda key, part: part.with_record(f"{name}.{key}" if name else key, record))
        object.__setattr__(copy, "_reads", (name, record, set()))
        return copy

    def without_record(self) -> Self:
        """A copy that records nothing, and can be pickled without having been read."""
        return self._with_sections(lambda _, part: part.without_record())

    def _with_sections(self, changed: Callable[[str, Section], Section]) -> Self:
        """A copy with each section below, given with its key, changed; nothing counts as read."""
        fields = {key: changed(key, part) if isinstance(part, Section) else part for key, part in self.__dict__.items()}
        return type(self).model_construct(None, **fields)

    def _read(self, key: str | None = None) -> None:
        """Record that a value, or the whole section, is read."""
        try:
            name, record, seen = object.__getattribute__(self, "_reads")
        except AttributeError:
            return
        if key in seen:
            return
        seen.add(key)
        fields = object.__getattribute__(self, "__dict__")
        if key is None or type(self).indivisible:
            record(name, BaseModel.model_dump(self, mode="json"))
        elif not isinstance(fields[key], Section):
            record(f"{name}.{key}" if name else key, to_jsonable_python(fields[key]))

    def __getattribute__(self, key: str) -> Any:
        if not key.startswith("_") and key in type(self).__pydantic_fields__:
            object.__getattribute__(self, "_read")(key)
        return super().__getattribute__(key)

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """The section as plain values; counts as reading all of it."""
        self._read()
        return super().model_dump(**options)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A changed copy; what is read of it is recorded like the original, but for what ``update`` replaces."""
        copy = super().model_copy(update=update, deep=deep)
        if type(self).indivisible:
            self._read()
            return copy
        try:
            name, record, _ = object.__getattribute__(self, "_reads")
        except AttributeError:
            return copy
        object.__setattr__(copy, "_reads", (name, record, set(update or ())))
        return copy

    def __eq__(self, other: object) -> bool:
        self._read()
        return super().__eq__(other)

    def __hash__(self) -> int:
        self._read()
        return hash((type(self), repr(BaseModel.model_dump(self, mode="json"))))

    def __iter__(self) -> Any:
        self._read()
        return super().__iter__()

    def __getstate__(self) -> dict[Any, Any]:
        self._read()
        return super().__getstate__()


class SettingsError(ValueError):
    """A settings file breaks its own rules; the message names the file and the key."""


Settings = TypeVar("Settings", bound=Section)


def read_settings(file: Path, kind: type[Settings], error: type[SettingsError]) -> Settings:
    """Read and validate a file.

    Args:
        file: a TOML file.
        kind: what it holds.
        error: raised when it cannot be opened, is not TOML in UTF-8, or a key is unknown, missing or out of range.
    """
    try:
        return kind.model_validate(tomllib.loads(file.read_text(encoding="utf-8-sig")))
    except OSError as cause:
        raise error(f"{file.name} cannot be opened: {(cause.strerror or 'no such file').lower()}") from cause
    except UnicodeDecodeError as cause:
        raise error(f"{file.name} is not in UTF-8: save it with the encoding UTF-8") from cause
    except RecursionError as cause:
        raise error(f"{file.name} is not valid TOML: nested too deeply") from cause
    except tomllib.TOMLDecodeError as cause:
        raise error(f"{file.name} is not valid TOML: {' '.join(str(cause).split())}") from cause
    except ValidationError as cause:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {_said(e, kind)}" for e in cause.errors())
        raise error(f"{file.name}: {problems}") from cause


def _said(problem: ErrorDetails, kind: type[Section]) -> str:
    """What is wrong with a key; of an unknown one, which there are."""
    if problem["type"] != "extra_forbidden":
        return problem["msg"]
    found: type[Section] | None = kind
    for step in problem["loc"][:-1]:
        # The names and numbers of a table or a list of sections are no fields.
        if found and str(step) in found.model_fields:
            found = _section_of(found.model_fields[str(step)].annotation)
    return f"unknown key; there are: {', '.join(found.model_fields if found else ())}"


def _section_of(annotation: Any) -> type[Section] | None:
    """The section that a field holds, by itself, in a list or a table, or perhaps."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next((each for part in get_args(annotation) if (each := _section_of(part))), None)
