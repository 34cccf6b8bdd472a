"""The study that comes with the program, read once for the tests that need it as it is, and homes that have it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from stegvis.storage.home import Home
from stegvis.studies import FIRST, copy_study, study_folder
from stegvis.study.protocol import Protocol
from stegvis.study.study import CODEBOOK as CODEBOOK_NAME
from stegvis.study.study import PROTOCOL as PROTOCOL_NAME
from stegvis.study.study import Study

STUDY = Study.shipped()
PROTOCOL, CODEBOOK = STUDY.protocol, STUDY.codebook
PROTOCOL_FILE, CODEBOOK_FILE = (study_folder(FIRST) / name for name in (PROTOCOL_NAME, CODEBOOK_NAME))


def use_protocol(monkeypatch: pytest.MonkeyPatch, protocol: Protocol) -> None:
    """From now on the study of every home has this protocol."""
    monkeypatch.setattr(Study, "of", lambda home: replace(STUDY, protocol=protocol))


def home_with_study(root: Path, landing: Path | None = None) -> Home:
    """A home that has the study, as ``stegvis init`` makes it."""
    home = Home(root, landing or root / "landing")
    if not home.study.exists():
        copy_study(FIRST, home.study)
    return home
