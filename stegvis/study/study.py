"""A study as one reader sees it: the files of its folder, which record what is read of them.

A table is stale when a value it was made with has changed. Which values those are is not listed anywhere: a ``Study``
is handed to whatever makes the table, and records each value that is read, by name. The same values lead to the same
reads, so comparing the recorded ones is enough.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

from pydantic_core import to_jsonable_python

from stegvis.provenance.fingerprint import short
from stegvis.studies import FIRST, names, study_folder
from stegvis.study.about import About, Published, PublishedBefore
from stegvis.study.agreement import check_agreement, with_added_covariates
from stegvis.study.claims import Claims
from stegvis.study.codebook import Codebook, read_codebook
from stegvis.study.protocol import Protocol, read_protocol
from stegvis.study.settings import Section, SettingsError, read_settings
from stegvis.study.texts import StudyTexts, read_texts

FOLDER = "study"  # of a home
PROTOCOL, CODEBOOK, ABOUT = "protocol.toml", "codebook.toml", "study.toml"
# A study may lack these.
CLAIMS, PUBLISHED = "claims.toml", "published.toml"
FILES = (PROTOCOL, CODEBOOK, ABOUT, CLAIMS, PUBLISHED, "texts/en.toml", "texts/nb.toml")
# What a study consists of: its attributes, and the first words of the names of recorded values.
PARTS = ("protocol", "codebook", "about", "texts", "claims", "published")
# Longer values are recorded by their digest.
_LONGEST_SHOWN = 200


class StudyError(SettingsError):
    """A study folder is missing or not as it must be; the message says what to do."""


@dataclass
class Study:
    """The files of a study folder, and what was read of them so far.

    Attributes:
        protocol: the study's rules and numbers.
        codebook: source columns and value codes.
        about: who runs it, contact, citation.
        texts: what the pages say about it, in each language.
        claims: statements that are evaluated against the estimates.
        published: numbers that were published before.
        reads: by name (``protocol exposures.met_slow``), the value that was read, as text.
    """

    protocol: Protocol
    codebook: Codebook
    about: About
    texts: StudyTexts
    claims: Claims = field(default_factory=Claims)
    published: PublishedBefore = field(default_factory=PublishedBefore)
    reads: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, home: Path) -> Self:
        """The study of a home.

        Args:
            home: the home's folder.

        Raises:
            StudyError: the home has no study, or a file of it breaks its rules; the message names file and key.
        """
        folder = home / FOLDER
        if not folder.is_dir():
            raise StudyError(
                f"{home} has no study folder: run 'stegvis init {home} --study NAME' with one of {', '.join(names())}"
            )
        return cls.read(folder)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read a study folder.

        Raises:
            SettingsError: a file is missing, breaks its rules or contradicts another; the message names file and key.
        """
        claims = read_settings(folder / CLAIMS, Claims, StudyError) if (folder / CLAIMS).exists() else Claims()
        printed = read_settings(folder / PUBLISHED, Published, StudyError) if (folder / PUBLISHED).exists() else None
        codebook = read_codebook(folder / CODEBOOK)
        protocol = with_added_covariates(read_protocol(folder / PROTOCOL), codebook)
        check_agreement(protocol, codebook, claims)
        return cls(
            protocol,
            codebook,
            read_settings(folder / ABOUT, About, StudyError),
            read_texts(folder, protocol, codebook),
            claims,
            PublishedBefore(numbers=printed),
        )

    @classmethod
    def shipped(cls, name: str = FIRST) -> Self:
        """A study as it comes with the program, whatever a home has made of it.

        Raises:
            stegvis.studies.NoStudyError: there is none of that name.
        """
        return cls.read(study_folder(name))

    def recording(self) -> Self:
        """The same study with an empty record of reads."""
        study = replace(self, reads={})
        for kind in PARTS:
            part: Section = getattr(self, kind)
            setattr(study, kind, part.with_record("", partial(study.record, kind)))
        return study

    def record(self, kind: str, name: str, value: Any) -> None:
        """Record that a value of a part was read, by its dotted name; ``value`` as JSON would hold it."""
        self.reads[f"{kind} {name}".strip()] = as_text(value)

    def current(self, name: str) -> str | None:
        """The present value of a recorded name, as text; None when the study has no such value any more."""
        kind, _, place = name.partition(" ")
        if kind not in PARTS:
            return None
        found: Any = getattr(self, kind)
        for part in place.split(".") if place else []:
            if part not in getattr(type(found), "__pydantic_fields__", ()):
                return None
            found = getattr(found, part)
        return as_text(to_jsonable_python(found))


def as_text(value: Any) -> str:
    """A value as it is recorded: short ones as JSON, so that a change can be shown; others as a digest."""
    text = json.dumps(value)
    return text if len(text) <= _LONGEST_SHOWN else f"digest {short(text)}"
