"""A study as one reader sees it: its protocol and its codebook, which record what is read of them.

A table is stale when a value it was made with has changed. Which values those are is not listed anywhere: a ``Study``
is handed to whatever makes the table, and records each value that is read, by name. The same values lead to the same
reads, so comparing the recorded ones is enough.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from pydantic_core import to_jsonable_python

from stegvis.data_files import data_file
from stegvis.provenance.fingerprint import short
from stegvis.study.codebook import Codebook, read_codebook
from stegvis.study.protocol import Protocol, read_protocol

PROTOCOL, CODEBOOK = "protocol.toml", "codebook.toml"
# Longer values are recorded by their digest.
_LONGEST_SHOWN = 200


@dataclass
class Study:
    """The protocol and the codebook of a study folder, and what was read of them so far.

    Attributes:
        protocol: the study's rules and numbers.
        codebook: source columns and value codes.
        reads: by name (``protocol exposures.met_slow``), the value that was read, as text.
    """

    protocol: Protocol
    codebook: Codebook
    reads: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read a study folder.

        Raises:
            stegvis.study.settings.SettingsError: a file breaks its rules; the message names file and key.
        """
        return cls(read_protocol(folder / PROTOCOL), read_codebook(folder / CODEBOOK))

    @classmethod
    def shipped(cls) -> Self:
        """The study that comes with the program."""
        return cls.read(data_file("study/"))

    def recording(self) -> Self:
        """The same study with an empty record of reads."""
        study = type(self)(self.protocol, self.codebook)

        def recorder(kind: str) -> Any:
            return lambda name, value: study.reads.__setitem__(f"{kind} {name}".strip(), as_text(value))

        study.protocol = self.protocol.with_record("", recorder("protocol"))
        study.codebook = self.codebook.with_record("", recorder("codebook"))
        return study

    def current(self, name: str) -> str | None:
        """The present value of a recorded name, as text; None when the study has no such value any more."""
        kind, _, place = name.partition(" ")
        found: Any = self.protocol if kind == "protocol" else self.codebook
        for part in place.split(".") if place else []:
            found = getattr(found, part, None) if hasattr(type(found), "__pydantic_fields__") else None
            if found is None:
                return None
        return as_text(to_jsonable_python(found))


def as_text(value: Any) -> str:
    """A value as it is recorded: short ones as JSON, so that a change can be shown; others as a digest."""
    text = json.dumps(value)
    return text if len(text) <= _LONGEST_SHOWN else f"digest {short(text)}"
