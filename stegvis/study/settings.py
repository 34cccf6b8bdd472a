"""Reading a TOML file of the study into typed, validated, immutable objects.

Belongs here: what every such file shares: strict keys, and errors that name the file and the key. Does not belong here:
what any of them holds.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError


class Section(BaseModel):
    """A part of a settings file: immutable, and strict about its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in cause.errors())
        raise error(f"{file.name}: {problems}") from cause
