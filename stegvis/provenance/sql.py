"""The text of a SELECT: a comment or a space does not change it, and the variables it reads are found in it."""

from __future__ import annotations

import re

# A literal or quoted name, or a run of comments and spaces.
_TOKEN = re.compile(r"(?P<literal>'(?:[^']|'')*'|\"[^\"]*\")|(?:--[^\n]*|/\*.*?\*/|\s)+", re.DOTALL)
_VARIABLE = re.compile(r"getvariable\(\s*'([^']+)'\s*\)")


def normalized(text: str) -> str:
    """SQL without comments and with single spaces, literals untouched."""
    return _TOKEN.sub(lambda found: found["literal"] or " ", text).strip()


def variables_read(text: str) -> list[str]:
    """The names a SELECT reads with ``getvariable``, sorted."""
    return sorted(set(_VARIABLE.findall(text)))
