"""Where in Stegvis's own code an error came from.

The text of an unexpected error could hold a person's value, so it is reported by its class and by the last place in
our own code. Belongs here: finding that place. Does not belong here: handling the error.
"""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Iterable, Sequence

_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+), in (?P<function>\S+)')

Place = tuple[str, int, str]


def own_place(error: BaseException) -> str:
    """The last place in Stegvis's code that an error passed: ``stegvis.assets.cohort line 12, cohort``.

    Returns:
        That of any code, by its file's name, if none of ours is in the traceback; blank without a traceback.
    """
    frames = traceback.extract_tb(error.__traceback__)
    return _last_own([(frame.filename, frame.lineno or 0, frame.name) for frame in frames])


def own_place_in(stack: Sequence[str]) -> str:
    """The same for a traceback as text, one entry per frame, the way Dagster stores it."""
    found = (_FRAME.search(entry) for entry in stack)
    return _last_own([(each["file"], int(each["line"]), each["function"]) for each in found if each])


def _last_own(places: Iterable[Place]) -> str:
    modules = {
        str(module.__file__): name
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] == "stegvis" and getattr(module, "__file__", None)
    }
    described = ""
    own = False
    for file, line, function in places:
        if file in modules or not own:
            described = f"{modules.get(file) or file.replace(chr(92), '/').rpartition('/')[2]} line {line}, {function}"
        own = own or file in modules
    return described
