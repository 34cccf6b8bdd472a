"""Describe an unexpected error without its text: a text, and the values in a traceback, could hold a person's data."""

from __future__ import annotations

import traceback

from stegvis.own_code import own_place
from stegvis.release.checklists import ChecklistError
from stegvis.storage.disk import refusal
from stegvis.storage.reader import UndeclaredTableError
from stegvis.storage.releases import ReleaseError
from stegvis.storage.tasks import ClusterLostError, StopTasksError

# Errors whose text is ours and never holds a value.
_WRITTEN_BY_US = (ChecklistError, ClusterLostError, ReleaseError, StopTasksError, UndeclaredTableError)


def describe_error(error: BaseException) -> tuple[str, str]:
    """What happened, in one line that names the last frame of our own code, and the frames as Markdown.

    A full disk is named as such, and an error whose text is our own keeps it.
    """
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, _WRITTEN_BY_US):
        return str(error), ""
    message = refusal(error) or f"unexpected {type(error).__name__} in {own_place(error)}"
    return message, "```\n" + "".join(traceback.format_list(frames)) + "```"
