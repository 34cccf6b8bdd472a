"""Describe an unexpected error without its text: a text, and the values in a traceback, could hold a person's data."""

from __future__ import annotations

import traceback
from pathlib import Path

from stegvis.data_files import PACKAGE
from stegvis.release.checklists import ChecklistError
from stegvis.storage.disk import refusal
from stegvis.storage.reader import UndeclaredTableError
from stegvis.storage.releases import ReleaseError

# Errors whose text is ours and never holds a value.
_WRITTEN_BY_US = (ChecklistError, ReleaseError, UndeclaredTableError)
# In a checkout, folders of the package lie beside it.
_OURS = (PACKAGE, *(PACKAGE.parent / name for name in ("assets", "expectations", "orchestration", "sql")))


def describe_error(error: BaseException) -> tuple[str, str]:
    """What happened, in one line that names the last frame of our own code, and the frames as Markdown.

    A full disk is named as such, and an error whose text is our own keeps it.
    """
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if any(Path(frame.filename).is_relative_to(folder) for folder in _OURS)]
    place = (ours or list(frames))[-1]
    where = f"{Path(place.filename).name} line {place.lineno}, {place.name}"
    if isinstance(error, _WRITTEN_BY_US):
        return str(error), ""
    message = refusal(error) or f"unexpected {type(error).__name__} in {where}"
    return message, "```\n" + "".join(traceback.format_list(frames)) + "```"
