"""The studies that come with the program, a folder each: ``stegvis init HOME --study NAME`` copies one into a home.

A study folder has everything that differs between cohorts: its numbers, names, statements and texts (docs/study.md).
"""

from __future__ import annotations

import shutil
from pathlib import Path

STUDIES = Path(__file__).parent
# The study whose synthetic twin the program has, and with which it is described and tested.
FIRST = "hunt4_walking"


class NoStudyError(ValueError):
    """No study of that name comes with the program; the message lists those that do."""


def names() -> list[str]:
    """The studies that come with the program."""
    return sorted(file.parent.name for file in STUDIES.glob("*/study.toml"))


def study_folder(name: str) -> Path:
    """The folder of a study.

    Raises:
        NoStudyError: there is none of that name.
    """
    if name not in names():
        raise NoStudyError(f"no study '{name}' comes with the program; there are: {', '.join(names())}")
    return STUDIES / name


def copy_study(name: str, to: Path) -> None:
    """Copy a study into a folder that must not exist yet, where it may be edited.

    Raises:
        NoStudyError: there is none of that name.
        FileExistsError: the folder is there already.
    """
    shutil.copytree(study_folder(name), to, copy_function=shutil.copyfile)
